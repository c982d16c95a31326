//! The loss of regressions.

use crate::error::expect_operands;
use crate::op::{Cost, Op, elementwise_cost};
use crate::tensor_type::float_types;
use crate::{Compiler, Error, Gradient, OpError, TensorType};
use serde::{Deserialize, Serialize};
use tensor::Shape;

/// lossᵢ = (1 / m) Σⱼ (xᵢⱼ − tᵢⱼ)², the mean over the m numbers of a sample.
///
/// Shapes: prediction \[n, …\], target \[n, …\] of as many numbers, scale \[1\]: the gradient is
/// seeded with it; loss \[n\].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MeanSquaredError {}

impl Op for MeanSquaredError {
    fn name(&self) -> &'static str {
        "MeanSquaredError"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |src| {
            expect_operands(src, 3..=3)?;
            let (prediction, target) = (src[0], src[1]);
            let fits = prediction.len() == target.len()
                && prediction.dims().first() == target.dims().first();
            let Some((&n, true)) = prediction.dims().first().map(|n| (n, fits)) else {
                return Err(OpError::mismatch(
                    format!("a target like the prediction {prediction}"),
                    target.to_string(),
                    "Give labels of the model's output length.",
                ));
            };
            Ok(vec![Shape::new(&[n])])
        })
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        if g.needs(0) {
            let src = [g.src(0), g.src(1), g.src(2)];
            let diff = g.emit(MeanSquaredErrorBackward {}, &src)?[0];
            g.set(0, diff);
        }
        Ok(())
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let width = width(compiler.src_shape(0));
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            let rows = src[0].chunks_exact(width).zip(src[1].chunks_exact(width));
            for (loss, (x, t)) in dst[0].iter_mut().zip(rows) {
                let sum: f32 = x.iter().zip(t).map(|(x, t)| (x - t) * (x - t)).sum();
                *loss = sum / width as f32;
            }
        })
    }

    fn cost(&self, src: &[Shape], _: &[Shape]) -> Cost {
        elementwise_cost(src, &src[..1], 3.0)
    }
}

/// Numbers of one sample.
fn width(prediction: &Shape) -> usize {
    prediction.dims()[1..].iter().product::<usize>().max(1)
}

/// dx = (x − t) · 2 · scale / m. Sources: x, t, scale.
#[derive(Clone, Debug)]
struct MeanSquaredErrorBackward {}

impl Op for MeanSquaredErrorBackward {
    fn name(&self) -> &'static str {
        "MeanSquaredErrorBackward"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |src| Ok(vec![src[0].clone()]))
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let width = width(compiler.src_shape(0)) as f32;
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            let factor = 2.0 * src[2][0] / width;
            for (dx, (x, t)) in dst[0].iter_mut().zip(src[0].iter().zip(src[1])) {
                *dx = (x - t) * factor;
            }
        })
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(src, dst, 2.0)
    }
}
