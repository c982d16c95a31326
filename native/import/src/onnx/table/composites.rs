//! Ops that are made of smaller ones.

use super::super::Error;
use super::super::node::{Made, Node};
use super::super::value::Value;
use super::{Row, between, row};
use nn::ValueId;
use nn::ops::{
    Add, ArgMax, AveragePool, Cast, Div, Equal, Mul, OneHot, Pow, ReduceL1, ReduceL2, ReduceMean,
    Reshape, Sqrt, Sub, Where,
};
use tensor::{DType, Element, Tensor};

pub(super) const ROWS: &[Row] = &[
    row("LayerNormalization", 17, layer_normalization),
    row("RMSNormalization", 23, rms_normalization),
    row("InstanceNormalization", 1, instance_normalization),
    row("GroupNormalization", 18, group_normalization),
    row("MeanVarianceNormalization", 9, |n| {
        let x = n.input(0)?;
        let axes = n.ints("axes").unwrap_or_else(|| vec![0, 2, 3]);
        Ok(vec![normalized(n, x, &axes, 1e-9)?[0].into()])
    }),
    row("LpNormalization", 1, lp_normalization),
    row("LRN", 1, local_response),
    between("Hardmax", 1, 12, |n| {
        let (x, ty) = (n.input(0)?, n.src_type(0)?);
        let axis = n.axis(n.int("axis").unwrap_or(1), ty.dims().len())?;
        let matrix = n.one(nn::ops::Flatten { axis }, &[x])?;
        let y = hardmax(n, matrix, 1)?;
        let shape = ty.dims().iter().map(|&dim| dim as i64).collect();
        Ok(vec![n.one(Reshape { shape }, &[y])?.into()])
    }),
    row("Hardmax", 13, |n| {
        let x = n.input(0)?;
        let axis = n.int("axis").unwrap_or(-1);
        Ok(vec![hardmax(n, x, axis)?.into()])
    }),
];

/// A number of the type of a value.
fn number(n: &mut Node<'_, '_>, number: f32, like: ValueId) -> ValueId {
    let dtype = n.ty(like).dtype;
    n.constant(Tensor::scalar(number).cast(dtype))
}

fn mean(n: &mut Node<'_, '_>, x: ValueId, axes: &[i64]) -> Result<ValueId, Error> {
    n.one(ReduceMean { axes: axes.to_vec(), keepdims: true, noop_with_empty_axes: false }, &[x])
}

/// (x − mean) / √(variance + epsilon) over the axes, the mean, and one over that root.
fn normalized(
    n: &mut Node<'_, '_>,
    x: ValueId,
    axes: &[i64],
    epsilon: f32,
) -> Result<[ValueId; 3], Error> {
    let center = mean(n, x, axes)?;
    let apart = n.one(Sub {}, &[x, center])?;
    let square = n.one(Mul {}, &[apart, apart])?;
    let variance = mean(n, square, axes)?;
    let (epsilon, one) = (number(n, epsilon, x), number(n, 1.0, x));
    let variance = n.one(Add::default(), &[variance, epsilon])?;
    let deviation = n.one(Sqrt {}, &[variance])?;
    let inverse = n.one(Div {}, &[one, deviation])?;
    Ok([n.one(Mul {}, &[apart, inverse])?, center, inverse])
}

/// The type in which statistics are computed: `stash_type`, f32 unless given.
fn stash(n: &Node<'_, '_>) -> Result<DType, Error> {
    Ok(n.dtype("stash_type")?.unwrap_or(DType::F32))
}

fn axes_from(n: &Node<'_, '_>, default: i64) -> Result<Vec<i64>, Error> {
    let rank = n.rank(0)?;
    let first = n.axis(n.int("axis").unwrap_or(default), rank)?;
    Ok((first as i64..rank as i64).collect())
}

fn layer_normalization(n: &mut Node<'_, '_>) -> Made {
    let (x, dtype, stash) = (n.input(0)?, n.src_type(0)?.dtype, stash(n)?);
    let axes = axes_from(n, -1)?;
    let wide = n.one(Cast { to: stash }, &[x])?;
    let epsilon = n.float("epsilon").unwrap_or(1e-5);
    let [y, center, inverse] = normalized(n, wide, &axes, epsilon)?;
    let mut y = n.one(Cast { to: dtype }, &[y])?;
    let scale = n.input(1)?;
    y = n.one(Mul {}, &[y, scale])?;
    if let Some(bias) = n.optional(2)? {
        y = n.one(Add::default(), &[y, bias])?;
    }
    Ok([y, center, inverse].map(Value::from).to_vec())
}

fn rms_normalization(n: &mut Node<'_, '_>) -> Made {
    let (x, dtype, stash) = (n.input(0)?, n.src_type(0)?.dtype, stash(n)?);
    let axes = axes_from(n, -1)?;
    let wide = n.one(Cast { to: stash }, &[x])?;
    let square = n.one(Mul {}, &[wide, wide])?;
    let square = mean(n, square, &axes)?;
    let epsilon = n.float("epsilon").unwrap_or(1e-5);
    let epsilon = number(n, epsilon, wide);
    let square = n.one(Add::default(), &[square, epsilon])?;
    let root = n.one(Sqrt {}, &[square])?;
    let y = n.one(Div {}, &[wide, root])?;
    let y = n.one(Cast { to: dtype }, &[y])?;
    let scale = n.input(1)?;
    Ok(vec![n.one(Mul {}, &[y, scale])?.into()])
}

/// One number per channel as a tensor that broadcasts to [n, c, …].
fn per_channel(n: &mut Node<'_, '_>, i: usize, rank: usize) -> Result<ValueId, Error> {
    let value = n.input(i)?;
    let mut shape = vec![1; rank];
    if let Some(channels) = shape.get_mut(1) {
        *channels = -1;
    }
    n.one(Reshape { shape }, &[value])
}

fn instance_normalization(n: &mut Node<'_, '_>) -> Made {
    let (x, rank) = (n.input(0)?, n.rank(0)?);
    let axes: Vec<i64> = (2..rank as i64).collect();
    let epsilon = n.float("epsilon").unwrap_or(1e-5);
    let y = normalized(n, x, &axes, epsilon)?[0];
    let (scale, bias) = (per_channel(n, 1, rank)?, per_channel(n, 2, rank)?);
    let y = n.one(Mul {}, &[y, scale])?;
    Ok(vec![n.one(Add::default(), &[y, bias])?.into()])
}

/// Scale and bias are one per group in opset 18, and one per channel since.
fn group_normalization(n: &mut Node<'_, '_>) -> Made {
    let (x, ty) = (n.input(0)?, n.src_type(0)?);
    let groups = n.int("num_groups").unwrap_or(1);
    let &[batch, channels, ..] = ty.dims() else {
        return Err(n.fail(format!("expected [n, c, …], got {ty}")));
    };
    if groups < 1 || channels as i64 % groups != 0 {
        return Err(n.fail(format!("expected a divisor of {channels} channels, got {groups}")));
    }
    let wide = if n.version < 21 { ty.dtype } else { stash(n)? };
    let parts = n.one(Reshape { shape: vec![batch as i64, groups, -1] }, &[x])?;
    let parts = n.one(Cast { to: wide }, &[parts])?;
    let epsilon = n.float("epsilon").unwrap_or(1e-5);
    let mut y = normalized(n, parts, &[2], epsilon)?[0];
    y = n.one(Cast { to: ty.dtype }, &[y])?;
    let whole: Vec<i64> = ty.dims().iter().map(|&dim| dim as i64).collect();
    let per_group = n.version < 21;
    let (scale, bias) = if per_group {
        (per_channel(n, 1, 3)?, per_channel(n, 2, 3)?)
    } else {
        y = n.one(Reshape { shape: whole.clone() }, &[y])?;
        (per_channel(n, 1, whole.len())?, per_channel(n, 2, whole.len())?)
    };
    y = n.one(Mul {}, &[y, scale])?;
    y = n.one(Add::default(), &[y, bias])?;
    Ok(vec![n.one(Reshape { shape: whole }, &[y])?.into()])
}

/// x / ‖x‖ along an axis; 0 where the norm is 0.
fn lp_normalization(n: &mut Node<'_, '_>) -> Made {
    let x = n.input(0)?;
    let (axes, keepdims, noop_with_empty_axes) = (vec![n.int("axis").unwrap_or(-1)], true, false);
    let norm = match n.int("p").unwrap_or(2) {
        1 => n.one(ReduceL1 { axes, keepdims, noop_with_empty_axes }, &[x])?,
        2 => n.one(ReduceL2 { axes, keepdims, noop_with_empty_axes }, &[x])?,
        p => return Err(n.fail(format!("expected the norm 1 or 2, got {p}"))),
    };
    let (zero, one) = (number(n, 0.0, x), number(n, 1.0, x));
    let nothing = n.one(Equal {}, &[norm, zero])?;
    let norm = n.one(Where {}, &[nothing, one, norm])?;
    Ok(vec![n.one(Div {}, &[x, norm])?.into()])
}

/// x / (bias + alpha · mean)^beta, the mean being that of the squares of the channels around (beyond
/// the first and last they are 0): a pool over the channels.
fn local_response(n: &mut Node<'_, '_>) -> Made {
    let (x, ty) = (n.input(0)?, n.src_type(0)?);
    let &[batch, channels, ..] = ty.dims() else {
        return Err(n.fail(format!("expected [n, c, …], got {ty}")));
    };
    let size = n.int("size").and_then(|size| usize::try_from(size).ok()).filter(|&size| size > 0);
    let size = size.ok_or_else(|| n.fail("expected a size of at least 1"))?;
    let square = n.one(Mul {}, &[x, x])?;
    let rows = Reshape { shape: vec![batch as i64, 1, channels as i64, -1] };
    let rows = n.one(rows, &[square])?;
    let pool = AveragePool {
        kernel_shape: vec![size, 1],
        pads: vec![(size - 1) / 2, 0, size / 2, 0],
        count_include_pad: true,
        ..AveragePool::default()
    };
    let mean = n.one(pool, &[rows])?;
    let shape = ty.dims().iter().map(|&dim| dim as i64).collect();
    let mean = n.one(Reshape { shape }, &[mean])?;
    let setting = |n: &Node<'_, '_>, name, default| n.float(name).unwrap_or(default);
    let (alpha, beta, bias) =
        (setting(n, "alpha", 1e-4), setting(n, "beta", 0.75), setting(n, "bias", 1.0));
    let (alpha, beta, bias) = (number(n, alpha, x), number(n, beta, x), number(n, bias, x));
    let scaled = n.one(Mul {}, &[mean, alpha])?;
    let base = n.one(Add::default(), &[scaled, bias])?;
    let power = n.one(Pow {}, &[base, beta])?;
    Ok(vec![n.one(Div {}, &[x, power])?.into()])
}

/// 1 at the first of the largest elements along an axis, 0 elsewhere.
fn hardmax(n: &mut Node<'_, '_>, x: ValueId, axis: i64) -> Result<ValueId, Error> {
    let ty = n.ty(x);
    let at = n.axis(axis, ty.dims().len())?;
    let best = n.one(ArgMax { axis, keepdims: false, select_last_index: false }, &[x])?;
    let op = OneHot {
        axis,
        depth: ty.dims().get(at).copied().unwrap_or(1),
        off: 0.0f32.wide(),
        on: 1.0f32.wide(),
        dtype: ty.dtype,
    };
    n.one(op, &[best])
}
