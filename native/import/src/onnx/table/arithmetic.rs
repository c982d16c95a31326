//! Arithmetic of two or more elements.

use super::super::Error;
use super::super::node::{Made, Node};
use super::{Row, between, row};
use nn::ops::{Add, Cast, Div, Max, Min, Mod, Mul, PRelu, Pow, Reshape, Sub};
use nn::{Op, ValueId};
use std::sync::Arc;
use tensor::{DType, Tensor};

pub(super) const ROWS: &[Row] = &[
    between("Add", 1, 6, |n| aligned(n, Add::default())),
    between("Sub", 1, 6, |n| aligned(n, Sub {})),
    between("Mul", 1, 6, |n| aligned(n, Mul {})),
    between("Div", 1, 6, |n| aligned(n, Div {})),
    between("Pow", 1, 6, |n| aligned(n, Pow {})),
    row("Add", 7, |n| n.map(Add::default())),
    row("Sub", 7, |n| n.map(Sub {})),
    row("Mul", 7, |n| n.map(Mul {})),
    row("Div", 7, |n| n.map(Div {})),
    row("Pow", 7, pow),
    row("Mod", 10, |n| n.map(Mod { fmod: n.flag("fmod") })),
    row("Max", 1, |n| chain(n, Max {})),
    row("Min", 1, |n| chain(n, Min {})),
    row("Sum", 1, |n| chain(n, Add::default())),
    row("Mean", 1, |n| {
        let sum = chained(n, Arc::new(Add::default()))?;
        let count = Tensor::scalar(n.count() as f64).cast(n.ty(sum).dtype);
        let count = n.constant(count);
        Ok(vec![n.one(Div {}, &[sum, count])?.into()])
    }),
    row("PRelu", 1, prelu),
];

/// The second operand as opsets before 7 read it: with `broadcast`, its dimensions begin at `axis`
/// of the first's, or end with them.
pub(super) fn second(n: &mut Node<'_, '_>) -> Result<ValueId, Error> {
    let b = n.input(1)?;
    let Some(axis) = n.int("axis").filter(|_| n.flag("broadcast")) else { return Ok(b) };
    let rank = n.rank(0)?;
    let axis = n.axis(axis, rank)?;
    let mut shape: Vec<i64> = n.ty(b).dims().iter().map(|&dim| dim as i64).collect();
    let behind = rank.checked_sub(axis + shape.len());
    let behind = behind.ok_or_else(|| n.fail("the second input does not fit at this axis"))?;
    shape.extend(std::iter::repeat_n(1, behind));
    n.one(Reshape { shape }, &[b])
}

fn aligned(n: &mut Node<'_, '_>, op: impl Op) -> Made {
    let (a, b) = (n.input(0)?, second(n)?);
    Ok(vec![n.one(op, &[a, b])?.into()])
}

/// The exponent may be of another type; the result is of the base's.
fn pow(n: &mut Node<'_, '_>) -> Made {
    let (a, b) = (n.input(0)?, n.input(1)?);
    let (base, exponent) = (n.ty(a).dtype, n.ty(b).dtype);
    if base == exponent {
        return n.map(Pow {});
    }
    let common = if base.is_float() || exponent.is_integer() { base } else { DType::F64 };
    let a = n.one(Cast { to: common }, &[a])?;
    let b = n.one(Cast { to: common }, &[b])?;
    let y = n.one(Pow {}, &[a, b])?;
    Ok(vec![n.one(Cast { to: base }, &[y])?.into()])
}

/// The slope has one number per channel in opsets before 7, and broadcasts since.
fn prelu(n: &mut Node<'_, '_>) -> Made {
    let (x, slope) = (n.input(0)?, n.input(1)?);
    let (rank, dims) = (n.rank(0)?, n.ty(slope).dims().to_vec());
    let slope = if n.version < 7 && dims.len() == 1 && rank > 2 {
        let mut shape = vec![dims[0] as i64];
        shape.extend(std::iter::repeat_n(1, rank - 2));
        n.one(Reshape { shape }, &[slope])?
    } else {
        slope
    };
    Ok(vec![n.one(PRelu {}, &[x, slope])?.into()])
}

fn chain(n: &mut Node<'_, '_>, op: impl Op) -> Made {
    Ok(vec![chained(n, Arc::new(op))?.into()])
}

/// All inputs, combined from the first to the last.
fn chained(n: &mut Node<'_, '_>, op: Arc<dyn Op>) -> Result<ValueId, Error> {
    let src = n.inputs()?;
    let (&first, rest) = src.split_first().ok_or_else(|| n.fail("expected at least one input"))?;
    rest.iter().try_fold(first, |sum, &next| Ok(n.add_shared(op.clone(), &[sum, next])?[0]))
}
