//! Cases of elementary functions.

use super::{Case, Refusal};
use nn::Op;
use nn::ops::{Abs, Ceil, Erf, Exp, Floor, Log, Neg, Reciprocal, Round, Sign, Sqrt};
use oracle::Array;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The error function by its power series.
fn erf(x: f64) -> f64 {
    let mut term = x;
    let mut sum = x;
    for n in 1..60 {
        term *= -x * x / f64::from(n);
        sum += term / f64::from(2 * n + 1);
    }
    std::f64::consts::FRAC_2_SQRT_PI * sum
}

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
        each(Abs {}, f64::abs, 0.0, 4.0),
        each(Neg {}, |x| -x, 0.0, 4.0),
        each(Sign {}, f64::signum, 0.0, 4.0),
        each(Sqrt {}, f64::sqrt, 2.0, 1.5),
        each(Exp {}, f64::exp, 0.0, 2.0),
        each(Log {}, f64::ln, 2.0, 1.5),
        each(Reciprocal {}, |x| 1.0 / x, 2.0, 1.5),
        each(Erf {}, erf, 0.0, 2.5),
        each(Floor {}, f64::floor, 0.0, 4.0),
        each(Ceil {}, f64::ceil, 0.0, 4.0),
        each(Round {}, f64::round_ties_even, 0.0, 4.0),
    ]
    .into_iter()
    .flatten()
    .collect()
}

pub fn refusals() -> Vec<Refusal> {
    vec![
        Refusal::new(
            Abs {},
            &[&[1], &[1]],
            "Abs \"case\": expected 1 operand, got 2. Connect the missing inputs.",
        ),
        Refusal::new(
            Neg {},
            &[&[1], &[1]],
            "Neg \"case\": expected 1 operand, got 2. Connect the missing inputs.",
        ),
        Refusal::new(
            Sign {},
            &[&[1], &[1]],
            "Sign \"case\": expected 1 operand, got 2. Connect the missing inputs.",
        ),
        Refusal::new(
            Sqrt {},
            &[&[1], &[1]],
            "Sqrt \"case\": expected 1 operand, got 2. Connect the missing inputs.",
        ),
        Refusal::new(
            Exp {},
            &[&[1], &[1]],
            "Exp \"case\": expected 1 operand, got 2. Connect the missing inputs.",
        ),
        Refusal::new(
            Log {},
            &[&[1], &[1]],
            "Log \"case\": expected 1 operand, got 2. Connect the missing inputs.",
        ),
        Refusal::new(
            Reciprocal {},
            &[&[1], &[1]],
            "Reciprocal \"case\": expected 1 operand, got 2. Connect the missing inputs.",
        ),
        Refusal::new(
            Erf {},
            &[&[1], &[1]],
            "Erf \"case\": expected 1 operand, got 2. Connect the missing inputs.",
        ),
        Refusal::new(
            Floor {},
            &[&[1], &[1]],
            "Floor \"case\": expected 1 operand, got 2. Connect the missing inputs.",
        ),
        Refusal::new(
            Ceil {},
            &[&[1], &[1]],
            "Ceil \"case\": expected 1 operand, got 2. Connect the missing inputs.",
        ),
        Refusal::new(
            Round {},
            &[&[1], &[1]],
            "Round \"case\": expected 1 operand, got 2. Connect the missing inputs.",
        ),
    ]
}
