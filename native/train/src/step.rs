//! What goes into an iteration or evaluation, and what is told of it.

/// Which iteration of a training this is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Number of shards S of the training.
    pub shards: usize,
    /// Iterations done before this one, since training began.
    pub iteration: u64,
    /// Epochs done before this one.
    pub epoch: u64,
    /// Number of this iteration in its epoch, below `of`.
    pub index: usize,
    /// Iterations of the epoch.
    pub of: usize,
    /// Samples of this iteration, over all shards of all tasks.
    pub count: usize,
    /// Factor of the learning rate of local steps, 1 in general.
    pub rate_factor: f64,
}

/// What one shard contributed to an iteration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShardLoss {
    /// Number of the shard.
    pub shard: usize,
    /// Sum of the losses of its samples.
    pub loss_sum: f64,
    /// Number of its samples.
    pub count: usize,
}

/// How well the weights do on some datasets.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Evaluation {
    /// Number of samples.
    pub count: u64,
    /// Sum of the samples' losses.
    pub loss_sum: f64,
    /// Samples whose largest output is that of their class; 0 for losses without classes.
    pub correct: u64,
}
