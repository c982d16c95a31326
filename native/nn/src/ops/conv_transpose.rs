//! Transposed convolution.

use super::conv::{Conv, ConvBackwardWeights};
use super::conv_problem::Problem;
use super::reshape::Reshape;
use super::sum_to::SumTo;
use super::window::{Attributes, AutoPad, SPATIAL, Window};
use crate::error::expect_operands;
use crate::op::{Cost, Op};
use crate::tensor_type::float_types;
use crate::{Compiler, Error, Gradient, OpError, Product, Takes, TensorType};
use onednn::ops::deconvolution;
use onednn::{Attr, DataType, MemoryDesc, PropKind, arg};
use serde::{Deserialize, Serialize};
use tensor::Shape;

/// y\[n, o, i·s + p·d − pad, j·s + q·d − pad\] = b\[o\] + Σ x\[n, c, i, j\] · w\[c, o, p, q\] over the
/// channels c of o's group and all (i, p), (j, q) that meet there; likewise in one or three
/// dimensions. It is the gradient by the source of a [`Conv`] with the same settings. ONNX
/// `ConvTranspose`.
///
/// Shapes: x \[n, ic, h, w\], weights \[ic, oc / group, kh, kw\], bias \[oc\] (optional);
/// y \[n, oc, oh, ow\] with oh = (h − 1)·s + (kh − 1)·d + 1 + output_padding − pads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConvTranspose {
    /// Size of the kernel; empty takes it from the weights.
    pub kernel_shape: Vec<usize>,
    /// Distance of the places to which neighbours in x go; empty means 1.
    pub strides: Vec<usize>,
    /// What is cut off before each dimension, then behind each; empty means 0.
    pub pads: Vec<usize>,
    /// Distance of kernel taps; empty means 1.
    pub dilations: Vec<usize>,
    /// Number of groups that channels are split into.
    pub group: usize,
    /// Who decides about the padding; `SameUpper` and `SameLower` make y the stride's multiple of x.
    pub auto_pad: AutoPad,
    /// Places added behind, fewer than the stride or the dilation; empty means 0.
    pub output_padding: Vec<usize>,
    /// Spatial shape of y, from which the padding follows; empty computes it.
    pub output_shape: Vec<usize>,
}

impl Default for ConvTranspose {
    fn default() -> ConvTranspose {
        ConvTranspose {
            kernel_shape: vec![],
            strides: vec![],
            pads: vec![],
            dilations: vec![],
            group: 1,
            auto_pad: AutoPad::NotSet,
            output_padding: vec![],
            output_shape: vec![],
        }
    }
}

impl ConvTranspose {
    /// The convolution from y to x.
    fn problem(&self, x: &Shape, weights: &Shape) -> Result<Problem, OpError> {
        let mismatch = || {
            OpError::mismatch(
                "src [n, ic, h, w] and weights [ic, oc / group, kh, kw]",
                format!("src {x}, weights {weights}"),
                "Reshape the input to batch, channels, height, width.",
            )
        };
        let (&[n, ic, ref spatial @ ..], &[weights_ic, oc, ref kernel @ ..]) =
            (x.dims(), weights.dims())
        else {
            return Err(mismatch());
        };
        if spatial.len() != kernel.len() {
            return Err(mismatch());
        }
        if self.group == 0 || ic != weights_ic || ic % self.group != 0 {
            return Err(OpError::mismatch(
                format!("channels as in the weights that {} groups divide", self.group),
                format!("{ic} in, weights {weights}"),
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
        let window = self.window(kernel, spatial)?;
        Ok(Problem { n, ic: oc * self.group, oc: ic, group: self.group, window })
    }

    /// The window that slides over y.
    fn window(&self, kernel: &[usize], x: &[usize]) -> Result<Window, OpError> {
        let attributes = Attributes {
            kernel,
            strides: &self.strides,
            dilations: &self.dilations,
            pads: &self.pads,
            ..Attributes::default()
        };
        // Checks the lists, and gives the pads if they are what counts.
        let mut window = Window::padded(&attributes, x)?;
        let rank = x.len();
        for list in [&self.output_padding, &self.output_shape] {
            if !list.is_empty() && list.len() != rank {
                return Err(OpError::mismatch(
                    format!("output_padding and output_shape for {rank} spatial dimensions"),
                    format!("{list:?}"),
                    "Give one number per spatial dimension.",
                ));
            }
        }
        (window.dst, window.src) = (window.src, [1; SPATIAL]);
        for (i, d) in (SPATIAL - rank..SPATIAL).enumerate() {
            let (size, stride) = (window.dst[d], window.strides[d]);
            let added = self.output_padding.get(i).copied().unwrap_or(0);
            let whole = (size.max(1) - 1) * stride + window.extent(d) + added;
            let asked = match self.auto_pad {
                _ if !self.output_shape.is_empty() => Some(self.output_shape[i]),
                AutoPad::SameUpper | AutoPad::SameLower => Some(size * stride),
                AutoPad::Valid | AutoPad::NotSet => None,
            };
            if asked.is_some() || self.auto_pad == AutoPad::Valid {
                let total = asked.map_or(0, |asked| whole.saturating_sub(asked));
                window.share(d, total, self.auto_pad);
            }
            let cut = window.pads[0][d] + window.pads[1][d];
            let Some(out) = asked.or(whole.checked_sub(cut)) else {
                return Err(OpError::mismatch(
                    format!("pads of at most {whole} in all"),
                    format!("pads {:?}", self.pads),
                    "Cut off less.",
                ));
            };
            // A convolution of more would see another window.
            if out + cut >= whole - added + stride {
                return Err(OpError::mismatch(
                    format!("less than the stride {stride} added behind"),
                    format!("size {out} of at least {}", (whole - added).saturating_sub(cut)),
                    "Choose a smaller output_padding or output_shape.",
                ));
            }
            window.src[d] = out;
        }
        Ok(window)
    }

    /// The sizes of shapes that `infer` accepted.
    fn geometry(&self, x: &Shape, weights: &Shape) -> Problem {
        self.problem(x, weights).expect("shapes were checked when the node was added")
    }

    /// The convolution of which this is the gradient.
    fn conv(&self, p: &Problem) -> Conv {
        let w = &p.window;
        let pads = [w.of(&w.pads[0]), w.of(&w.padding_behind())].concat();
        let [kernel, strides, dilations] = [&w.kernel, &w.strides, &w.dilations].map(|l| w.of(l));
        Conv::new(kernel, strides, &pads, dilations, self.group)
    }
}

impl Op for ConvTranspose {
    fn name(&self) -> &'static str {
        "ConvTranspose"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |src| {
            expect_operands(src, 2..=3)?;
            let p = self.problem(src[0], src[1])?;
            if let Some(bias) = src.get(2).filter(|b| b.dims() != [p.ic]) {
                return Err(OpError::mismatch(
                    format!("bias [{}]", p.ic),
                    bias.to_string(),
                    "Give one bias per filter.",
                ));
            }
            Ok(vec![p.src_shape()])
        })
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        let Some(diff) = g.diff_dst(0) else { return Ok(()) };
        let (x, w) = (g.src(0), g.src(1));
        let (src, weights) = (g.shape(x), g.shape(w));
        let p = self.geometry(&src, &weights);
        let conv = self.conv(&p);
        if g.needs(0) {
            let dx = g.emit(conv.clone(), &[diff, w])?[0];
            g.set(0, dx);
        }
        if g.needs(1) {
            let op = ConvBackwardWeights { conv, weights, bias: false };
            let dw = g.emit(op, &[diff, x])?[0];
            g.set(1, dw);
        }
        if g.needs(2) {
            let mut dims = vec![1; 1 + p.window.rank];
            dims[0] = p.ic;
            let sum = g.emit(SumTo { shape: dims.into() }, &[diff])?[0];
            let db = g.emit(Reshape { shape: vec![p.ic as i64] }, &[sum])?[0];
            g.set(2, db);
        }
        Ok(())
    }

    fn takes(&self, _: usize) -> Takes {
        Takes::Bf16
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let p = self.geometry(compiler.src_shape(0), compiler.src_shape(1));
        let bias = compiler.sources() == 3;
        if compiler.onednn() {
            let mut config = p.config();
            // oneDNN rounds down as ONNX does: what is added behind y is no padding.
            config.padding_r = p.window.of(&p.window.pads[1]).to_vec();
            let describe = |product| {
                let [x, weights, b, y] = tensors(&p, product)?;
                let (prop, bias) = (PropKind::ForwardTraining, bias.then_some(&b));
                deconvolution::forward(prop, &x, &weights, bias, &y, &config, &Attr::new())
            };
            if let Some(pd) = compiler.product(describe)? {
                let from = compiler.check(as_given(&p))?;
                let mut src = vec![(0, arg::SRC, pd.src_md(0))];
                if bias {
                    src.push((2, arg::BIAS, pd.weights_md(1)));
                }
                let weights = (1, arg::WEIGHTS, from, pd.weights_md(0));
                return compiler.primitive_seeing(&pd, &src, weights, (0, arg::DST, pd.dst_md(0)));
            }
        }
        let plane = p.window.src.iter().product::<usize>().max(1);
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            for (i, y) in dst[0].chunks_exact_mut(plane).enumerate() {
                y.fill(if bias { src[2][i % p.ic] } else { 0.0 });
            }
            p.rows(|row| {
                let w = src[1][row.weight];
                let y = dst[0][row.src..].iter_mut().step_by(row.stride);
                src[0][row.dst..row.dst + row.len].iter().zip(y).for_each(|(x, y)| *y += w * x);
            });
        })
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        let p = self.geometry(&src[0], &src[1]);
        let taps = (src[1].len() / p.oc) as f64;
        let bytes = src.iter().chain(dst).map(|s| s.bytes() as f64).sum();
        Cost { flops: 2.0 * taps * src[0].len() as f64, bytes }
    }
}

/// Sizes of oneDNN's weights: \[groups, out, in, …\], the groups only if there are several.
fn weights_dims(p: &Problem) -> Vec<usize> {
    let (out, ic) = (p.ic / p.group, p.oc / p.group);
    let channels: &[usize] = if p.group == 1 { &[out, ic] } else { &[p.group, out, ic] };
    [channels, p.window.of(&p.window.kernel)].concat()
}

/// x, weights, bias and y, in the layouts that oneDNN likes best.
fn tensors(
    p: &Problem,
    Product { factors, result }: Product,
) -> Result<[MemoryDesc; 4], onednn::Error> {
    let bias = MemoryDesc::plain(&[p.ic], DataType::F32)?;
    let x = MemoryDesc::any(p.dst_shape().dims(), factors)?;
    let weights = MemoryDesc::any(&weights_dims(p), factors)?;
    Ok([x, weights, bias, MemoryDesc::any(p.src_shape().dims(), result)?])
}

/// The row-major \[in, out / group, …\] of ONNX under oneDNN's sizes.
fn as_given(p: &Problem) -> Result<MemoryDesc, onednn::Error> {
    let dims = weights_dims(p);
    let mut strides = Shape::from(dims.clone()).strides();
    let channels = dims.len() - p.window.rank;
    let taps = p.window.taps();
    let out = p.ic / p.group;
    (strides[channels - 2], strides[channels - 1]) = (taps, out * taps);
    if p.group > 1 {
        strides[0] = p.oc / p.group * out * taps;
    }
    MemoryDesc::strided(&dims, &strides, DataType::F32)
}
