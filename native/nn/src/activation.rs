//! Activations that can be fused into the op before them.

/// An element-wise function whose gradient needs only its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// max(x, 0).
    Relu,
    /// tanh x.
    Tanh,
    /// 1 / (1 + e^−x).
    Sigmoid,
}

impl Activation {
    /// f(x).
    pub fn apply(self, x: f32) -> f32 {
        match self {
            Activation::Relu => x.max(0.0),
            Activation::Tanh => x.tanh(),
            Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        }
    }

    /// f'(x) in terms of y = f(x).
    pub fn derivative(self, y: f32) -> f32 {
        match self {
            Activation::Relu => (y > 0.0) as u8 as f32,
            Activation::Tanh => 1.0 - y * y,
            Activation::Sigmoid => y * (1.0 - y),
        }
    }

    /// oneDNN's forward algorithm.
    pub(crate) fn algorithm(self) -> onednn::ops::eltwise::Algorithm {
        match self {
            Activation::Relu => onednn::ops::eltwise::Algorithm::Relu,
            Activation::Tanh => onednn::ops::eltwise::Algorithm::Tanh,
            Activation::Sigmoid => onednn::ops::eltwise::Algorithm::Logistic,
        }
    }

    /// oneDNN's algorithm whose backward pass reads the result.
    pub(crate) fn algorithm_by_result(self) -> onednn::ops::eltwise::Algorithm {
        match self {
            Activation::Relu => onednn::ops::eltwise::Algorithm::ReluUseDst,
            Activation::Tanh => onednn::ops::eltwise::Algorithm::TanhUseDst,
            Activation::Sigmoid => onednn::ops::eltwise::Algorithm::LogisticUseDst,
        }
    }
}
