//! Convolution.

use super::conv_problem::Problem;
use super::window::{Attributes, AutoPad, Window};
use crate::error::expect_operands;
use crate::op::{Cost, Op};
use crate::tensor_type::float_types;
use crate::{Activation, Compiler, Error, Gradient, OpError, Takes, TensorType};
use onednn::{Attr, PropKind, arg};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tensor::Shape;

/// y\[n, o, i, j\] = b\[o\] + Σ x\[n, c, i·s + p·d − pad, j·s + q·d − pad\] · w\[o, c, p, q\], over the
/// channels c of o's group and the kernel taps (p, q); likewise in one or three dimensions. ONNX
/// `Conv`.
///
/// Shapes: x \[n, ic, h, w\], weights \[oc, ic / group, kh, kw\], bias \[oc\] (optional);
/// y \[n, oc, oh, ow\] with oh = ⌊(h + pads − (kh − 1)·d − 1) / s⌋ + 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Conv {
    /// Size of the kernel; empty takes it from the weights.
    pub kernel_shape: Vec<usize>,
    /// Steps of the window; empty means 1.
    pub strides: Vec<usize>,
    /// Padding before each dimension, then behind each: \[top, left, bottom, right\]; empty
    /// means 0.
    pub pads: Vec<usize>,
    /// Distance of kernel taps; empty means 1.
    pub dilations: Vec<usize>,
    /// Number of groups that channels are split into.
    pub group: usize,
    /// Who decides about the padding; `pads` count if this is `NotSet`.
    pub auto_pad: AutoPad,
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
            auto_pad: AutoPad::NotSet,
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
            ..Conv::default()
        }
    }

    fn problem(&self, src: &Shape, weights: &Shape) -> Result<Problem, OpError> {
        let (&[n, ic, ref spatial @ ..], &[oc, group_ic, ref kernel @ ..]) =
            (src.dims(), weights.dims())
        else {
            return Err(mismatch(src, weights));
        };
        if spatial.len() != kernel.len() {
            return Err(mismatch(src, weights));
        }
        if self.group == 0 || group_ic * self.group != ic || oc % self.group != 0 {
            return Err(OpError::mismatch(
                format!("channels that {} groups divide", self.group),
                format!("{ic} in, {oc} out, weights {weights}"),
                "Choose filters and groups that divide the channels.",
            ));
        }
        if !self.kernel_shape.is_empty() && self.kernel_shape != kernel {
            return Err(OpError::mismatch(
                format!("weights with kernel {:?}", self.kernel_shape),
                weights.to_string(),
                "Give weights of the kernel's shape.",
            ));
        }
        let attributes = Attributes {
            kernel,
            strides: &self.strides,
            dilations: &self.dilations,
            pads: &self.pads,
            auto_pad: self.auto_pad,
            ceil: false,
        };
        let window = Window::new(&attributes, spatial)?;
        Ok(Problem { n, ic, oc, group: self.group, window })
    }
}

fn mismatch(src: &Shape, weights: &Shape) -> OpError {
    OpError::mismatch(
        "src [n, ic, h, w] and weights [oc, ic / group, kh, kw]",
        format!("src {src}, weights {weights}"),
        "Reshape the input to batch, channels, height, width.",
    )
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

    fn takes(&self, _: usize) -> Takes {
        Takes::Bf16
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
            let forward = |product| p.forward(PropKind::ForwardTraining, bias, &attr, product);
            if let Some(pd) = compiler.product(forward)? {
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
            let plane = p.window.plane();
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
                f.apply_all(y);
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

    fn takes(&self, _: usize) -> Takes {
        Takes::Bf16
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let p = self.conv.geometry(&self.src, compiler.src_shape(1));
        if compiler.onednn()
            && let Some(pd) = compiler.product(|product| p.backward_data(product))?
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
pub(super) struct ConvBackwardWeights {
    pub conv: Conv,
    pub weights: Shape,
    pub bias: bool,
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

    fn takes(&self, _: usize) -> Takes {
        Takes::Bf16
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let p = self.conv.geometry(compiler.src_shape(0), &self.weights);
        let bias = self.bias;
        if compiler.onednn()
            && let Some(pd) = compiler.product(|product| p.backward_weights(bias, product))?
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
                let plane = p.window.plane();
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
