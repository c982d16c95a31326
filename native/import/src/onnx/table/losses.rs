//! Losses of ONNX.

use super::super::Error;
use super::super::node::Node;
use super::{Row, row};
use nn::ops::negative_log_likelihood_loss::Reduction;
use nn::ops::{NegativeLogLikelihoodLoss, SoftmaxCrossEntropyLoss};

pub(super) const ROWS: &[Row] = &[
    row("NegativeLogLikelihoodLoss", 12, |n| {
        let (reduction, ignore_index) = (reduction(n)?, n.int("ignore_index"));
        n.map(NegativeLogLikelihoodLoss { reduction, ignore_index })
    }),
    row("SoftmaxCrossEntropyLoss", 12, |n| {
        let (reduction, ignore_index) = (reduction(n)?, n.int("ignore_index"));
        n.map(SoftmaxCrossEntropyLoss { reduction, ignore_index })
    }),
];

fn reduction(n: &Node<'_, '_>) -> Result<Reduction, Error> {
    match n.text("reduction")?.unwrap_or("mean") {
        "none" => Ok(Reduction::None),
        "sum" => Ok(Reduction::Sum),
        "mean" => Ok(Reduction::Mean),
        other => Err(n.fail(format!("the reduction {other} is not known"))),
    }
}
