//! The Gaussian error linear unit.

use crate::error::expect_operands;
use crate::op::{Cost, Op, elementwise_cost};
use crate::tensor_type::float_types;
use crate::{Activation, Compiler, Error, Gradient, OpError, Takes, TensorType};
use onednn::ops::eltwise;
use onednn::{Attr, MemoryDesc, PrimitiveDesc, PropKind, arg};
use serde::{Deserialize, Serialize};
use tensor::{Shape, math, vectorized};

/// y = x · Φ(x) with the normal distribution function Φ, or its approximation by tanh. ONNX `Gelu`.
/// Shapes: x any, y the same.
///
/// Φ(x) = (1 + erf(x / √2)) / 2 ≈ (1 + tanh(√(2/π) · (x + 0.044715 x³))) / 2.
///
/// D. Hendrycks, K. Gimpel: "Gaussian error linear units (GELUs)", 2016.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Gelu {
    /// Use tanh instead of erf.
    pub tanh: bool,
}

impl Op for Gelu {
    fn name(&self) -> &'static str {
        "Gelu"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |src| {
            expect_operands(src, 1..=1)?;
            Ok(vec![src[0].clone()])
        })
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        if let (Some(diff), true) = (g.diff_dst(0), g.needs(0)) {
            let x = g.src(0);
            let diff = g.emit(GeluBackward(self.clone()), &[x, diff])?[0];
            g.set(0, diff);
        }
        Ok(())
    }

    fn takes(&self, _: usize) -> Takes {
        Takes::LikeResult
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        if compiler.onednn() {
            let md = compiler.src_descriptor(0)?;
            if let Some(pd) = compiler.offered(self.descriptor(&md))? {
                return compiler.primitive(&pd, &[(0, arg::SRC, md.clone())], &[(0, arg::DST, md)]);
            }
        }
        let tanh = self.tanh;
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            forward(tanh, src[0], dst[0]);
        })
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(src, dst, 4.0)
    }

    fn as_activation(&self) -> Option<Activation> {
        Some(self.activation())
    }
}

impl Gelu {
    fn activation(&self) -> Activation {
        if self.tanh { Activation::GeluTanh } else { Activation::Gelu }
    }

    fn config(&self) -> eltwise::Config {
        eltwise::Config::new(self.activation().algorithm())
    }

    fn descriptor(&self, md: &MemoryDesc) -> Result<PrimitiveDesc, onednn::Error> {
        eltwise::forward(PropKind::ForwardTraining, md, md, &self.config(), &Attr::new())
    }
}

/// dx = dy · (Φ(x) + x · Φ'(x)). Sources: x, dy.
#[derive(Clone, Debug)]
struct GeluBackward(Gelu);

impl Op for GeluBackward {
    fn name(&self) -> &'static str {
        "GeluBackward"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |src| Ok(vec![src[0].clone()]))
    }

    fn takes(&self, _: usize) -> Takes {
        Takes::LikeResult
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        if compiler.onednn() {
            let md = compiler.src_descriptor(0)?;
            let hint = compiler.check(self.0.descriptor(&md))?;
            let pd = eltwise::backward(&md, &md, &md, &self.0.config(), &hint);
            if let Some(pd) = compiler.offered(pd)? {
                let src = [(0, arg::SRC, md.clone()), (1, arg::DIFF_DST, md.clone())];
                return compiler.primitive(&pd, &src, &[(0, arg::DIFF_SRC, md)]);
            }
        }
        let tanh = self.0.tanh;
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            backward(tanh, src[0], src[1], dst[0]);
        })
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(src, dst, 8.0)
    }
}

const SQRT_2_OVER_PI: f32 = 0.797_884_6;
const CUBE: f32 = 0.044_715;

/// y of one x.
#[inline(always)]
pub(crate) fn value(tanh: bool, x: f32) -> f32 {
    let twice = match tanh {
        true => math::tanh(SQRT_2_OVER_PI * (x + CUBE * x * x * x)),
        false => math::erf(x * std::f32::consts::FRAC_1_SQRT_2),
    };
    0.5 * x * (1.0 + twice)
}

vectorized! {
    fn forward(tanh: bool, x: &[f32], y: &mut [f32]) {
        let each = y.iter_mut().zip(x);
        if tanh {
            each.for_each(|(y, &x)| *y = value(true, x));
        } else {
            each.for_each(|(y, &x)| *y = value(false, x));
        }
    }

    /// y in x's place.
    pub(crate) fn in_place(tanh: bool, x: &mut [f32]) {
        if tanh {
            x.iter_mut().for_each(|x| *x = value(true, *x));
        } else {
            x.iter_mut().for_each(|x| *x = value(false, *x));
        }
    }

    fn backward(tanh: bool, x: &[f32], dy: &[f32], dx: &mut [f32]) {
        let each = dx.iter_mut().zip(x).zip(dy);
        if tanh {
            each.for_each(|((dx, &x), dy)| {
                let t = math::tanh(SQRT_2_OVER_PI * (x + CUBE * x * x * x));
                let slope = SQRT_2_OVER_PI * (1.0 + 3.0 * CUBE * x * x);
                *dx = dy * 0.5 * (1.0 + t + x * (1.0 - t * t) * slope);
            });
        } else {
            each.for_each(|((dx, &x), dy)| {
                let phi = 0.5 * (1.0 + math::erf(x * std::f32::consts::FRAC_1_SQRT_2));
                let density = 0.5 * std::f32::consts::FRAC_1_SQRT_2 * std::f32::consts::FRAC_2_SQRT_PI;
                *dx = dy * (phi + x * density * math::exp(-0.5 * x * x));
            });
        }
    }
}
