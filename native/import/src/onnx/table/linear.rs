//! Products and convolutions.

use super::super::node::{Made, Node};
use super::windows::Window;
use super::{Row, row};
use nn::ops::{Conv, Gemm, MatMul};

pub(super) const ROWS: &[Row] = &[
    row("Gemm", 1, |n| {
        let mut op = Gemm::new(n.flag("transA"), n.flag("transB"));
        op.alpha = n.float("alpha").unwrap_or(op.alpha);
        op.beta = n.float("beta").unwrap_or(op.beta);
        n.map(op)
    }),
    row("MatMul", 1, |n| n.map(MatMul::default())),
    row("Conv", 1, conv),
];

fn conv(n: &mut Node<'_, '_>) -> Made {
    let (x, weights) = (n.src_type(0)?, n.src_type(1)?);
    let extents = x.dims().get(2..).unwrap_or_default();
    let kernel = weights.dims().get(2..).unwrap_or_default();
    let window = Window::of(n, extents, kernel)?;
    let group = n.int("group").unwrap_or(1);
    let group = group.try_into().map_err(|_| n.fail(format!("expected groups, got {group}")))?;
    let Window { kernel, strides, dilations, pads } = window;
    n.map(Conv::new(&kernel, &strides, &pads, &dilations, group))
}
