//! Softmax and cross-entropy in one: the loss of classifiers.

use crate::error::expect_operands;
use crate::op::{Cost, Op, elementwise_cost};
use crate::tensor_type::float_types;
use crate::{Compiler, Error, Gradient, OpError, TensorType};
use serde::{Deserialize, Serialize};
use tensor::Shape;

/// lossᵢ = log Σⱼ e^xᵢⱼ − xᵢ,label. ONNX `SoftmaxCrossEntropyLoss` without reduction.
///
/// Shapes: logits \[n, classes\], labels \[n\] (class indices from 0, as f32), scale \[1\]: the
/// gradient is seeded with it; loss \[n\] in one output, the probabilities \[n, classes\] in the
/// other.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SoftmaxCrossEntropy {}

impl Op for SoftmaxCrossEntropy {
    fn name(&self) -> &'static str {
        "SoftmaxCrossEntropy"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |src| {
            expect_operands(src, 3..=3)?;
            let (logits, labels) = (src[0], src[1]);
            if logits.rank() != 2 || labels.dims() != [logits.dims()[0]] {
                return Err(OpError::mismatch(
                    "logits [n, classes] and labels [n]",
                    format!("logits {logits}, labels {labels}"),
                    "End the model with a Dense layer of one unit per class.",
                ));
            }
            Ok(vec![labels.clone(), logits.clone()])
        })
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        if g.needs(0) {
            let src = [g.dst(1), g.src(1), g.src(2)];
            let diff = g.emit(SoftmaxCrossEntropyBackward {}, &src)?[0];
            g.set(0, diff);
        }
        Ok(())
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let classes = compiler.src_shape(0).dims()[1];
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            let [loss, probabilities] = dst else { return };
            let rows = src[0].chunks_exact(classes).zip(probabilities.chunks_exact_mut(classes));
            for ((x, p), (loss, &label)) in rows.zip(loss.iter_mut().zip(src[1])) {
                let max = x.iter().fold(f32::NEG_INFINITY, |m, &v| m.max(v));
                let mut sum = 0.0;
                for (p, &x) in p.iter_mut().zip(x) {
                    *p = (x - max).exp();
                    sum += *p;
                }
                p.iter_mut().for_each(|p| *p /= sum);
                *loss = sum.ln() + max - x[label as usize];
            }
        })
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(src, &dst[1..], 4.0)
    }
}

/// dx = (p − one-hot(label)) · scale. Sources: p, labels, scale.
#[derive(Clone, Debug)]
struct SoftmaxCrossEntropyBackward {}

impl Op for SoftmaxCrossEntropyBackward {
    fn name(&self) -> &'static str {
        "SoftmaxCrossEntropyBackward"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |src| Ok(vec![src[0].clone()]))
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let classes = compiler.src_shape(0).dims()[1];
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            let scale = src[2][0];
            let rows = dst[0].chunks_exact_mut(classes).zip(src[0].chunks_exact(classes));
            for ((dx, p), &label) in rows.zip(src[1]) {
                dx.iter_mut().zip(p).for_each(|(dx, p)| *dx = p * scale);
                dx[label as usize] -= scale;
            }
        })
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(src, dst, 2.0)
    }
}
