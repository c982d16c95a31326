//! Random numbers. ONNX does not say which ones a seed gives.

use super::super::Error;
use super::super::node::{Made, Node};
use super::{Row, row};
use nn::ValueId;
use nn::ops::{ArgMax, Cast, Less, Log, Neg, RandomNormal, RandomUniform, Sub, Unsqueeze};
use tensor::DType;

pub(super) const ROWS: &[Row] = &[
    row("RandomUniform", 1, |n| {
        let (shape, dtype) = (shape(n)?, n.dtype("dtype")?.unwrap_or(DType::F32));
        uniform(n, shape, dtype)
    }),
    row("RandomNormal", 1, |n| {
        let (shape, dtype) = (shape(n)?, n.dtype("dtype")?.unwrap_or(DType::F32));
        normal(n, shape, dtype)
    }),
    row("RandomUniformLike", 1, |n| {
        let like = n.src_type(0)?;
        let dtype = n.dtype("dtype")?.unwrap_or(like.dtype);
        uniform(n, like.dims().to_vec(), dtype)
    }),
    row("RandomNormalLike", 1, |n| {
        let like = n.src_type(0)?;
        let dtype = n.dtype("dtype")?.unwrap_or(like.dtype);
        normal(n, like.dims().to_vec(), dtype)
    }),
    row("Bernoulli", 15, |n| {
        let (p, ty) = (n.input(0)?, n.src_type(0)?);
        let to = n.dtype("dtype")?.unwrap_or(ty.dtype);
        let draw = draw(n, ty.dims().to_vec(), ty.dtype)?;
        let hit = n.one(Less {}, &[draw, p])?;
        Ok(vec![n.one(Cast { to }, &[hit])?.into()])
    }),
    row("Multinomial", 7, multinomial),
];

fn shape(n: &Node<'_, '_>) -> Result<Vec<usize>, Error> {
    n.sizes("shape")?.ok_or_else(|| n.fail("expected a shape"))
}

fn uniform(n: &mut Node<'_, '_>, shape: Vec<usize>, dtype: DType) -> Made {
    let (low, high) = (n.float("low").unwrap_or(0.0), n.float("high").unwrap_or(1.0));
    let salt = n.salt();
    n.given(RandomUniform { low, high, shape, dtype, salt })
}

fn normal(n: &mut Node<'_, '_>, shape: Vec<usize>, dtype: DType) -> Made {
    let (mean, scale) = (n.float("mean").unwrap_or(0.0), n.float("scale").unwrap_or(1.0));
    let salt = n.salt();
    n.given(RandomNormal { mean, scale, shape, dtype, salt })
}

/// Numbers between 0 and 1.
fn draw(n: &mut Node<'_, '_>, shape: Vec<usize>, dtype: DType) -> Result<ValueId, Error> {
    let salt = n.salt();
    n.one(RandomUniform { shape, dtype, salt, ..RandomUniform::default() }, &[])
}

/// Classes by their logarithms: the largest of log p − ln(−ln u) with u between 0 and 1 (Gumbel).
fn multinomial(n: &mut Node<'_, '_>) -> Made {
    let (logits, ty) = (n.input(0)?, n.src_type(0)?);
    let &[batch, classes] = ty.dims() else {
        return Err(n.fail(format!("expected [batch, classes], got {ty}")));
    };
    let samples = n.int("sample_size").unwrap_or(1);
    let samples = usize::try_from(samples).map_err(|_| n.fail("expected a number of samples"))?;
    let to = n.dtype("dtype")?.unwrap_or(DType::I32);
    let u = draw(n, vec![batch, samples, classes], ty.dtype)?;
    let log = n.one(Log {}, &[u])?;
    let log = n.one(Neg {}, &[log])?;
    let log = n.one(Log {}, &[log])?;
    let logits = n.one(Unsqueeze { axes: vec![1] }, &[logits])?;
    let keys = n.one(Sub {}, &[logits, log])?;
    let class = n.one(ArgMax { axis: 2, keepdims: false, select_last_index: false }, &[keys])?;
    Ok(vec![n.one(Cast { to }, &[class])?.into()])
}
