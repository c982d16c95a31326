//! The functions inside recurrent ops.

use serde::{Deserialize, Serialize};

/// A function inside a recurrent op, with ONNX's names and defaults.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateActivation {
    /// max(x, 0).
    Relu,
    /// tanh x.
    Tanh,
    /// 1 / (1 + e^−x).
    Sigmoid,
    /// alpha·x + beta.
    Affine {
        /// Factor.
        alpha: f32,
        /// Summand.
        beta: f32,
    },
    /// x above 0, else alpha·x.
    LeakyRelu {
        /// Slope below 0.
        alpha: f32,
    },
    /// x from alpha on, else 0.
    ThresholdedRelu {
        /// The threshold.
        alpha: f32,
    },
    /// alpha·tanh(beta·x).
    ScaledTanh {
        /// Factor of the result.
        alpha: f32,
        /// Factor of x.
        beta: f32,
    },
    /// alpha·x + beta, at least 0 and at most 1.
    HardSigmoid {
        /// Slope.
        alpha: f32,
        /// Value at 0.
        beta: f32,
    },
    /// x from 0 on, else alpha·(e^x − 1).
    Elu {
        /// Factor below 0.
        alpha: f32,
    },
    /// x / (1 + |x|).
    Softsign,
    /// ln(1 + e^x).
    Softplus,
}

impl GateActivation {
    /// The function of x.
    pub(super) fn apply(self, x: f64) -> f64 {
        use GateActivation::*;
        let wide = f64::from;
        match self {
            Relu => x.max(0.0),
            Tanh => x.tanh(),
            Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Affine { alpha, beta } => wide(alpha) * x + wide(beta),
            LeakyRelu { alpha } => {
                if x >= 0.0 {
                    x
                } else {
                    wide(alpha) * x
                }
            }
            ThresholdedRelu { alpha } => {
                if x >= wide(alpha) {
                    x
                } else {
                    0.0
                }
            }
            ScaledTanh { alpha, beta } => wide(alpha) * (wide(beta) * x).tanh(),
            HardSigmoid { alpha, beta } => (wide(alpha) * x + wide(beta)).clamp(0.0, 1.0),
            Elu { alpha } => {
                if x >= 0.0 {
                    x
                } else {
                    wide(alpha) * x.exp_m1()
                }
            }
            Softsign => x / (1.0 + x.abs()),
            Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
        }
    }
}
