//! Pooling.

use super::super::node::{Made, Node};
use super::super::value::Value;
use super::windows::Window;
use super::{Row, row};
use nn::ops::{AveragePool, GlobalAveragePool, GlobalMaxPool, MaxPool};

pub(super) const ROWS: &[Row] = &[
    row("AveragePool", 1, average_pool),
    row("GlobalAveragePool", 1, |n| n.map(GlobalAveragePool {})),
    row("GlobalMaxPool", 1, |n| n.map_one(GlobalMaxPool {})),
    row("MaxPool", 1, max_pool),
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
