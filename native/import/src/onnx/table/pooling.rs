//! Pooling.

use super::super::Error;
use super::super::node::{Made, Node};
use super::super::value::Value;
use super::windows::{Window, list};
use super::{Row, row};
use nn::ops::{
    AveragePool, GlobalAveragePool, GlobalLpPool, GlobalMaxPool, LpPool, MaxPool, MaxUnpool,
};

pub(super) const ROWS: &[Row] = &[
    row("AveragePool", 1, average_pool),
    row("GlobalAveragePool", 1, |n| n.map(GlobalAveragePool {})),
    row("GlobalMaxPool", 1, |n| n.map_one(GlobalMaxPool {})),
    row("MaxPool", 1, max_pool),
    row("LpPool", 1, lp_pool),
    row("GlobalLpPool", 1, |n| {
        let p = exponent(n)?;
        n.map(GlobalLpPool { p })
    }),
    row("MaxUnpool", 9, max_unpool),
];

fn average_pool(n: &mut Node<'_, '_>) -> Made {
    let x = n.src_type(0)?;
    let window = Window::of(n, x.dims().get(2..).unwrap_or_default(), &[])?;
    let op = AveragePool {
        kernel_shape: window.kernel,
        strides: window.strides,
        pads: window.pads,
        dilations: window.dilations,
        ceil_mode: n.flag("ceil_mode"),
        count_include_pad: n.flag("count_include_pad"),
        ..AveragePool::default()
    };
    n.map(op)
}

fn max_pool(n: &mut Node<'_, '_>) -> Made {
    let indices = n.proto.output.len() > 1;
    let x = n.src_type(0)?;
    let window = Window::of(n, x.dims().get(2..).unwrap_or_default(), &[])?;
    let op = MaxPool {
        kernel_shape: window.kernel,
        strides: window.strides,
        pads: window.pads,
        dilations: window.dilations,
        ceil_mode: n.flag("ceil_mode"),
        indices,
        column_major: n.flag("storage_order"),
        ..MaxPool::default()
    };
    let x = n.input(0)?;
    let made = n.add(op, &[x])?;
    // Without indices our second value is of use to the gradient alone.
    Ok(made.into_iter().take(1 + usize::from(indices)).map(Value::from).collect())
}

fn lp_pool(n: &mut Node<'_, '_>) -> Made {
    let x = n.src_type(0)?;
    let window = Window::of(n, x.dims().get(2..).unwrap_or_default(), &[])?;
    let op = LpPool {
        p: exponent(n)?,
        kernel_shape: window.kernel,
        strides: window.strides,
        pads: window.pads,
        dilations: window.dilations,
        ceil_mode: n.flag("ceil_mode"),
        ..LpPool::default()
    };
    n.map(op)
}

/// Opset 1 has it as a float.
fn exponent(n: &Node<'_, '_>) -> Result<u32, Error> {
    let p = match n.float("p").filter(|_| n.version < 2) {
        Some(p) => i64::from(p as u32),
        None => n.int("p").unwrap_or(2),
    };
    p.try_into().map_err(|_| n.fail(format!("expected an exponent of at least 1, got {p}")))
}

/// The third source is the shape of the result.
fn max_unpool(n: &mut Node<'_, '_>) -> Made {
    let rank = n.rank(0)?.saturating_sub(2);
    let op = MaxUnpool {
        kernel_shape: list(n, "kernel_shape", rank, vec![])?,
        strides: list(n, "strides", rank, vec![1; rank])?,
        pads: list(n, "pads", 2 * rank, vec![0; 2 * rank])?,
        output_shape: if n.has(2) { super::constants::sizes(n, 2)? } else { vec![] },
    };
    let src = [n.input(0)?, n.input(1)?];
    Ok(vec![n.one(op, &src)?.into()])
}
