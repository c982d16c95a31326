//! Mean over a sliding window.

use super::pool::{Pool, Taps};
use super::window::{Attributes, AutoPad};
use crate::error::expect_operands;
use crate::op::{Cost, Op, elementwise_cost};
use crate::tensor_type::float_types;
use crate::{Compiler, Error, Gradient, OpError, Takes, TensorType};
use onednn::ops::pooling;
use onednn::{Attr, MemoryDesc, PrimitiveDesc, PropKind, arg};
use serde::{Deserialize, Serialize};
use tensor::Shape;

/// y\[n, c, i, j\] = mean over p, q of x\[n, c, i·s + p − pad, j·s + q − pad\]. ONNX `AveragePool` in
/// one to three dimensions.
///
/// Shapes: x \[n, c, h, w\]; y \[n, c, oh, ow\] with oh = ⌊(h + pads − kh) / s⌋ + 1, or rounded up
/// with `ceil_mode` (a window that would start in the padding behind is left out).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AveragePool {
    /// Size of the window; empty means 1.
    pub kernel_shape: Vec<usize>,
    /// Steps of the window; empty means 1.
    pub strides: Vec<usize>,
    /// Padding before each dimension, then behind each, all smaller than the window; empty means 0.
    pub pads: Vec<usize>,
    /// Round the size of the result up instead of down.
    pub ceil_mode: bool,
    /// Distance of the window's places; empty means 1.
    pub dilations: Vec<usize>,
    /// Who decides about the padding; `pads` count if this is `NotSet`.
    pub auto_pad: AutoPad,
    /// Divide by the places of the window in the padded source, not only by those in the source.
    /// What `ceil_mode` lets a window reach beyond the padding never counts.
    pub count_include_pad: bool,
}

impl AveragePool {
    fn pool(&self, src: &Shape) -> Result<Pool, OpError> {
        let attributes = Attributes {
            kernel: &self.kernel_shape,
            strides: &self.strides,
            dilations: &self.dilations,
            pads: &self.pads,
            auto_pad: self.auto_pad,
            ceil: self.ceil_mode,
        };
        Pool::new(&attributes, src)
    }

    /// The sizes of a source that `infer` accepted.
    fn geometry(&self, src: &Shape) -> Mean {
        let pool = self.pool(src).expect("shapes were checked when the node was added");
        Mean { pool, count_include_pad: self.count_include_pad }
    }
}

impl Op for AveragePool {
    fn name(&self) -> &'static str {
        "AveragePool"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |src| {
            expect_operands(src, 1..=1)?;
            Ok(vec![self.pool(src[0])?.dst_shape()])
        })
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        if let (Some(diff), true) = (g.diff_dst(0), g.needs(0)) {
            let x = g.src(0);
            let op = AveragePoolBackward { mean: self.geometry(&g.shape(x)) };
            let diff_src = g.emit(op, &[diff, x])?[0];
            g.set(0, diff_src);
        }
        Ok(())
    }

    fn takes(&self, _: usize) -> Takes {
        Takes::LikeResult
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let mean = self.geometry(compiler.src_shape(0));
        if compiler.onednn() && mean.is_offered() {
            let src = compiler.src_descriptor(0)?;
            if let Some(pd) = mean.forward(compiler, &src)? {
                let dst = [(0, arg::DST, pd.dst_md(0))];
                return compiler.primitive(&pd, &[(0, arg::SRC, src)], &dst);
            }
        }
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            mean.pool.windows(|taps| {
                let sum: f32 = taps.positions().map(|i| src[0][i]).sum();
                dst[0][taps.dst] = sum / mean.count(&taps);
            });
        })
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        Cost { flops: self.geometry(&src[0]).pool.flops(), ..elementwise_cost(src, dst, 0.0) }
    }
}

/// dx of a mean. Sources: dy, x (of which only the layout matters).
#[derive(Clone, Debug)]
struct AveragePoolBackward {
    mean: Mean,
}

impl Op for AveragePoolBackward {
    fn name(&self) -> &'static str {
        "AveragePoolBackward"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |_| Ok(vec![self.mean.pool.src_shape()]))
    }

    fn takes(&self, _: usize) -> Takes {
        Takes::LikeResult
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let mean = self.mean;
        if compiler.onednn() && mean.is_offered() {
            let x = compiler.src_descriptor(1)?;
            if let Some(forward) = mean.forward(compiler, &x)? {
                let config = mean.config();
                let pd = pooling::backward(&x, &forward.dst_md(0), &config, &forward);
                if let Some(pd) = compiler.offered(pd)? {
                    let src = [(0, arg::DIFF_DST, pd.diff_dst_md())];
                    return compiler.primitive(&pd, &src, &[(0, arg::DIFF_SRC, x)]);
                }
            }
        }
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            dst[0].fill(0.0);
            mean.pool.windows(|taps| {
                let share = src[0][taps.dst] / mean.count(&taps);
                taps.positions().for_each(|i| dst[0][i] += share);
            });
        })
    }

    fn reads(&self, src: usize) -> bool {
        src < 1
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        Cost { flops: self.mean.pool.flops(), ..elementwise_cost(&src[..1], dst, 0.0) }
    }
}

/// A pooling and what its sums are divided by.
#[derive(Clone, Copy, Debug)]
struct Mean {
    pool: Pool,
    count_include_pad: bool,
}

impl Mean {
    fn count(&self, taps: &Taps) -> f32 {
        (if self.count_include_pad { taps.padded } else { taps.inside() }) as f32
    }

    /// oneDNN knows one padding only and would count what lies beyond ONNX's.
    fn is_offered(&self) -> bool {
        !(self.count_include_pad && self.pool.overhangs())
    }

    fn config(&self) -> pooling::Config {
        self.pool.config(if self.count_include_pad {
            pooling::Algorithm::AverageIncludePadding
        } else {
            pooling::Algorithm::AverageExcludePadding
        })
    }

    fn forward(
        &self,
        compiler: &Compiler<'_>,
        src: &MemoryDesc,
    ) -> Result<Option<PrimitiveDesc>, Error> {
        let dst = compiler.any_like(&self.pool.dst_shape(), src)?;
        let prop = PropKind::ForwardTraining;
        compiler.offered(pooling::forward(prop, src, &dst, &self.config(), &Attr::new()))
    }
}
