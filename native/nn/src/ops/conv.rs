//! Convolution.

use super::window::Window;
use crate::error::expect_operands;
use crate::op::{Cost, Op};
use crate::tensor_type::float_types;
use crate::{Activation, Compiler, Error, Gradient, OpError, TensorType};
use onednn::ops::convolution;
use onednn::{Attr, DataType, MemoryDesc, PrimitiveDesc, PropKind, arg};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tensor::Shape;

/// y\[n, o, i, j\] = b\[o\] + Σ x\[n, c, i·s + p·d − pad, j·s + q·d − pad\] · w\[o, c, p, q\], over the
/// channels c of o's group and the kernel taps (p, q). ONNX `Conv` in two dimensions.
///
/// Shapes: x \[n, ic, h, w\], weights \[oc, ic / group, kh, kw\], bias \[oc\] (optional);
/// y \[n, oc, oh, ow\] with oh = ⌊(h + pads − (kh − 1)·d − 1) / s⌋ + 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Conv {
    /// Kernel height and width; empty takes them from the weights.
    pub kernel_shape: Vec<usize>,
    /// Steps of the window; empty means 1.
    pub strides: Vec<usize>,
    /// Padding \[top, left, bottom, right\]; empty means 0.
    pub pads: Vec<usize>,
    /// Distance of kernel taps; empty means 1.
    pub dilations: Vec<usize>,
    /// Number of groups that channels are split into.
    pub group: usize,
    /// Activation fused behind the sum.
    #[serde(skip)]
    pub(crate) activation: Option<Activation>,
    /// The last source, shaped like y, is added before the activation.
    #[serde(skip)]
    sum: bool,
}

impl Default for Conv {
    fn default() -> Conv {
        Conv {
            kernel_shape: vec![],
            strides: vec![],
            pads: vec![],
            dilations: vec![],
            group: 1,
            activation: None,
            sum: false,
        }
    }
}

impl Conv {
    /// Convolution with these ONNX attributes.
    pub fn new(
        kernel_shape: &[usize],
        strides: &[usize],
        pads: &[usize],
        dilations: &[usize],
        group: usize,
    ) -> Conv {
        Conv {
            kernel_shape: kernel_shape.to_vec(),
            strides: strides.to_vec(),
            pads: pads.to_vec(),
            dilations: dilations.to_vec(),
            group,
            activation: None,
            sum: false,
        }
    }

    fn problem(&self, src: &Shape, weights: &Shape) -> Result<Problem, OpError> {
        let (&[n, ic, h, w], &[oc, group_ic, kh, kw]) = (src.dims(), weights.dims()) else {
            return Err(OpError::mismatch(
                "src [n, ic, h, w] and weights [oc, ic / group, kh, kw]",
                format!("src {src}, weights {weights}"),
                "Reshape the input to batch, channels, height, width.",
            ));
        };
        if self.group == 0 || group_ic * self.group != ic || oc % self.group != 0 {
            return Err(OpError::mismatch(
                format!("channels that {} groups divide", self.group),
                format!("{ic} in, {oc} out, weights {weights}"),
                "Choose filters and groups that divide the channels.",
            ));
        }
        if !self.kernel_shape.is_empty() && self.kernel_shape != [kh, kw] {
            return Err(OpError::mismatch(
                format!("weights with kernel {:?}", self.kernel_shape),
                weights.to_string(),
                "Give weights of the kernel's shape.",
            ));
        }
        let window = Window::new(&[kh, kw], &self.strides, &self.dilations, &self.pads)?;
        let [oh, ow] = window.output(src, false)?;
        Ok(Problem { n, ic, oc, group: self.group, src: [h, w], dst: [oh, ow], window })
    }
}

impl Op for Conv {
    fn name(&self) -> &'static str {
        "Conv"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |src| {
            expect_operands(src, 2..=3)?;
            let p = self.problem(src[0], src[1])?;
            if let Some(bias) = src.get(2).filter(|b| b.dims() != [p.oc]) {
                return Err(OpError::mismatch(
                    format!("bias [{}]", p.oc),
                    bias.to_string(),
                    "Give one bias per filter.",
                ));
            }
            Ok(vec![p.dst_shape()])
        })
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        let Some(diff) = g.diff_dst(0) else { return Ok(()) };
        let (x, w) = (g.src(0), g.src(1));
        let (src, weights) = (g.shape(x), g.shape(w));
        if g.needs(1) || g.needs(2) {
            let bias = g.sources() == 3;
            let op = ConvBackwardWeights { conv: self.clone(), weights, bias };
            let grads = g.emit(op, &[x, diff])?;
            g.set(1, grads[0]);
            if bias {
                g.set(2, grads[1]);
            }
        }
        if g.needs(0) {
            let dx = g.emit(ConvBackwardData { conv: self.clone(), src }, &[diff, w])?[0];
            g.set(0, dx);
        }
        Ok(())
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let (src, weights) = (compiler.src_shape(0), compiler.src_shape(1));
        let (sum, activation) = (self.sum, self.activation);
        let bias = compiler.sources() - usize::from(sum) == 3;
        let p = self.geometry(src, weights);
        if compiler.onednn() {
            let mut attr = if sum { Attr::new().sum(1.0) } else { Attr::new() };
            if let Some(f) = activation {
                attr = attr.eltwise(f.algorithm(), 0.0, 0.0);
            }
            let pd = p.forward(PropKind::ForwardTraining, bias, &attr);
            if let Some(pd) = compiler.offered(pd)? {
                let mut operands =
                    vec![(0, arg::SRC, pd.src_md(0)), (1, arg::WEIGHTS, pd.weights_md(0))];
                if bias {
                    operands.push((2, arg::BIAS, pd.weights_md(1)));
                }
                let dst = (0, arg::DST, pd.dst_md(0));
                return match sum {
                    true => compiler.primitive_onto(&pd, &operands, 2 + usize::from(bias), dst),
                    false => compiler.primitive(&pd, &operands, &[dst]),
                };
            }
        }
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            let y = &mut *dst[0];
            let plane = p.dst[0] * p.dst[1];
            for (i, plane) in y.chunks_exact_mut(plane.max(1)).enumerate() {
                plane.fill(if bias { src[2][i % p.oc] } else { 0.0 });
            }
            if sum {
                y.iter_mut().zip(src[src.len() - 1]).for_each(|(y, s)| *y += s);
            }
            p.rows(|row| {
                let w = src[1][row.weight];
                let x = src[0][row.src..].iter().step_by(row.stride);
                for (y, &x) in y[row.dst..row.dst + row.len].iter_mut().zip(x) {
                    *y += w * x;
                }
            });
            if let Some(f) = activation {
                y.iter_mut().for_each(|y| *y = f.apply(*y));
            }
        })
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        self.cost_of(&src[0], &src[1], &[&src[0], &src[1], &dst[0]])
    }

    fn with_activation(&self, activation: Activation) -> Option<Arc<dyn Op>> {
        let fused = Conv { activation: Some(activation), ..self.clone() };
        self.activation.is_none().then(|| Arc::new(fused) as Arc<dyn Op>)
    }

    fn with_sum(&self) -> Option<Arc<dyn Op>> {
        let fused = Conv { sum: true, ..self.clone() };
        (!self.sum && self.activation.is_none()).then(|| Arc::new(fused) as Arc<dyn Op>)
    }

    fn channels_of_weights(&self, _src: &[&Shape]) -> Option<usize> {
        (!self.sum && self.activation.is_none()).then_some(0)
    }
}

impl Conv {
    /// The problem of shapes that `infer` accepted.
    fn geometry(&self, src: &Shape, weights: &Shape) -> Problem {
        self.problem(src, weights).expect("shapes were checked when the node was added")
    }

    fn cost_of(&self, src: &Shape, weights: &Shape, operands: &[&Shape]) -> Cost {
        let p = self.geometry(src, weights);
        let taps = (weights.len() / p.oc) as f64;
        let bytes = operands.iter().map(|s| s.bytes() as f64).sum();
        Cost { flops: 2.0 * taps * p.dst_shape().len() as f64, bytes }
    }
}

/// dx of a convolution. Sources: dy, weights.
#[derive(Clone, Debug)]
struct ConvBackwardData {
    conv: Conv,
    src: Shape,
}

impl Op for ConvBackwardData {
    fn name(&self) -> &'static str {
        "ConvBackwardData"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |_| Ok(vec![self.src.clone()]))
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let p = self.conv.geometry(&self.src, compiler.src_shape(1));
        if compiler.onednn()
            && let Some(pd) = compiler.offered(p.backward_data())?
        {
            let src = [(0, arg::DIFF_DST, pd.diff_dst_md()), (1, arg::WEIGHTS, pd.weights_md(0))];
            return compiler.primitive(&pd, &src, &[(0, arg::DIFF_SRC, pd.diff_src_md())]);
        }
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            dst[0].fill(0.0);
            p.rows(|row| {
                let w = src[1][row.weight];
                let dx = dst[0][row.src..].iter_mut().step_by(row.stride);
                for (&dy, dx) in src[0][row.dst..row.dst + row.len].iter().zip(dx) {
                    *dx += w * dy;
                }
            });
        })
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        self.conv.cost_of(&self.src, &src[1], &[&src[0], &src[1], &dst[0]])
    }
}

/// dw and db of a convolution. Sources: x, dy.
#[derive(Clone, Debug)]
struct ConvBackwardWeights {
    conv: Conv,
    weights: Shape,
    bias: bool,
}

impl Op for ConvBackwardWeights {
    fn name(&self) -> &'static str {
        "ConvBackwardWeights"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |_| {
            let mut shapes = vec![self.weights.clone()];
            if self.bias {
                shapes.push(Shape::new(&[self.weights.dims()[0]]));
            }
            Ok(shapes)
        })
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let p = self.conv.geometry(compiler.src_shape(0), &self.weights);
        let bias = self.bias;
        if compiler.onednn()
            && let Some(pd) = compiler.offered(p.backward_weights(bias))?
        {
            let src = [(0, arg::SRC, pd.src_md(0)), (1, arg::DIFF_DST, pd.diff_dst_md())];
            let mut dst = vec![(0, arg::DIFF_WEIGHTS, pd.diff_weights_md(0))];
            if bias {
                dst.push((1, arg::DIFF_BIAS, pd.diff_weights_md(1)));
            }
            return compiler.primitive(&pd, &src, &dst);
        }
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            dst[0].fill(0.0);
            p.rows(|row| {
                let x = src[0][row.src..].iter().step_by(row.stride);
                let dy = &src[1][row.dst..row.dst + row.len];
                dst[0][row.weight] += dy.iter().zip(x).map(|(dy, x)| dy * x).sum::<f32>();
            });
            if bias {
                dst[1].fill(0.0);
                let plane = p.dst[0] * p.dst[1];
                for (i, plane) in src[1].chunks_exact(plane.max(1)).enumerate() {
                    dst[1][i % p.oc] += plane.iter().sum::<f32>();
                }
            }
        })
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        self.conv.cost_of(&src[0], &self.weights, &[&src[0], &src[1], &dst[0]])
    }
}

/// A convolution with all its sizes.
#[derive(Clone, Copy, Debug)]
struct Problem {
    n: usize,
    ic: usize,
    oc: usize,
    group: usize,
    src: [usize; 2],
    dst: [usize; 2],
    window: Window,
}

/// One kernel tap along one row of the result: the result at `dst..dst + len` meets the source at
/// `src`, `src + stride`, … through weight `weight`.
struct Row {
    weight: usize,
    src: usize,
    dst: usize,
    len: usize,
    stride: usize,
}

impl Problem {
    fn dst_shape(&self) -> Shape {
        Shape::new(&[self.n, self.oc, self.dst[0], self.dst[1]])
    }

    /// Visits every multiplication of the convolution, a row at a time, in a fixed order.
    fn rows(&self, mut visit: impl FnMut(Row)) {
        let [kh, kw] = self.window.kernel;
        let ([h, w], [oh, ow]) = (self.src, self.dst);
        let (ic, oc) = (self.ic / self.group, self.oc / self.group);
        for plane in 0..self.n * self.oc {
            let (n, o) = (plane / self.oc, plane % self.oc);
            for c in 0..ic {
                let src_plane = (n * self.ic + o / oc * ic + c) * h;
                for tap in 0..kh * kw {
                    let (p, q) = (tap / kw, tap % kw);
                    let (top, bottom, y) = self.window.taps(0, p, h, oh);
                    let (left, right, x) = self.window.taps(1, q, w, ow);
                    for i in top..bottom {
                        let line = src_plane + y + (i - top) * self.window.strides[0];
                        visit(Row {
                            weight: (o * ic + c) * kh * kw + tap,
                            src: line * w + x,
                            dst: (plane * oh + i) * ow + left,
                            len: right - left,
                            stride: self.window.strides[1],
                        });
                    }
                }
            }
        }
    }

    fn config(&self) -> convolution::Config {
        let src = Shape::new(&[self.n, self.ic, self.src[0], self.src[1]]);
        convolution::Config {
            strides: self.window.strides.to_vec(),
            dilations: self.window.dilations.to_vec(),
            padding_l: self.window.pads[0].to_vec(),
            padding_r: self.window.padding_behind(&src, self.dst).to_vec(),
        }
    }

    /// Source, weights, bias and destination, in the layouts that oneDNN likes best.
    fn tensors(&self) -> Result<[MemoryDesc; 4], onednn::Error> {
        let any = |dims: &[usize]| MemoryDesc::any(dims, DataType::F32);
        let [kh, kw] = self.window.kernel;
        let (ic, oc) = (self.ic / self.group, self.oc / self.group);
        let weights = if self.group == 1 {
            any(&[oc, ic, kh, kw])?
        } else {
            any(&[self.group, oc, ic, kh, kw])?
        };
        let src = any(&[self.n, self.ic, self.src[0], self.src[1]])?;
        let bias = MemoryDesc::plain(&[self.oc], DataType::F32)?;
        Ok([src, weights, bias, any(self.dst_shape().dims())?])
    }

    fn forward(
        &self,
        prop: PropKind,
        bias: bool,
        attr: &Attr,
    ) -> Result<PrimitiveDesc, onednn::Error> {
        let [src, weights, b, dst] = self.tensors()?;
        let bias = bias.then_some(&b);
        convolution::forward(prop, &src, &weights, bias, &dst, &self.config(), attr)
    }

    fn backward_data(&self) -> Result<PrimitiveDesc, onednn::Error> {
        let [src, weights, _, dst] = self.tensors()?;
        let hint = self.forward(PropKind::ForwardTraining, false, &Attr::new())?;
        convolution::backward_data(&src, &weights, &dst, &self.config(), &hint)
    }

    fn backward_weights(&self, bias: bool) -> Result<PrimitiveDesc, onednn::Error> {
        let [src, weights, b, dst] = self.tensors()?;
        let hint = self.forward(PropKind::ForwardTraining, bias, &Attr::new())?;
        let bias = bias.then_some(&b);
        convolution::backward_weights(&src, &weights, bias, &dst, &self.config(), &hint)
    }
}
