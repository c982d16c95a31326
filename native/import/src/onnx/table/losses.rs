//! Losses of ONNX, made of smaller ops.

use super::super::Error;
use super::super::node::Node;
use super::{Row, row};
use nn::ValueId;
use nn::ops::{
    Cast, Div, Equal, Gather, GatherElements, LogSoftmax, Mul, Neg, ReduceMean, ReduceSum, Squeeze,
    Unsqueeze, Where,
};
use tensor::{DType, Tensor};

pub(super) const ROWS: &[Row] = &[
    row("NegativeLogLikelihoodLoss", 12, |n| {
        let log_share = n.input(0)?;
        Ok(vec![likelihood(n, log_share)?.into()])
    }),
    row("SoftmaxCrossEntropyLoss", 12, |n| {
        let scores = n.input(0)?;
        let log_share = n.one(LogSoftmax { axis: 1 }, &[scores])?;
        Ok(vec![likelihood(n, log_share)?.into(), log_share.into()])
    }),
];

/// −w · log_share at the class of each sample, which is source 1, w being the class's weight, which
/// is source 2, and 0 for the class that is ignored; reduced as the attributes say.
fn likelihood(n: &mut Node<'_, '_>, log_share: ValueId) -> Result<ValueId, Error> {
    let dtype = n.ty(log_share).dtype;
    let labels = n.input(1)?;
    let labels = n.one(Cast { to: DType::I64 }, &[labels])?;
    let (zero, nothing) =
        (n.constant(Tensor::scalar(0i64)), n.constant(Tensor::scalar(0.0f32).cast(dtype)));
    let ignored = match n.int("ignore_index") {
        Some(index) => {
            let index = n.constant(Tensor::scalar(index));
            Some(n.one(Equal {}, &[labels, index])?)
        }
        None => None,
    };
    let labels = match ignored {
        Some(ignored) => n.one(Where {}, &[ignored, zero, labels])?,
        None => labels,
    };
    let column = n.one(Unsqueeze { axes: vec![1] }, &[labels])?;
    let picked = n.one(GatherElements { axis: 1 }, &[log_share, column])?;
    let picked = n.one(Squeeze { axes: vec![1] }, &[picked])?;
    let mut loss = n.one(Neg {}, &[picked])?;
    let mut weights = match n.optional(2)? {
        Some(weights) => Some(n.one(Gather { axis: 0 }, &[weights, labels])?),
        None => None,
    };
    if let Some(ignored) = ignored {
        let one = n.constant(Tensor::scalar(1.0f32).cast(dtype));
        let kept = weights.unwrap_or(one);
        weights = Some(n.one(Where {}, &[ignored, nothing, kept])?);
    }
    if let Some(weights) = weights {
        loss = n.one(Mul {}, &[loss, weights])?;
    }
    let (axes, keepdims, noop_with_empty_axes) = (vec![], false, false);
    let sum = ReduceSum { axes: axes.clone(), keepdims, noop_with_empty_axes };
    match (n.text("reduction")?.unwrap_or("mean"), weights) {
        ("none", _) => Ok(loss),
        ("sum", _) => n.one(sum, &[loss]),
        ("mean", None) => n.one(ReduceMean { axes, keepdims, noop_with_empty_axes }, &[loss]),
        ("mean", Some(weights)) => {
            let whole = n.one(sum.clone(), &[weights])?;
            let loss = n.one(sum, &[loss])?;
            n.one(Div {}, &[loss, whole])
        }
        (other, _) => Err(n.fail(format!("the reduction {other} is not known"))),
    }
}
