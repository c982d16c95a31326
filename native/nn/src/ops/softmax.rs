//! Softmax.

use crate::error::expect_operands;
use crate::op::{Cost, Op, elementwise_cost};
use crate::tensor_type::float_types;
use crate::{Compiler, Error, Gradient, OpError, TensorType};
use onednn::ops::softmax;
use onednn::{Attr, MemoryDesc, PrimitiveDesc, PropKind, arg};
use serde::{Deserialize, Serialize};
use tensor::Shape;

/// y = e^x / Σ e^x along one axis. ONNX `Softmax`. Shapes: x any, y the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Softmax {
    /// The axis that sums to 1; negative counts from the end.
    pub axis: i64,
}

impl Default for Softmax {
    fn default() -> Softmax {
        Softmax { axis: -1 }
    }
}

impl Op for Softmax {
    fn name(&self) -> &'static str {
        "Softmax"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |src| infer(src, self.axis))
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        differentiate(Form { axis: self.axis, log: false }, g)
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        Form { axis: self.axis, log: false }.compile(compiler)
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(src, dst, 4.0)
    }
}

/// One axis exists and is the only operand's.
pub(super) fn infer(src: &[&Shape], axis: i64) -> Result<Vec<Shape>, OpError> {
    expect_operands(src, 1..=1)?;
    resolve_axis(axis, src[0].rank())?;
    Ok(vec![src[0].clone()])
}

/// Index of an axis that may count from the end.
pub(super) fn resolve_axis(axis: i64, rank: usize) -> Result<usize, OpError> {
    let index = if axis < 0 { axis + rank as i64 } else { axis };
    usize::try_from(index).ok().filter(|&i| i < rank).ok_or_else(|| {
        OpError::mismatch(
            format!("an axis of {rank} dimensions"),
            format!("axis {axis}"),
            "Count axes from 0, or from −1 at the end.",
        )
    })
}

/// Softmax or its logarithm.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    pub axis: i64,
    pub log: bool,
}

pub(super) fn differentiate(form: Form, g: &mut Gradient<'_>) -> Result<(), Error> {
    if let (Some(diff), true) = (g.diff_dst(0), g.needs(0)) {
        let y = g.dst(0);
        let diff = g.emit(SoftmaxBackward(form), &[y, diff])?[0];
        g.set(0, diff);
    }
    Ok(())
}

impl Form {
    fn config(&self, shape: &Shape) -> softmax::Config {
        let axis = resolve_axis(self.axis, shape.rank()).expect("checked by infer");
        let algorithm =
            if self.log { softmax::Algorithm::Log } else { softmax::Algorithm::Accurate };
        softmax::Config { algorithm, axis }
    }

    fn descriptor(&self, shape: &Shape, md: &MemoryDesc) -> Result<PrimitiveDesc, onednn::Error> {
        let config = self.config(shape);
        softmax::forward(PropKind::ForwardTraining, md, md, &config, &Attr::new())
    }

    /// Outer, axis and inner extents.
    fn extents(&self, shape: &Shape) -> [usize; 3] {
        let axis = self.config(shape).axis;
        let dims = shape.dims();
        let product = |d: &[usize]| d.iter().product::<usize>();
        [product(&dims[..axis]), dims[axis], product(&dims[axis + 1..])]
    }

    pub(super) fn compile(self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let shape = compiler.src_shape(0).clone();
        if compiler.onednn() {
            let md = compiler.plain(&shape)?;
            if let Some(pd) = compiler.offered(self.descriptor(&shape, &md))? {
                return compiler.primitive(&pd, &[(0, arg::SRC, md.clone())], &[(0, arg::DST, md)]);
            }
        }
        let [outer, n, inner] = self.extents(&shape);
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            for row in 0..outer * inner {
                let at = |i: usize| (row / inner * n + i) * inner + row % inner;
                let max = (0..n).fold(f32::NEG_INFINITY, |m, i| m.max(src[0][at(i)]));
                let sum: f32 = (0..n).map(|i| (src[0][at(i)] - max).exp()).sum();
                for i in 0..n {
                    let x = src[0][at(i)] - max;
                    dst[0][at(i)] = if self.log { x - sum.ln() } else { x.exp() / sum };
                }
            }
        })
    }
}

/// dx = y · (dy − Σ dy·y), or dy − e^y · Σ dy for the logarithm. Sources: y, dy.
#[derive(Clone, Debug)]
pub(super) struct SoftmaxBackward(pub Form);

impl Op for SoftmaxBackward {
    fn name(&self) -> &'static str {
        "SoftmaxBackward"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |src| Ok(vec![src[0].clone()]))
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let form = self.0;
        let shape = compiler.src_shape(0).clone();
        if compiler.onednn() {
            let md = compiler.plain(&shape)?;
            let hint = compiler.check(form.descriptor(&shape, &md))?;
            let pd = softmax::backward(&md, &md, &md, &form.config(&shape), &hint);
            if let Some(pd) = compiler.offered(pd)? {
                let src = [(0, arg::DST, md.clone()), (1, arg::DIFF_DST, md.clone())];
                return compiler.primitive(&pd, &src, &[(0, arg::DIFF_SRC, md)]);
            }
        }
        let [outer, n, inner] = form.extents(&shape);
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            let (y, dy) = (src[0], src[1]);
            for row in 0..outer * inner {
                let at = |i: usize| (row / inner * n + i) * inner + row % inner;
                let weight = |i: usize| if form.log { 1.0 } else { y[at(i)] };
                let sum: f32 = (0..n).map(|i| dy[at(i)] * weight(i)).sum();
                for i in (0..n).map(at) {
                    dst[0][i] =
                        if form.log { dy[i] - y[i].exp() * sum } else { y[i] * (dy[i] - sum) };
                }
            }
        })
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(src, dst, 4.0)
    }
}
