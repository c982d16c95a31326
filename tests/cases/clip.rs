//! Cases of limits.

use super::{Case, Refusal};
use nn::Op;
use nn::ops::Clip;
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
        each(Clip { min: Some(0.5), max: None }, |x| x.max(0.5), 0.0, 4.0),
        each(Clip { min: Some(2.0), max: Some(1.0) }, |_| 1.0, 0.0, 4.0),
        each(Clip { min: Some(-1.5), max: Some(2.0) }, |x| x.clamp(-1.5, 2.0), 0.0, 4.0),
    ]
    .into_iter()
    .flatten()
    .collect()
}

pub fn refusals() -> Vec<Refusal> {
    vec![Refusal::new(
        Clip { min: Some(-1.5), max: Some(2.0) },
        &[&[1], &[1]],
        "Clip \"case\": expected 1 operand, got 2. Connect the missing inputs.",
    )]
}
