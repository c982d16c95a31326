//! Learning: shards, batches, gradients and their sums, optimizers, evaluation, prediction.
//!
//! One iteration of training, with S *shards* spread over tasks:
//!
//! 1. Each task's [`Worker`] draws its shards' rows of the batch, runs them forward and backward
//!    with single-threaded replicas, and sums the gradients to the [`tree::Root`]s of its shards.
//! 2. The owner of each slice of the flat parameter vector runs an [`Update`]: it sums the roots of
//!    all tasks and applies the [`Optimizer`].
//!
//! The result is a function of data, seed, S and instruction set. It does not depend on the number
//! of tasks or threads: rows are ordered by content ([`Dataset`]) and drawn by keyed permutations
//! ([`permutation`]), sums of gradients follow a fixed tree ([`tree`]), optimizers are element-wise or
//! take sums over the cells of a fixed grid ([`GRID`]).

mod batches;
mod compression;
mod dataset;
mod error;
mod hash;
mod histogram;
mod local;
mod loss;
pub mod optim;
pub mod permutation;
mod plans;
mod power;
mod predictor;
mod record;
mod replica;
pub mod schedule;
mod shard;
pub mod slices;
mod step;
mod strategy;
pub mod tree;
mod update;
mod worker;
mod workspaces;

pub use compression::{Compression, Rounding, Wire};
pub use dataset::Dataset;
pub use error::Error;
pub use hash::hash;
pub use histogram::{Bucket, Histogram};
pub use local::LocalSteps;
pub use loss::Loss;
pub use optim::Optimizer;
pub use predictor::Predictor;
pub use record::{Label, Record};
pub use schedule::Schedule;
pub use step::{Evaluation, ShardLoss, Step};
pub use strategy::Strategy;
pub use update::{GRID, Update};
pub use worker::Worker;
