//! New steps of sequences in a cache.

use super::places::Places;
use super::scatter::{ScatterReduction, scatter};
use super::softmax::resolve_axis;
use crate::error::expect_operands;
use crate::op::{Cost, Op, elementwise_cost};
use crate::tensor_type::infer_tensors;
use crate::{Error, Gradient, OpError, TensorType};
use serde::{Deserialize, Serialize};
use tensor::{Data, Shape, Tensor, for_elements};

/// The cache with each sequence's new steps written from its position on. ONNX `TensorScatter`.
///
/// Shapes: cache \[batch, …, steps, …\], update like it with at most as many steps, positions
/// \[batch\] (i64, optional: 0); y like the cache. Steps beyond the end are an error, unless
/// circular.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TensorScatter {
    /// The axis of the steps, not the first; negative counts from the end.
    pub axis: i64,
    /// Go on at the beginning of the cache behind its end.
    pub circular: bool,
}

impl Default for TensorScatter {
    fn default() -> TensorScatter {
        TensorScatter { axis: -2, circular: false }
    }
}

impl TensorScatter {
    fn places(
        &self,
        cache: &Shape,
        update: &Shape,
        positions: Option<&Tensor>,
    ) -> Result<Places, OpError> {
        let axis = resolve_axis(self.axis, cache.rank())?;
        let [steps, new] = [cache, update].map(|shape| shape.dims()[axis]);
        let inside: usize = cache.dims()[1..axis].iter().product();
        let run = cache.dims()[axis + 1..].iter().product();
        let positions = match positions {
            Some(positions) => positions.to_i64s()?,
            None => vec![0; cache.dims()[0]],
        };
        let mut starts = Vec::with_capacity(positions.len() * inside * new);
        for (batch, &position) in positions.iter().enumerate() {
            for i in 0..inside {
                for step in 0..new as i64 {
                    let at = position.saturating_add(step);
                    let at = match self.circular {
                        true => at.rem_euclid(steps.max(1) as i64),
                        false => at,
                    };
                    let at = usize::try_from(at).ok().filter(|&at| at < steps);
                    let at = at.ok_or_else(|| {
                        OpError::mismatch(
                            format!("{new} steps within a cache of {steps}"),
                            format!("position {position}"),
                            "Use a longer cache or a circular one.",
                        )
                    })?;
                    starts.push(((batch * inside + i) * steps + at) * run);
                }
            }
        }
        Ok(Places { starts, run })
    }
}

impl Op for TensorScatter {
    fn name(&self) -> &'static str {
        "TensorScatter"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        expect_operands(src, 2..=3)?;
        let (cache, update) = (src[0], src[1]);
        let axis = resolve_axis(self.axis, cache.shape.rank())?;
        let mut like = update.dims().to_vec();
        let steps = like.get_mut(axis).map(|dim| std::mem::replace(dim, cache.dims()[axis]));
        let fits = axis > 0
            && cache.dtype == update.dtype
            && like == cache.dims()
            && steps.is_some_and(|steps| steps <= cache.dims()[axis])
            && src.get(2).is_none_or(|p| p.dims() == &cache.dims()[..1] && p.dtype.is_integer());
        if !fits {
            let given: Vec<String> = src.iter().map(ToString::to_string).collect();
            return Err(OpError::mismatch(
                format!("cache, update of as many or fewer steps (axis {axis}), positions [batch]"),
                given.join(", "),
                "Match all dimensions but the axis.",
            ));
        }
        Ok(vec![cache.clone()])
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        infer_tensors(self, src)?;
        let places = self.places(src[0].shape(), src[1].shape(), src.get(2).copied())?;
        scatter(&places, ScatterReduction::None, src[0], src[1])
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        let Some(diff) = g.diff_dst(0) else { return Ok(()) };
        let update = g.tensor_type(g.src(1));
        let positions = (2..g.sources()).map(|i| g.src(i)).collect::<Vec<_>>();
        if g.needs(0) {
            let zeros = g.constant(Tensor::zeros(update.dtype, update.shape.clone()));
            let src = [&[diff, zeros], &positions[..]].concat();
            let rest = g.emit(self.clone(), &src)?[0];
            g.set(0, rest);
        }
        if g.needs(1) {
            let op = TensorScatterBackward { op: self.clone(), update: update.shape };
            let taken = g.emit(op, &[&[diff], &positions[..]].concat())?[0];
            g.set(1, taken);
        }
        Ok(())
    }

    fn takes_empty(&self) -> bool {
        true
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(src, dst, 0.0)
    }
}

/// The gradient of the update: what was written. Sources: dy, positions.
#[derive(Clone, Debug)]
struct TensorScatterBackward {
    op: TensorScatter,
    update: Shape,
}

impl Op for TensorScatterBackward {
    fn name(&self) -> &'static str {
        "TensorScatterBackward"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        Ok(vec![src[0].with_shape(self.update.clone())])
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        let places = self.op.places(src[0].shape(), &self.update, src.get(1).copied())?;
        let taken = for_elements!(Data, src[0].data(), x => Data::from(places.take(x)));
        Ok(vec![Tensor::new(self.update.clone(), taken)?])
    }
}
