//! Normalizations of each sample by itself.

use super::super::Error;
use super::super::node::{Made, Node};
use super::super::value::Value;
use super::normalization::flattened;
use super::{Row, between, row};
use nn::ops::{
    Cast, Expand, GroupNormalization, Hardmax, InstanceNormalization, LRN, LayerNormalization,
    LpNormalization, MeanVarianceNormalization, RMSNormalization, Reshape,
};
use nn::{Op, ValueId};
use tensor::DType;

pub(super) const ROWS: &[Row] = &[
    row("LayerNormalization", 17, |n| {
        let (axis, epsilon) = (n.int("axis").unwrap_or(-1), epsilon(n));
        trailing(n, axis, LayerNormalization { axis, epsilon })
    }),
    row("RMSNormalization", 23, |n| {
        let (axis, epsilon) = (n.int("axis").unwrap_or(-1), epsilon(n));
        trailing(n, axis, RMSNormalization { axis, epsilon })
    }),
    row("InstanceNormalization", 1, |n| n.map_one(InstanceNormalization { epsilon: epsilon(n) })),
    row("GroupNormalization", 18, group_normalization),
    row("MeanVarianceNormalization", 9, |n| {
        let axes = n.ints("axes").unwrap_or_else(|| vec![0, 2, 3]);
        n.map_one(MeanVarianceNormalization { axes })
    }),
    row("LpNormalization", 1, |n| {
        let p = n.int("p").unwrap_or(2);
        let known = u32::try_from(p).ok().filter(|p| [1, 2].contains(p));
        let p = known.ok_or_else(|| n.fail(format!("expected the norm 1 or 2, got {p}")))?;
        n.map_one(LpNormalization { axis: n.int("axis").unwrap_or(-1), p })
    }),
    row("LRN", 1, |n| {
        let size = n.int("size").and_then(|size| usize::try_from(size).ok());
        let size = size.filter(|&size| size > 0);
        let size = size.ok_or_else(|| n.fail("expected a size of at least 1"))?;
        let (alpha, beta) = (n.float("alpha").unwrap_or(1e-4), n.float("beta").unwrap_or(0.75));
        n.map_one(LRN { size, alpha, beta, bias: n.float("bias").unwrap_or(1.0) })
    }),
    between("Hardmax", 1, 12, |n| {
        let axis = n.int("axis").unwrap_or(1);
        flattened(n, axis, Hardmax { axis: 1 })
    }),
    row("Hardmax", 13, |n| n.map_one(Hardmax { axis: n.int("axis").unwrap_or(-1) })),
];

fn epsilon(n: &Node<'_, '_>) -> f32 {
    n.float("epsilon").unwrap_or(1e-5)
}

/// Normalizes in the type `stash_type`, f32 unless given; y has the type of the source again.
fn stashed(n: &mut Node<'_, '_>, op: impl Op, src: &[ValueId]) -> Result<Vec<ValueId>, Error> {
    let (dtype, stash) = (n.src_type(0)?.dtype, n.dtype("stash_type")?.unwrap_or(DType::F32));
    if dtype == stash {
        return n.add(op, src);
    }
    let wide: Result<Vec<_>, _> = src.iter().map(|&x| n.one(Cast { to: stash }, &[x])).collect();
    let mut made = n.add(op, &wide?)?;
    made[0] = n.one(Cast { to: dtype }, &[made[0]])?;
    Ok(made)
}

/// A normalization over the axes from `axis` on; scale and bias may be smaller than these.
fn trailing(n: &mut Node<'_, '_>, axis: i64, op: impl Op) -> Made {
    let ty = n.src_type(0)?;
    let row = &ty.dims()[n.axis(axis, ty.dims().len())?..];
    let mut src = n.inputs()?;
    for parameter in &mut src[1..] {
        if n.ty(*parameter).dims() != row {
            *parameter = n.one(Expand { shape: row.to_vec() }, &[*parameter])?;
        }
    }
    let outputs = n.proto.output.len();
    let made = stashed(n, op, &src)?;
    Ok(made.into_iter().take(outputs).map(Value::from).collect())
}

/// Scale and bias are one per group in opset 18, and one per channel since.
fn group_normalization(n: &mut Node<'_, '_>) -> Made {
    let (ty, groups) = (n.src_type(0)?, n.int("num_groups").unwrap_or(1));
    let &[_, channels, ..] = ty.dims() else {
        return Err(n.fail(format!("expected [n, c, …], got {ty}")));
    };
    let num_groups = usize::try_from(groups).ok().filter(|&g| g > 0 && channels % g == 0);
    let num_groups = num_groups.ok_or_else(|| {
        n.fail(format!("expected a divisor of {channels} channels, got {groups}"))
    })?;
    let op = GroupNormalization { num_groups, epsilon: epsilon(n) };
    let mut src = n.inputs()?;
    if n.version >= 21 {
        return Ok(vec![stashed(n, op, &src)?[0].into()]);
    }
    for parameter in &mut src[1..] {
        let column = n.one(Reshape { shape: vec![groups, 1] }, &[*parameter])?;
        let shape = vec![num_groups, channels / num_groups];
        let rows = n.one(Expand { shape }, &[column])?;
        *parameter = n.one(Reshape { shape: vec![channels as i64] }, &[rows])?;
    }
    Ok(vec![n.one(op, &src)?.into()])
}
