//! Products and convolutions.

use super::super::Error;
use super::super::node::{Made, Node};
use super::windows::{MOST, Window, auto_pad, list};
use super::{Row, row};
use nn::ops::{Conv, ConvTranspose, Det, Einsum, Gemm, MatMul};

pub(super) const ROWS: &[Row] = &[
    row("Gemm", 1, |n| {
        let mut op = Gemm::new(n.flag("transA"), n.flag("transB"));
        op.alpha = n.float("alpha").unwrap_or(op.alpha);
        op.beta = n.float("beta").unwrap_or(op.beta);
        n.map(op)
    }),
    row("MatMul", 1, |n| n.map(MatMul::default())),
    row("Conv", 1, conv),
    row("ConvTranspose", 1, conv_transpose),
    row("Einsum", 12, |n| {
        let equation = n.text("equation")?.unwrap_or_default().into();
        n.map(Einsum { equation })
    }),
    row("Det", 11, |n| n.map(Det {})),
];

fn conv(n: &mut Node<'_, '_>) -> Made {
    let (x, weights) = (n.src_type(0)?, n.src_type(1)?);
    let extents = x.dims().get(2..).unwrap_or_default();
    let kernel = weights.dims().get(2..).unwrap_or_default();
    let window = Window::of(n, extents, kernel)?;
    let Window { kernel, strides, dilations, pads } = window;
    n.map(Conv::new(&kernel, &strides, &pads, &dilations, group(n)?))
}

fn group(n: &Node<'_, '_>) -> Result<usize, Error> {
    let group = n.int("group").unwrap_or(1);
    group.try_into().map_err(|_| n.fail(format!("expected groups, got {group}")))
}

fn conv_transpose(n: &mut Node<'_, '_>) -> Made {
    let rank = n.rank(0)?.saturating_sub(2);
    let kernel = n.src_type(1)?.dims().get(2..).unwrap_or_default().to_vec();
    // Of a whole shape the last dimensions are the spatial ones.
    let mut output_shape = n.sizes("output_shape")?.unwrap_or_default();
    output_shape.drain(..output_shape.len().saturating_sub(rank));
    if output_shape.iter().any(|&size| size > MOST) {
        return Err(n.fail(format!("expected an output of sizes, got {output_shape:?}")));
    }
    let op = ConvTranspose {
        kernel_shape: list(n, "kernel_shape", rank, kernel)?,
        strides: list(n, "strides", rank, vec![1; rank])?,
        pads: list(n, "pads", 2 * rank, vec![0; 2 * rank])?,
        dilations: list(n, "dilations", rank, vec![1; rank])?,
        group: group(n)?,
        auto_pad: auto_pad(n)?,
        output_padding: list(n, "output_padding", rank, vec![0; rank])?,
        output_shape,
    };
    n.map(op)
}
