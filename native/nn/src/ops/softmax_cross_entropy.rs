//! Softmax and cross-entropy in one: the loss of classifiers.

use crate::error::expect_operands;
use crate::op::{Cost, Op, elementwise_cost};
use crate::tensor_type::float_types;
use crate::{Compiler, Error, Gradient, OpError, TensorType};
use serde::{Deserialize, Serialize};
use tensor::math::{self, sum};
use tensor::{Shape, vectorized};

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
            forward(classes, src[0], src[1], loss, probabilities);
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
            backward(classes, src[0], src[1], src[2][0], dst[0]);
        })
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(src, dst, 2.0)
    }
}

/// Numbers whose exponentials are taken at a time.
const BLOCK: usize = 2048;

vectorized! {
    fn forward(
        classes: usize,
        logits: &[f32],
        labels: &[f32],
        losses: &mut [f32],
        probabilities: &mut [f32],
    ) {
        // Exponentials of many short rows at once.
        let block = (BLOCK / classes.max(1)).max(1);
        let blocks = logits.chunks(block * classes).zip(probabilities.chunks_mut(block * classes));
        for (n, (x, p)) in blocks.enumerate() {
            for (x, p) in x.chunks_exact(classes).zip(p.chunks_exact_mut(classes)) {
                let max = math::max(x);
                p.iter_mut().zip(x).for_each(|(p, &x)| *p = x - max);
            }
            let rows = n * block..n * block + x.len() / classes;
            let (losses, labels) = (&mut losses[rows.clone()], &labels[rows]);
            for ((p, loss), &label) in p.chunks_exact(classes).zip(&mut *losses).zip(labels) {
                *loss = p[label as usize];
            }
            p.iter_mut().for_each(|p| *p = math::exp(*p));
            for (p, loss) in p.chunks_exact_mut(classes).zip(losses) {
                let total = sum([p], |[p]| p);
                let factor = 1.0 / total;
                p.iter_mut().for_each(|p| *p *= factor);
                // Of a sure and right prediction the difference is 0: the logarithm keeps its digits.
                *loss = total.ln() - *loss;
            }
        }
    }

    fn backward(classes: usize, p: &[f32], labels: &[f32], scale: f32, dx: &mut [f32]) {
        let rows = dx.chunks_exact_mut(classes).zip(p.chunks_exact(classes));
        for ((dx, p), &label) in rows.zip(labels) {
            dx.iter_mut().zip(p).for_each(|(dx, p)| *dx = p * scale);
            dx[label as usize] -= scale;
        }
    }
}
