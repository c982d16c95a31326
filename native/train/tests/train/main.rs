//! Training and prediction as a caller sees them.

mod common;
mod local;
mod predictor;
mod training;
mod worker;
