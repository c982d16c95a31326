//! Cases of trigonometric and hyperbolic functions.

use super::{Case, Refusal};
use nn::Op;
use nn::ops::{Acos, Acosh, Asin, Asinh, Atan, Atanh, Cos, Cosh, Sin, Sinh, Tan};
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
        each(Sin {}, f64::sin, 0.0, 4.0),
        each(Cos {}, f64::cos, 0.0, 4.0),
        each(Tan {}, f64::tan, 0.0, 1.2),
        each(Asin {}, f64::asin, 0.0, 0.9),
        each(Acos {}, f64::acos, 0.0, 0.9),
        each(Atan {}, f64::atan, 0.0, 4.0),
        each(Sinh {}, f64::sinh, 0.0, 2.0),
        each(Cosh {}, f64::cosh, 0.0, 2.0),
        each(Asinh {}, f64::asinh, 0.0, 4.0),
        each(Acosh {}, f64::acosh, 3.0, 1.5),
        each(Atanh {}, f64::atanh, 0.0, 0.9),
    ]
    .into_iter()
    .flatten()
    .collect()
}

pub fn refusals() -> Vec<Refusal> {
    vec![
        Refusal::new(
            Sin {},
            &[&[1], &[1]],
            "Sin \"case\": expected 1 operand, got 2. Connect the missing inputs.",
        ),
        Refusal::new(
            Cos {},
            &[&[1], &[1]],
            "Cos \"case\": expected 1 operand, got 2. Connect the missing inputs.",
        ),
        Refusal::new(
            Tan {},
            &[&[1], &[1]],
            "Tan \"case\": expected 1 operand, got 2. Connect the missing inputs.",
        ),
        Refusal::new(
            Asin {},
            &[&[1], &[1]],
            "Asin \"case\": expected 1 operand, got 2. Connect the missing inputs.",
        ),
        Refusal::new(
            Acos {},
            &[&[1], &[1]],
            "Acos \"case\": expected 1 operand, got 2. Connect the missing inputs.",
        ),
        Refusal::new(
            Atan {},
            &[&[1], &[1]],
            "Atan \"case\": expected 1 operand, got 2. Connect the missing inputs.",
        ),
        Refusal::new(
            Sinh {},
            &[&[1], &[1]],
            "Sinh \"case\": expected 1 operand, got 2. Connect the missing inputs.",
        ),
        Refusal::new(
            Cosh {},
            &[&[1], &[1]],
            "Cosh \"case\": expected 1 operand, got 2. Connect the missing inputs.",
        ),
        Refusal::new(
            Asinh {},
            &[&[1], &[1]],
            "Asinh \"case\": expected 1 operand, got 2. Connect the missing inputs.",
        ),
        Refusal::new(
            Acosh {},
            &[&[1], &[1]],
            "Acosh \"case\": expected 1 operand, got 2. Connect the missing inputs.",
        ),
        Refusal::new(
            Atanh {},
            &[&[1], &[1]],
            "Atanh \"case\": expected 1 operand, got 2. Connect the missing inputs.",
        ),
    ]
}
