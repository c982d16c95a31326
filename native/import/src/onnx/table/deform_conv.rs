//! Deformable convolution: what the kernel sees is read at shifted places (Dai et al.: "Deformable
//! convolutional networks", ICCV 2017), then weighed as by any convolution.

use super::super::Error;
use super::super::node::{Made, Node};
use super::windows::Window;
use super::{Row, row};
use nn::ValueId;
use nn::ops::{
    Add, Cast, Conv, Gather, GridMode, GridPadding, GridSample, Mul, Reshape, Transpose,
};
use tensor::{DType, Tensor};

pub(super) const ROWS: &[Row] = &[row("DeformConv", 19, deform_conv)];

/// Sources: x \[n, c, h, w\], weights \[oc, c / group, kh, kw\], offsets \[n, 2·og·kh·kw, oh, ow\] (rows,
/// then columns), bias \[oc\], mask \[n, og·kh·kw, oh, ow\].
fn deform_conv(n: &mut Node<'_, '_>) -> Made {
    let (x, weights, offset) = (n.src_type(0)?, n.src_type(1)?, n.src_type(2)?);
    let count = |name: &str| {
        let count = usize::try_from(n.int(name).unwrap_or(1)).ok().filter(|&count| count > 0);
        count.ok_or_else(|| n.fail(format!("expected at least one {name}")))
    };
    let (group, groups) = (count("group")?, count("offset_group")?);
    let (&[batch, c, h, w], &[filters, _, kh, kw], &[_, _, oh, ow]) =
        (x.dims(), weights.dims(), offset.dims())
    else {
        return Err(n.fail("expected images, weights and offsets of two dimensions"));
    };
    let window = Window::of(n, &[h, w], &[kh, kw])?;
    let taps = kh * kw;
    if offset.dims() != [batch, 2 * groups * taps, oh, ow] || c % groups != 0 {
        let problem = format!("{groups} offset groups do not fit offsets {offset} and x {x}");
        return Err(n.fail(problem));
    }
    let planes = batch * groups;
    // Columns come first in a place, rows in an offset.
    let grid = shaped(n, 2, &[planes, taps, 2, oh * ow])?;
    let grid = n.one(Transpose { perm: vec![0, 1, 3, 2] }, &[grid])?;
    let places = n.constant(places(&window, [kh, kw], [oh, ow])?);
    let places = n.one(Cast { to: offset.dtype }, &[places])?;
    let grid = n.one(Add::default(), &[grid, places])?;
    let grid = normalized(n, grid, [h, w], offset.dtype)?;
    let grid = reshaped(n, grid, &[planes, taps * oh, ow, 2])?;
    let images = shaped(n, 0, &[planes, c / groups, h, w])?;
    let sample =
        GridSample { mode: GridMode::Linear, padding: GridPadding::Zeros, align_corners: false };
    let mut seen = n.one(sample, &[images, grid])?;
    if n.has(4) {
        let mask = shaped(n, 4, &[planes, 1, taps * oh, ow])?;
        seen = n.one(Mul {}, &[seen, mask])?;
    }
    let seen = reshaped(n, seen, &[batch, c, taps, oh * ow])?;
    let column = shaped(n, 1, &[filters, weights.dims()[1], taps, 1])?;
    let conv = Conv::new(&[taps, 1], &[1, 1], &[0; 4], &[1, 1], group);
    let src: Vec<ValueId> = match n.has(3) {
        true => vec![seen, column, n.input(3)?],
        false => vec![seen, column],
    };
    let y = n.one(conv, &src)?;
    Ok(vec![reshaped(n, y, &[batch, filters, oh, ow])?.into()])
}

fn reshaped(n: &mut Node<'_, '_>, value: ValueId, dims: &[usize]) -> Result<ValueId, Error> {
    n.one(Reshape { shape: dims.iter().map(|&dim| dim as i64).collect() }, &[value])
}

/// Source `i` under other dimensions.
fn shaped(n: &mut Node<'_, '_>, i: usize, dims: &[usize]) -> Result<ValueId, Error> {
    let value = n.input(i)?;
    reshaped(n, value, dims)
}

/// Where the taps of the kernel lie without offsets: \[taps, places, row and column\].
fn places(window: &Window, [kh, kw]: [usize; 2], [oh, ow]: [usize; 2]) -> Result<Tensor, Error> {
    let along = |d: usize, tap: usize, i: usize| {
        (i * window.strides[d] + tap * window.dilations[d]) as f32 - window.pads[d] as f32
    };
    let mut places = Vec::with_capacity(2 * kh * kw * oh * ow);
    for tap in 0..kh * kw {
        for at in 0..oh * ow {
            places.extend([along(0, tap / kw, at / ow), along(1, tap % kw, at % ow)]);
        }
    }
    Ok(Tensor::new([kh * kw, oh * ow, 2], places)?)
}

/// Rows and columns as columns and rows from −1 to 1 between the outer edges of an image.
fn normalized(
    n: &mut Node<'_, '_>,
    grid: ValueId,
    [h, w]: [usize; 2],
    dtype: DType,
) -> Result<ValueId, Error> {
    let pair = |of: fn(f64) -> f64| Tensor::vector(vec![of(h as f64), of(w as f64)]).cast(dtype);
    let (factor, shift) = (pair(|size| 2.0 / size), pair(|size| 1.0 / size - 1.0));
    let (factor, shift) = (n.constant(factor), n.constant(shift));
    let grid = n.one(Mul {}, &[grid, factor])?;
    let grid = n.one(Add::default(), &[grid, shift])?;
    let swapped = n.constant(Tensor::vector(vec![1i64, 0]));
    n.one(Gather { axis: 3 }, &[grid, swapped])
}
