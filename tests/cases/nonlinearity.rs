//! Cases of activations with settings.

use super::{Case, Refusal};
use nn::Op;
use nn::ops::{
    Celu, Elu, HardSigmoid, HardSwish, LeakyRelu, Mish, Selu, Shrink, Softplus, Softsign, Swish,
    ThresholdedRelu,
};
use oracle::Array;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Numbers around `middle`, up to `reach` away, in several shapes.
fn each<O>(op: O, f: fn(f64) -> f64, middle: f64, reach: f64) -> Vec<Case>
where
    O: Op + Clone + PartialEq + Serialize + DeserializeOwned,
{
    let case = |name: &str, x: &[usize]| {
        Case::new(name, op.clone(), move |src: &[Array]| vec![src[0].map(f)])
            .values(Array::sample(x, 1).map(|x| middle + reach * x))
            .tolerance(1e-5, "oneDNN approximates exponentials to some 1e-6")
    };
    vec![case("images", &[2, 3, 5]), case("a vector", &[7]), case("empty batch", &[0, 4])]
}

pub fn cases() -> Vec<Case> {
    [
        each(LeakyRelu { alpha: 0.25 }, |x| if x > 0.0 { x } else { 0.25 * x }, 0.0, 4.0),
        each(Elu { alpha: 1.5 }, |x| if x > 0.0 { x } else { 1.5 * (x.exp() - 1.0) }, 0.0, 4.0),
        each(
            Selu { alpha: 1.5, gamma: 2.0 },
            |x| 2.0 * if x > 0.0 { x } else { 1.5 * (x.exp() - 1.0) },
            0.0,
            4.0,
        ),
        each(
            Celu { alpha: 0.5 },
            |x| if x > 0.0 { x } else { 0.5 * ((x / 0.5).exp() - 1.0) },
            0.0,
            4.0,
        ),
        each(
            HardSigmoid { alpha: 0.25, beta: 0.5 },
            |x| (0.25 * x + 0.5).clamp(0.0, 1.0),
            0.0,
            4.0,
        ),
        each(HardSwish {}, |x| x * (x / 6.0 + 0.5).clamp(0.0, 1.0), 0.0, 5.0),
        each(Mish {}, |x| x * (1.0 + x.exp()).ln().tanh(), 0.0, 4.0),
        each(Swish { alpha: 0.5 }, |x| x / (1.0 + (-0.5 * x).exp()), 0.0, 4.0),
        each(Softplus {}, |x| (1.0 + x.exp()).ln(), 0.0, 4.0),
        each(Softsign {}, |x| x / (1.0 + x.abs()), 0.0, 4.0),
        each(ThresholdedRelu { alpha: 0.75 }, |x| if x > 0.75 { x } else { 0.0 }, 0.0, 4.0),
        each(
            Shrink { lambd: 1.0, bias: 0.5 },
            |x| if x.abs() > 1.0 { x - x.signum() * 0.5 } else { 0.0 },
            0.0,
            4.0,
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

pub fn refusals() -> Vec<Refusal> {
    vec![
        Refusal::new(
            LeakyRelu { alpha: 0.25 },
            &[&[1], &[1]],
            "LeakyRelu \"case\": expected 1 operand, got 2. Connect the missing inputs.",
        ),
        Refusal::new(
            Elu { alpha: 1.5 },
            &[&[1], &[1]],
            "Elu \"case\": expected 1 operand, got 2. Connect the missing inputs.",
        ),
        Refusal::new(
            Selu { alpha: 1.5, gamma: 2.0 },
            &[&[1], &[1]],
            "Selu \"case\": expected 1 operand, got 2. Connect the missing inputs.",
        ),
        Refusal::new(
            Celu { alpha: 0.5 },
            &[&[1], &[1]],
            "Celu \"case\": expected 1 operand, got 2. Connect the missing inputs.",
        ),
        Refusal::new(
            HardSigmoid { alpha: 0.25, beta: 0.5 },
            &[&[1], &[1]],
            "HardSigmoid \"case\": expected 1 operand, got 2. Connect the missing inputs.",
        ),
        Refusal::new(
            HardSwish {},
            &[&[1], &[1]],
            "HardSwish \"case\": expected 1 operand, got 2. Connect the missing inputs.",
        ),
        Refusal::new(
            Mish {},
            &[&[1], &[1]],
            "Mish \"case\": expected 1 operand, got 2. Connect the missing inputs.",
        ),
        Refusal::new(
            Swish { alpha: 0.5 },
            &[&[1], &[1]],
            "Swish \"case\": expected 1 operand, got 2. Connect the missing inputs.",
        ),
        Refusal::new(
            Softplus {},
            &[&[1], &[1]],
            "Softplus \"case\": expected 1 operand, got 2. Connect the missing inputs.",
        ),
        Refusal::new(
            Softsign {},
            &[&[1], &[1]],
            "Softsign \"case\": expected 1 operand, got 2. Connect the missing inputs.",
        ),
        Refusal::new(
            ThresholdedRelu { alpha: 0.75 },
            &[&[1], &[1]],
            "ThresholdedRelu \"case\": expected 1 operand, got 2. Connect the missing inputs.",
        ),
        Refusal::new(
            Shrink { lambd: 1.0, bias: 0.5 },
            &[&[1], &[1]],
            "Shrink \"case\": expected 1 operand, got 2. Connect the missing inputs.",
        ),
    ]
}
