//! Activations with settings, and those whose gradient needs their source.

use super::unary::{config, unary};
use onednn::ops::eltwise::{Algorithm, Config};

/// 1 / (1 + e^−x).
fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// ln(1 + eˣ) without overflow.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

unary! {
    /// y = x for x ≥ 0, alpha · x below (Maas, Hannun, Ng: "Rectifier nonlinearities improve neural
    /// network acoustic models", ICML 2013). ONNX `LeakyRelu`.
    LeakyRelu {
        /// Slope below 0.
        alpha: f32 = 0.01
    } => {
        |op, x| if x >= 0.0 { x } else { f64::from(op.alpha) * x },
        |op, x, _y| if x >= 0.0 { 1.0 } else { op.alpha.into() },
        eltwise |op| config(Algorithm::Relu, op.alpha, 0.0),
    }

    /// y = x for x ≥ 0, alpha (eˣ − 1) below (Clevert, Unterthiner, Hochreiter: "Fast and accurate
    /// deep network learning by exponential linear units", ICLR 2016). ONNX `Elu`.
    Elu {
        /// Where y ends for x → −∞, negated.
        alpha: f32 = 1.0
    } => {
        |op, x| if x >= 0.0 { x } else { f64::from(op.alpha) * x.exp_m1() },
        |op, x, _y| if x >= 0.0 { 1.0 } else { f64::from(op.alpha) * x.exp() },
        eltwise |op| config(Algorithm::Elu, op.alpha, 0.0),
    }

    /// y = gamma · x for x > 0, gamma · alpha (eˣ − 1) below (Klambauer et al.: "Self-normalizing
    /// neural networks", NIPS 2017). ONNX `Selu`.
    Selu {
        /// Where y ends for x → −∞, negated and divided by gamma.
        alpha: f32 = 1.673_263_2,
        /// Slope above 0.
        gamma: f32 = 1.050_701
    } => {
        |op, x| f64::from(op.gamma) * if x > 0.0 { x } else { f64::from(op.alpha) * x.exp_m1() },
        |op, x, _y| f64::from(op.gamma) * if x > 0.0 { 1.0 } else { f64::from(op.alpha) * x.exp() },
    }

    /// y = max(0, x) + min(0, alpha (e^(x/alpha) − 1)) (Barron: "Continuously differentiable
    /// exponential linear units", 2017). ONNX `Celu`.
    Celu {
        /// Where y ends for x → −∞, negated; not 0.
        alpha: f32 = 1.0
    } => {
        |op, x| {
            let alpha = f64::from(op.alpha);
            x.max(0.0) + (alpha * (x / alpha).exp_m1()).min(0.0)
        },
        |op, x, _y| if x >= 0.0 { 1.0 } else { (x / f64::from(op.alpha)).exp() },
    }

    /// y = max(0, min(1, alpha · x + beta)). ONNX `HardSigmoid`.
    HardSigmoid {
        /// Slope in the middle.
        alpha: f32 = 0.2,
        /// y at x = 0.
        beta: f32 = 0.5
    } => {
        |op, x| (f64::from(op.alpha) * x + f64::from(op.beta)).clamp(0.0, 1.0),
        |op, _x, y| if y > 0.0 && y < 1.0 { op.alpha.into() } else { 0.0 },
        eltwise |op| config(Algorithm::HardSigmoid, op.alpha, op.beta),
    }

    /// y = x max(0, min(1, x/6 + ½)) (Howard et al.: "Searching for MobileNetV3", ICCV 2019). ONNX
    /// `HardSwish`.
    HardSwish {} => {
        |_op, x| x * (x / 6.0 + 0.5).clamp(0.0, 1.0),
        |_op, x, _y| if x <= -3.0 { 0.0 } else if x >= 3.0 { 1.0 } else { x / 3.0 + 0.5 },
        eltwise |_op| config(Algorithm::HardSwish, 1.0 / 6.0, 0.5),
    }

    /// y = x tanh(ln(1 + eˣ)) (Misra: "Mish: a self regularized non-monotonic activation function",
    /// BMVC 2020). ONNX `Mish`.
    Mish {} => {
        |_op, x| x * softplus(x).tanh(),
        |_op, x, _y| {
            let t = softplus(x).tanh();
            t + x * (1.0 - t * t) * logistic(x)
        },
        eltwise |_op| Config::new(Algorithm::Mish),
    }

    /// y = x / (1 + e^(−alpha · x)) (Ramachandran, Zoph, Le: "Searching for activation functions",
    /// 2017). ONNX `Swish`.
    Swish {
        /// Steepness.
        alpha: f32 = 1.0
    } => {
        |op, x| x * logistic(f64::from(op.alpha) * x),
        |op, x, y| {
            let share = logistic(f64::from(op.alpha) * x);
            share + f64::from(op.alpha) * y * (1.0 - share)
        },
        eltwise |op| config(Algorithm::Swish, op.alpha, 0.0),
    }

    /// y = ln(1 + eˣ), to full precision for x → −∞ too, where oneDNN's loses it. ONNX `Softplus`.
    Softplus {} => {
        |_op, x| softplus(x),
        |_op, x, _y| logistic(x),
    }

    /// y = x / (1 + |x|). ONNX `Softsign`.
    Softsign {} => {
        |_op, x| x / (1.0 + x.abs()),
        |_op, x, _y| 1.0 / (1.0 + x.abs()).powi(2),
    }

    /// y = x for x > alpha, else 0. ONNX `ThresholdedRelu`.
    ThresholdedRelu {
        /// The threshold.
        alpha: f32 = 1.0
    } => {
        |op, x| if x > f64::from(op.alpha) { x } else { 0.0 },
        |op, x, _y| if x > f64::from(op.alpha) { 1.0 } else { 0.0 },
    }

    /// y = x + bias for x < −lambd, x − bias for x > lambd, else 0. ONNX `Shrink`.
    Shrink {
        /// Half the width of what becomes 0.
        lambd: f32 = 0.5,
        /// What the rest is moved by towards 0.
        bias: f32 = 0.0
    } => {
        |op, x| {
            let (lambd, bias) = (f64::from(op.lambd), f64::from(op.bias));
            if x < -lambd {
                x + bias
            } else if x > lambd {
                x - bias
            } else {
                0.0
            }
        },
        |op, x, _y| if x.abs() > f64::from(op.lambd) { 1.0 } else { 0.0 },
    }
}
