//! Pooling.

use super::super::node::{Made, Node};
use super::windows::Window;
use super::{Row, row};
use nn::ops::{AveragePool, MaxPool};

pub(super) const ROWS: &[Row] = &[
    row("AveragePool", 1, average_pool),
    row("GlobalAveragePool", 1, |n| {
        let kernel_shape = n.src_type(0)?.dims().get(2..).unwrap_or_default().to_vec();
        n.map(AveragePool { kernel_shape, ..AveragePool::default() })
    }),
    row("GlobalMaxPool", 1, |n| {
        let kernel_shape = n.src_type(0)?.dims().get(2..).unwrap_or_default().to_vec();
        let x = n.input(0)?;
        let op = MaxPool { kernel_shape, ..MaxPool::default() };
        Ok(vec![n.one(op, &[x])?.into()])
    }),
    row("MaxPool", 1, max_pool),
];

fn average_pool(n: &mut Node<'_, '_>) -> Made {
    let x = n.src_type(0)?;
    let window = Window::of(n, x.dims().get(2..).unwrap_or_default(), &[])?;
    if window.is_dilated() {
        return Err(n.fail("dilated windows are not supported"));
    }
    let op = AveragePool {
        kernel_shape: window.kernel,
        strides: window.strides,
        pads: window.pads,
        ceil_mode: n.flag("ceil_mode"),
        count_include_pad: n.flag("count_include_pad"),
    };
    n.map(op)
}

fn max_pool(n: &mut Node<'_, '_>) -> Made {
    let x = n.src_type(0)?;
    let window = Window::of(n, x.dims().get(2..).unwrap_or_default(), &[])?;
    if window.is_dilated() {
        return Err(n.fail("dilated windows are not supported"));
    }
    let op = MaxPool {
        kernel_shape: window.kernel,
        strides: window.strides,
        pads: window.pads,
        ceil_mode: n.flag("ceil_mode"),
    };
    let x = n.input(0)?;
    // Our second value is of use to the gradient alone.
    Ok(vec![n.one(op, &[x])?.into()])
}
