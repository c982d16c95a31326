//! Normalization by neighbouring channels.

use crate::error::expect_operands;
use crate::op::{Cost, Op, elementwise_cost};
use crate::tensor_type::float_types;
use crate::{Compiler, Error, Gradient, OpError, TensorType};
use onednn::ops::lrn;
use onednn::{Attr, MemoryDesc, PrimitiveDesc, PropKind, arg};
use serde::{Deserialize, Serialize};
use tensor::Shape;

/// y\[n, c, …\] = x\[n, c, …\] · (bias + alpha / size · Σ x\[n, c', …\]²)^−beta, summed over the `size`
/// channels c' from c − ⌊(size − 1) / 2⌋ to c + ⌈(size − 1) / 2⌉ that exist. ONNX `LRN`.
///
/// Shapes: x \[n, c, …\]; y the same. The second value that this op gives is what its gradient
/// needs, in a form that only the gradient understands.
///
/// A. Krizhevsky, I. Sutskever, G. E. Hinton: "ImageNet classification with deep convolutional
/// neural networks", NIPS 2012.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LRN {
    /// Number of channels that are summed over.
    pub size: usize,
    /// Factor of the mean square.
    pub alpha: f32,
    /// Exponent.
    pub beta: f32,
    /// Summand; above 0.
    pub bias: f32,
}

impl Default for LRN {
    fn default() -> LRN {
        LRN { size: 5, alpha: 1e-4, beta: 0.75, bias: 1.0 }
    }
}

impl Op for LRN {
    fn name(&self) -> &'static str {
        "LRN"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |src| {
            expect_operands(src, 1..=1)?;
            if src[0].rank() < 2 || self.size == 0 {
                return Err(OpError::mismatch(
                    "src [n, c, …] and a size of at least 1",
                    format!("src {}, size {}", src[0], self.size),
                    "Give the input a channel dimension, and the number of channels to sum over.",
                ));
            }
            Ok(vec![src[0].clone(), src[0].clone()])
        })
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        if let (Some(diff), true) = (g.diff_dst(0), g.needs(0)) {
            let (x, kept) = (g.src(0), g.dst(1));
            let diff = g.emit(LRNBackward(self.clone()), &[x, diff, kept])?[0];
            g.set(0, diff);
        }
        Ok(())
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        if let Some(md) = self.onednn_source(compiler)? {
            if !compiler.is_used(1) {
                if let Some(pd) = compiler.offered(self.forward(PropKind::ForwardInference, &md))? {
                    let src = [(0, arg::SRC, md.clone())];
                    return compiler.primitive(&pd, &src, &[(0, arg::DST, md)]);
                }
            } else if let Some((pd, _)) = self.training(compiler, &md)? {
                let dst = [(0, arg::DST, md.clone()), (1, arg::WORKSPACE, pd.workspace_md())];
                return compiler.primitive(&pd, &[(0, arg::SRC, md)], &dst);
            }
        }
        let (lrn, planes) = (self.clone(), Planes::of(compiler.src_shape(0)));
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            let x = src[0];
            planes.each(|n, c, i| {
                let squares = planes.around(n, lrn.before(c), i).map(|at| x[at] * x[at]);
                let base = lrn.bias + lrn.alpha / lrn.size as f32 * squares.sum::<f32>();
                let at = planes.at(n, c, i);
                dst[0][at] = x[at] * base.powf(-lrn.beta);
                dst[1][at] = base;
            });
        })
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(src, dst, 2.0 * self.size as f64)
    }
}

impl LRN {
    /// Channels that channel `c` is normalized by; the last ones may not exist.
    fn before(&self, c: usize) -> std::ops::Range<usize> {
        c.saturating_sub((self.size - 1) / 2)..c + self.size / 2 + 1
    }

    /// Channels that channel `c` normalizes.
    fn behind(&self, c: usize) -> std::ops::Range<usize> {
        c.saturating_sub(self.size / 2)..c + (self.size - 1) / 2 + 1
    }

    /// The source as oneDNN takes it: images, an odd size.
    fn onednn_source(&self, compiler: &Compiler<'_>) -> Result<Option<MemoryDesc>, Error> {
        let fits = compiler.src_shape(0).rank() == 4 && self.size % 2 == 1;
        Ok(if fits && compiler.onednn() { Some(compiler.src_descriptor(0)?) } else { None })
    }

    fn config(&self) -> lrn::Config {
        let algorithm = lrn::Algorithm::AcrossChannels;
        let LRN { size, alpha, beta, bias } = *self;
        lrn::Config { algorithm, local_size: size, alpha, beta, k: bias }
    }

    fn forward(&self, prop: PropKind, md: &MemoryDesc) -> Result<PrimitiveDesc, onednn::Error> {
        lrn::forward(prop, md, md, &self.config(), &Attr::new())
    }

    /// Both directions, or none: what one keeps is only understood by the other.
    fn training(
        &self,
        compiler: &Compiler<'_>,
        md: &MemoryDesc,
    ) -> Result<Option<(PrimitiveDesc, PrimitiveDesc)>, Error> {
        let forward = self.forward(PropKind::ForwardTraining, md);
        let Some(forward) = compiler.offered(forward)? else { return Ok(None) };
        let backward = lrn::backward(md, md, md, &self.config(), &forward);
        let Some(backward) = compiler.offered(backward)? else { return Ok(None) };
        let kept = forward.workspace_md().bytes() > 0 && backward.workspace_md().bytes() > 0;
        Ok(kept.then_some((forward, backward)))
    }
}

/// dx. Sources: x, dy, what forward kept.
#[derive(Clone, Debug)]
struct LRNBackward(LRN);

impl Op for LRNBackward {
    fn name(&self) -> &'static str {
        "LRNBackward"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |src| Ok(vec![src[0].clone()]))
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let lrn = self.0.clone();
        if let Some(md) = lrn.onednn_source(compiler)?
            && let Some((_, pd)) = lrn.training(compiler, &md)?
        {
            let kept = (2, arg::WORKSPACE, pd.workspace_md());
            let src = [(0, arg::SRC, md.clone()), (1, arg::DIFF_DST, md.clone()), kept];
            return compiler.primitive(&pd, &src, &[(0, arg::DIFF_SRC, md)]);
        }
        let planes = Planes::of(compiler.src_shape(0));
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            let (x, dy, base) = (src[0], src[1], src[2]);
            let factor = 2.0 * lrn.alpha * lrn.beta / lrn.size as f32;
            planes.each(|n, c, i| {
                let others = planes.around(n, lrn.behind(c), i);
                let sum: f32 = others.map(|o| dy[o] * x[o] * base[o].powf(-lrn.beta - 1.0)).sum();
                let at = planes.at(n, c, i);
                dst[0][at] = dy[at] * base[at].powf(-lrn.beta) - factor * x[at] * sum;
            });
        })
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(src, dst, 4.0 * self.0.size as f64)
    }
}

/// Where the channels of a row-major \[n, c, …\] are.
#[derive(Clone, Copy, Debug)]
struct Planes {
    n: usize,
    c: usize,
    inner: usize,
}

impl Planes {
    fn of(x: &Shape) -> Planes {
        let dims = x.dims();
        Planes { n: dims[0], c: dims[1], inner: dims[2..].iter().product() }
    }

    fn at(&self, n: usize, c: usize, i: usize) -> usize {
        (n * self.c + c) * self.inner + i
    }

    /// The places of some channels, as far as they exist.
    fn around(
        &self,
        n: usize,
        channels: std::ops::Range<usize>,
        i: usize,
    ) -> impl Iterator<Item = usize> {
        let planes = *self;
        (channels.start..channels.end.min(self.c)).map(move |c| planes.at(n, c, i))
    }

    fn each(&self, mut visit: impl FnMut(usize, usize, usize)) {
        for n in 0..self.n {
            for c in 0..self.c {
                (0..self.inner).for_each(|i| visit(n, c, i));
            }
        }
    }
}
