//! Activations that can be fused into the op before them.

use crate::ops::gelu;
use onednn::ops::eltwise::Algorithm;

/// An element-wise function that an op can apply to what it computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// max(x, 0).
    Relu,
    /// tanh x.
    Tanh,
    /// 1 / (1 + e^−x).
    Sigmoid,
    /// x · Φ(x) with the normal distribution function Φ.
    Gelu,
    /// The same with Φ by tanh.
    GeluTanh,
}

impl Activation {
    /// f(x).
    pub fn apply(self, x: f32) -> f32 {
        match self {
            Activation::Relu => x.max(0.0),
            Activation::Tanh => x.tanh(),
            Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Activation::Gelu => gelu::value(false, x),
            Activation::GeluTanh => gelu::value(true, x),
        }
    }

    /// f of each element, in its place.
    pub(crate) fn apply_all(self, x: &mut [f32]) {
        match self {
            Activation::Gelu => gelu::in_place(false, x),
            Activation::GeluTanh => gelu::in_place(true, x),
            _ => x.iter_mut().for_each(|x| *x = self.apply(*x)),
        }
    }

    /// oneDNN's forward algorithm.
    pub(crate) fn algorithm(self) -> Algorithm {
        match self {
            Activation::Relu => Algorithm::Relu,
            Activation::Tanh => Algorithm::Tanh,
            Activation::Sigmoid => Algorithm::Logistic,
            Activation::Gelu => Algorithm::GeluErf,
            Activation::GeluTanh => Algorithm::GeluTanh,
        }
    }
}
