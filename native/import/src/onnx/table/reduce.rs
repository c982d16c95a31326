//! Sums, extremes and norms along axes; positions of extremes.

use super::super::Error;
use super::super::node::{Made, Node};
use super::super::value::Value;
use super::{Row, row};
use nn::ops::{
    ArgMax, ArgMin, CumSum, ReduceL1, ReduceL2, ReduceLogSum, ReduceLogSumExp, ReduceMax,
    ReduceMean, ReduceMin, ReduceProd, ReduceSum, ReduceSumSquare, TopK,
};

macro_rules! reduce {
    ($($op:ident),*) => {
        &[
            $(row(stringify!($op), 1, |n| {
                let (axes, keepdims, noop_with_empty_axes) = settings(n)?;
                n.map_first($op { axes, keepdims, noop_with_empty_axes })
            }),)*
            row("ArgMax", 1, |n| {
                let (axis, keepdims, select_last_index) = arg(n);
                n.map(ArgMax { axis, keepdims, select_last_index })
            }),
            row("ArgMin", 1, |n| {
                let (axis, keepdims, select_last_index) = arg(n);
                n.map(ArgMin { axis, keepdims, select_last_index })
            }),
            row("CumSum", 11, |n| {
                let (exclusive, reverse) = (n.flag("exclusive"), n.flag("reverse"));
                let axis = n.known_int(1)?;
                n.map_first(CumSum { axis, exclusive, reverse })
            }),
            row("TopK", 1, top_k),
        ]
    };
}

pub(super) const ROWS: &[Row] = reduce!(
    ReduceL1,
    ReduceL2,
    ReduceLogSum,
    ReduceLogSumExp,
    ReduceMax,
    ReduceMean,
    ReduceMin,
    ReduceProd,
    ReduceSum,
    ReduceSumSquare
);

/// Axes, whether they are kept, and whether none of them means none and not all.
fn settings(n: &Node<'_, '_>) -> Result<(Vec<i64>, bool, bool), Error> {
    let axes = n.ints_or("axes", 1)?.unwrap_or_default();
    Ok((axes, n.int("keepdims") != Some(0), n.flag("noop_with_empty_axes")))
}

fn arg(n: &Node<'_, '_>) -> (i64, bool, bool) {
    (n.int("axis").unwrap_or(0), n.int("keepdims") != Some(0), n.flag("select_last_index"))
}

fn top_k(n: &mut Node<'_, '_>) -> Made {
    let k = match n.int("k") {
        Some(k) => k,
        None => n.known_int(1)?,
    };
    let op = TopK {
        axis: n.int("axis").unwrap_or(-1),
        k: k.try_into().map_err(|_| n.fail(format!("expected a number of elements, got {k}")))?,
        largest: n.int("largest") != Some(0),
        sorted: n.int("sorted") != Some(0),
    };
    let x = n.input(0)?;
    Ok(n.add(op, &[x])?.into_iter().map(Value::from).collect())
}
