//! Training and prediction as a caller sees them.

mod common;
mod local;
mod precision;
mod predictor;
mod training;
mod worker;
