//! Products and convolutions.

use super::super::node::{Made, Node};
use super::windows::Window;
use super::{Row, row};
use nn::ops::{Add, Conv, Gemm, MatMul, Mul, Reshape};
use tensor::Tensor;

pub(super) const ROWS: &[Row] =
    &[row("Gemm", 1, gemm), row("MatMul", 1, matmul), row("Conv", 1, conv)];

/// alpha · A' · B' + beta · C: our product has no factors, and a bias of one number per column.
fn gemm(n: &mut Node<'_, '_>) -> Made {
    let (alpha, beta) = (n.float("alpha").unwrap_or(1.0), n.float("beta").unwrap_or(1.0));
    let op = Gemm::new(n.flag("transA"), n.flag("transB"));
    let (a, b) = (n.input(0)?, n.input(1)?);
    let dtype = n.ty(a).dtype;
    let c = n.optional(2)?.filter(|_| beta != 0.0);
    if !dtype.is_float() {
        return Err(n.fail("products of integers are not supported"));
    }
    if let Some(c) = c
        && alpha == 1.0
        && beta == 1.0
        && n.ty(c).dims().len() == 1
        && n.ty(c).dims() != [1]
    {
        return Ok(vec![n.one(op, &[a, b, c])?.into()]);
    }
    let mut y = n.one(op, &[a, b])?;
    if alpha != 1.0 {
        let factor = n.constant(Tensor::scalar(alpha).cast(dtype));
        y = n.one(Mul {}, &[y, factor])?;
    }
    let Some(mut c) = c else { return Ok(vec![y.into()]) };
    if beta != 1.0 {
        let factor = n.constant(Tensor::scalar(beta).cast(dtype));
        c = n.one(Mul {}, &[c, factor])?;
    }
    Ok(vec![n.one(Add::default(), &[y, c])?.into()])
}

/// Vectors are matrices of one row or one column.
fn matmul(n: &mut Node<'_, '_>) -> Made {
    let (mut a, mut b) = (n.input(0)?, n.input(1)?);
    let (row, column) = (n.rank(0)? == 1, n.rank(1)? == 1);
    if row {
        a = n.one(Reshape { shape: vec![1, -1] }, &[a])?;
    }
    if column {
        b = n.one(Reshape { shape: vec![-1, 1] }, &[b])?;
    }
    let y = n.one(MatMul::default(), &[a, b])?;
    if !row && !column {
        return Ok(vec![y.into()]);
    }
    let mut shape: Vec<i64> = n.ty(y).dims().iter().map(|&dim| dim as i64).collect();
    if column {
        shape.pop();
    }
    if row {
        shape.remove(shape.len() - if column { 1 } else { 2 });
    }
    Ok(vec![n.one(Reshape { shape }, &[y])?.into()])
}

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
