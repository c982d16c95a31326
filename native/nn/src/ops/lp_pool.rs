//! Norm over a sliding window.

use super::pool::Pool;
use super::window::{Attributes, AutoPad};
use crate::error::expect_operands;
use crate::op::{Cost, Op, elementwise_cost};
use crate::tensor_type::float_types;
use crate::{Compiler, Error, Gradient, OpError, TensorType};
use serde::{Deserialize, Serialize};
use tensor::Shape;

/// y\[n, c, i, j\] = (Σ |x\[n, c, i·s + a·d − pad, j·s + b·d − pad\]|ᵖ)^(1/p) over the places (a, b) of
/// the window. ONNX `LpPool` in one to three dimensions.
///
/// Shapes: x \[n, c, h, w\]; y \[n, c, oh, ow\] as those of `AveragePool`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LpPool {
    /// Exponent of the norm, at least 1.
    pub p: u32,
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
}

impl Default for LpPool {
    fn default() -> LpPool {
        LpPool {
            p: 2,
            kernel_shape: vec![],
            strides: vec![],
            pads: vec![],
            ceil_mode: false,
            dilations: vec![],
            auto_pad: AutoPad::NotSet,
        }
    }
}

impl LpPool {
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
    fn geometry(&self, src: &Shape) -> Pool {
        self.pool(src).expect("shapes were checked when the node was added")
    }
}

impl Op for LpPool {
    fn name(&self) -> &'static str {
        "LpPool"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |src| {
            expect_operands(src, 1..=1)?;
            if self.p == 0 {
                return Err(OpError::mismatch("p of at least 1", "0", "Choose the norm."));
            }
            Ok(vec![self.pool(src[0])?.dst_shape()])
        })
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        if let (Some(diff), true) = (g.diff_dst(0), g.needs(0)) {
            let x = g.src(0);
            let op = LpPoolBackward { pool: self.geometry(&g.shape(x)), p: self.p as i32 };
            let diff_src = g.emit(op, &[x, g.dst(0), diff])?[0];
            g.set(0, diff_src);
        }
        Ok(())
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let (pool, p) = (self.geometry(compiler.src_shape(0)), self.p as i32);
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            pool.windows(|taps| {
                let powers = taps.positions().map(|i| f64::from(src[0][i].abs()).powi(p));
                dst[0][taps.dst] = powers.sum::<f64>().powf(1.0 / f64::from(p)) as f32;
            });
        })
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        let flops = f64::from(self.p) * self.geometry(&src[0]).flops();
        Cost { flops, ..elementwise_cost(src, dst, 0.0) }
    }
}

/// dx of a norm: dy · sign(x) · (|x| / y)^(p − 1). Sources: x, y, dy.
#[derive(Clone, Debug)]
struct LpPoolBackward {
    pool: Pool,
    p: i32,
}

impl Op for LpPoolBackward {
    fn name(&self) -> &'static str {
        "LpPoolBackward"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |src| Ok(vec![src[0].clone()]))
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let LpPoolBackward { pool, p } = *self;
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            dst[0].fill(0.0);
            pool.windows(|taps| {
                let (y, dy) = (src[1][taps.dst], src[2][taps.dst]);
                for i in taps.positions().filter(|_| y > 0.0) {
                    let x = src[0][i];
                    dst[0][i] += dy * x.signum() * (x.abs() / y).powi(p - 1);
                }
            });
        })
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        let flops = f64::from(self.p) * self.pool.flops();
        Cost { flops, ..elementwise_cost(src, dst, 0.0) }
    }
}
