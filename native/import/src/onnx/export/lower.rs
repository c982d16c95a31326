//! Ops that ONNX's opset 22 does not have, made of those that it has.

use super::super::Error;
use nn::ops::*;
use nn::{Graph, Op, ParameterTable, TensorType, ValueId};
use std::any::Any;
use tensor::Tensor;

/// The graph that an op on sources of these types is, if ONNX has no node for it; its inputs are the
/// sources and its output is the first result.
pub(super) fn of(op: &dyn Any, src: &[&TensorType]) -> Result<Option<Graph>, Error> {
    let mut graph = Graph::new(ParameterTable::new());
    let inputs: Vec<ValueId> = src.iter().map(|&ty| graph.input("src", ty.clone())).collect();
    let mut parts = Parts { graph };
    let y = if let Some(op) = op.downcast_ref::<Swish>() {
        parts.swish(op, inputs[0])?
    } else if let Some(op) = op.downcast_ref::<RMSNormalization>() {
        parts.rms_normalization(op, &inputs)?
    } else if let Some(op) = op.downcast_ref::<Attention>() {
        parts.attention(op, &inputs)?
    } else {
        return Ok(None);
    };
    parts.graph.output("dst", y);
    Ok(Some(parts.graph))
}

struct Parts {
    graph: Graph,
}

impl Parts {
    fn one(&mut self, op: impl Op, src: &[ValueId]) -> Result<ValueId, Error> {
        Ok(self.graph.add("part", op, src)?[0])
    }

    fn dims(&self, value: ValueId) -> Vec<usize> {
        self.graph.shape(value).dims().to_vec()
    }

    /// One number of a value's type.
    fn number(&mut self, number: f32, like: ValueId) -> ValueId {
        let dtype = self.graph.tensor_type(like).dtype;
        self.graph.constant(Tensor::scalar(number).cast(dtype))
    }

    fn times(&mut self, x: ValueId, factor: f32) -> Result<ValueId, Error> {
        let factor = self.number(factor, x);
        self.one(Mul {}, &[x, factor])
    }

    fn reshaped(&mut self, x: ValueId, dims: &[usize]) -> Result<ValueId, Error> {
        self.one(Reshape { shape: dims.iter().map(|&dim| dim as i64).collect() }, &[x])
    }

    /// x · σ(alpha · x).
    fn swish(&mut self, op: &Swish, x: ValueId) -> Result<ValueId, Error> {
        let gate = self.times(x, op.alpha)?;
        let gate = self.one(Sigmoid {}, &[gate])?;
        self.one(Mul {}, &[x, gate])
    }

    /// scale · x / √(mean of x² + epsilon).
    fn rms_normalization(
        &mut self,
        op: &RMSNormalization,
        src: &[ValueId],
    ) -> Result<ValueId, Error> {
        let (x, rank) = (src[0], self.dims(src[0]).len() as i64);
        let first = if op.axis < 0 { op.axis + rank } else { op.axis };
        let square = self.one(Mul {}, &[x, x])?;
        let axes = (first..rank).collect();
        let mean = ReduceMean { axes, keepdims: true, noop_with_empty_axes: true };
        let mean = self.one(mean, &[square])?;
        let epsilon = self.number(op.epsilon, x);
        let mean = self.one(Add::default(), &[mean, epsilon])?;
        let root = self.one(Sqrt {}, &[mean])?;
        let y = self.one(Div {}, &[x, root])?;
        self.one(Mul {}, &[y, src[1]])
    }

    /// softmax(scale · q·kᵀ + mask) · v, in \[batch, heads, …\].
    fn attention(&mut self, op: &Attention, src: &[ValueId]) -> Result<ValueId, Error> {
        let side_by_side = self.dims(src[0]).len() == 3;
        let (parts, mask) = match op.packed {
            true => (self.thirds(src[0])?, src.get(1)),
            false => ([src[0], src[1], src[2]], src.get(3)),
        };
        let kv = if op.packed { op.q_num_heads } else { op.kv_num_heads };
        let [q, k, v] = parts;
        let (q, k, v) = (self.heads(q, op.q_num_heads)?, self.heads(k, kv)?, self.heads(v, kv)?);
        let &[batch, heads, s, e] = &self.dims(q)[..] else { return Err(malformed()) };
        let (k, v) = (self.shared(k, heads)?, self.shared(v, heads)?);
        let (t, f) = (self.dims(k)[2], self.dims(v)[3]);
        let q = self.times(q, op.scale.unwrap_or(1.0 / (e as f32).sqrt()))?;
        let k = self.one(Transpose { perm: vec![0, 1, 3, 2] }, &[k])?;
        let mut scores = self.one(MatMul::default(), &[q, k])?;
        if op.is_causal {
            let hidden = |at: usize| if at % t > at / t { f32::NEG_INFINITY } else { 0.0 };
            let hidden: Vec<f32> = (0..s * t).map(hidden).collect();
            let hidden = self.graph.constant(Tensor::new([s, t], hidden)?);
            scores = self.one(Add::default(), &[scores, hidden])?;
        }
        if let Some(&mask) = mask {
            scores = self.one(Add::default(), &[scores, mask])?;
        }
        let mut shares = self.one(Softmax { axis: -1 }, &[scores])?;
        if mask.is_some() {
            // A query that sees no key gives 0.
            let blind = self.one(IsNaN {}, &[shares])?;
            let zero = self.number(0.0, shares);
            shares = self.one(Where {}, &[blind, zero, shares])?;
        }
        let y = self.one(MatMul::default(), &[shares, v])?;
        if !side_by_side {
            return Ok(y);
        }
        let y = self.one(Transpose { perm: vec![0, 2, 1, 3] }, &[y])?;
        self.reshaped(y, &[batch, s, heads * f])
    }

    /// Three equal parts of the last dimension.
    fn thirds(&mut self, x: ValueId) -> Result<[ValueId; 3], Error> {
        let size = self.dims(x)[2] as i64 / 3;
        let mut part = |i: i64| {
            let (starts, ends) = (vec![i * size], vec![(i + 1) * size]);
            self.one(Slice { starts, ends, axes: vec![2], steps: vec![] }, &[x])
        };
        Ok([part(0)?, part(1)?, part(2)?])
    }

    /// Heads that lie side by side as a dimension of their own.
    fn heads(&mut self, x: ValueId, heads: usize) -> Result<ValueId, Error> {
        let &[batch, rows, columns] = &self.dims(x)[..] else { return Ok(x) };
        let x = self.reshaped(x, &[batch, rows, heads, columns / heads.max(1)])?;
        self.one(Transpose { perm: vec![0, 2, 1, 3] }, &[x])
    }

    /// Each head as often as so many heads of queries share it.
    fn shared(&mut self, x: ValueId, heads: usize) -> Result<ValueId, Error> {
        let &[batch, shared, rows, columns] = &self.dims(x)[..] else { return Err(malformed()) };
        if shared == heads {
            return Ok(x);
        }
        let x = self.reshaped(x, &[batch, shared, 1, rows, columns])?;
        let shape = vec![batch, shared, heads / shared.max(1), rows, columns];
        let x = self.one(Expand { shape }, &[x])?;
        self.reshaped(x, &[batch, heads, rows, columns])
    }
}

fn malformed() -> Error {
    Error::Malformed("expected an attention of heads".into())
}
