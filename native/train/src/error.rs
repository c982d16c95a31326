use std::fmt;

/// What can go wrong in training.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Bytes that are not a whole number of records.
    #[error(
        "dataset: {got} bytes are no whole number of records of {record} bytes. Append whole \
         records: all features of a row as little-endian f32, then its label"
    )]
    RecordBytes {
        /// Bytes given.
        got: usize,
        /// Bytes of one record.
        record: usize,
    },
    /// A feature that is NaN or infinite.
    #[error(
        "row {row}: feature {feature} is {value}, expected a finite number. Clean or drop the row"
    )]
    Feature {
        /// Row number in the order of appending.
        row: usize,
        /// Position among the features of the row, all inputs in order.
        feature: usize,
        /// What was found.
        value: f32,
    },
    /// A label outside its range.
    #[error("row {row}: label is {value}, expected {expected}. Correct or drop the row")]
    Label {
        /// Row number in the order of appending.
        row: usize,
        /// What was found.
        value: f32,
        /// What a label must be.
        expected: String,
    },
    /// More rows than one dataset can number.
    #[error("dataset: {got} rows do not fit one shard (at most {limit}). Use more shards")]
    TooManyRows {
        /// Rows it would have had.
        got: usize,
        /// The most it can have.
        limit: usize,
    },
    /// A dataset in the wrong state for the call.
    #[error(
        "dataset: expected it {expected}, got it {got}. Append all rows, seal once, then train"
    )]
    Sealed {
        /// State that the call needs.
        expected: &'static str,
        /// State it is in.
        got: &'static str,
    },
    /// A dataset whose records do not have the layout of the model and loss.
    #[error(
        "{who}: expected records of {expected}, got {got}. Make the dataset for this model and loss"
    )]
    Record {
        /// The shard or dataset.
        who: String,
        /// Layout the model and loss need.
        expected: String,
        /// Layout of the dataset.
        got: String,
    },
    /// Roots that do not cover every shard exactly once.
    #[error(
        "gradients: shard {shard} of {shards} is missing or given twice. Pass the roots of all \
         tasks of one iteration"
    )]
    Roots {
        /// Number of shards.
        shards: usize,
        /// The first shard that is wrong.
        shard: usize,
    },
    /// A shard number that does not exist.
    #[error("shard {shard}: expected a number below the {shards} shards of this training")]
    Shard {
        /// The number given.
        shard: usize,
        /// Number of shards.
        shards: usize,
    },
    /// A vector of the wrong length.
    #[error("{what}: expected {expected} floats, got {got}. {remedy}")]
    Length {
        /// The vector.
        what: &'static str,
        /// Floats it must have.
        expected: usize,
        /// Floats it has.
        got: usize,
        /// What to do.
        remedy: &'static str,
    },
    /// A setting outside its range.
    #[error("{who}: {setting} is {got}, expected {expected}")]
    Setting {
        /// The optimizer, loss or call.
        who: &'static str,
        /// Name of the setting.
        setting: &'static str,
        /// What it must be.
        expected: &'static str,
        /// What it is.
        got: String,
    },
    /// A definition that cannot be read.
    #[error("{what}: {message}. Expected JSON such as {example}")]
    Definition {
        /// Optimizer or loss.
        what: &'static str,
        /// What the reader found.
        message: String,
        /// A definition that can be read.
        example: &'static str,
    },
    /// A model that this loss cannot train.
    #[error("loss {loss}: expected an output of {expected} per sample, got {got}. {remedy}")]
    Output {
        /// The loss.
        loss: &'static str,
        /// Outputs it can train.
        expected: &'static str,
        /// Output of the model.
        got: String,
        /// What to do.
        remedy: &'static str,
    },
    /// An iteration that cannot run with what the worker has.
    #[error("worker: {expected}, got {got}. {remedy}")]
    Worker {
        /// What the call needs.
        expected: &'static str,
        /// What there is.
        got: String,
        /// What to do.
        remedy: &'static str,
    },
    /// Threads that could not be started.
    #[error("threads: {0}")]
    Threads(String),
    /// Memory or shapes.
    #[error(transparent)]
    Tensor(#[from] tensor::Error),
    /// Graph, plan or kernel.
    #[error(transparent)]
    Nn(#[from] nn::Error),
    /// Model.
    #[error(transparent)]
    Layers(#[from] layers::Error),
}

impl Error {
    /// A pass that did not make the plan it runs.
    pub(crate) fn missing_plan(batch: usize) -> Error {
        Error::Worker {
            expected: "a plan for every batch size of the pass",
            got: format!("none for {batch} rows"),
            remedy: "This is a bug; please report it",
        }
    }
}

/// Refuses a value outside its range.
pub(crate) fn check(
    holds: bool,
    who: &'static str,
    setting: &'static str,
    expected: &'static str,
    got: impl fmt::Display,
) -> Result<(), Error> {
    if holds {
        Ok(())
    } else {
        Err(Error::Setting { who, setting, expected, got: got.to_string() })
    }
}

/// Refuses a negative or infinite number.
pub(crate) fn check_positive(
    who: &'static str,
    setting: &'static str,
    value: f64,
) -> Result<(), Error> {
    let holds = value.is_finite() && value >= 0.0;
    check(holds, who, setting, "a finite number, 0 or more", value)
}

/// Refuses a number that is not above 0 or infinite.
pub(crate) fn check_above_zero(
    who: &'static str,
    setting: &'static str,
    value: f64,
) -> Result<(), Error> {
    let holds = value.is_finite() && value > 0.0;
    check(holds, who, setting, "a finite number above 0", value)
}

/// Refuses a share outside [0, 1).
pub(crate) fn check_below_one(
    who: &'static str,
    setting: &'static str,
    value: f64,
) -> Result<(), Error> {
    check((0.0..1.0).contains(&value), who, setting, "a number in [0, 1)", value)
}

/// Refuses a number of iterations or epochs that is 0.
pub(crate) fn check_count(
    who: &'static str,
    setting: &'static str,
    value: u64,
) -> Result<(), Error> {
    check(value > 0, who, setting, "at least 1", value)
}

/// Refuses a vector of the wrong length.
pub(crate) fn check_length(
    what: &'static str,
    expected: usize,
    got: usize,
    remedy: &'static str,
) -> Result<(), Error> {
    if expected == got { Ok(()) } else { Err(Error::Length { what, expected, got, remedy }) }
}
