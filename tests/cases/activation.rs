//! Cases of the activations.

use super::{Case, Refusal};
use nn::Op;
use nn::ops::{Relu, Sigmoid, Tanh};
use oracle::Array;
use oracle::ops::elementwise;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Numbers from −4 to 4, so that the functions saturate.
fn case<O>(name: &str, op: O, f: fn(&Array) -> Array, x: &[usize]) -> Case
where
    O: Op + Clone + PartialEq + Serialize + DeserializeOwned,
{
    Case::new(name, op, move |src: &[Array]| vec![f(&src[0])])
        .values(Array::sample(x, 1).map(|x| 4.0 * x))
        .tolerance(1e-5, "oneDNN approximates the exponential to some 1e-6")
}

fn all(name: &str, x: &[usize]) -> Vec<Case> {
    vec![
        case(name, Relu {}, elementwise::relu, x),
        case(name, Sigmoid {}, elementwise::sigmoid, x),
        case(name, Tanh {}, elementwise::tanh, x),
    ]
}

pub fn cases() -> Vec<Case> {
    [
        all("images", &[2, 3, 5, 3]),
        all("rows", &[3, 37]),
        all("one number", &[1, 1]),
        all("a vector", &[5]),
        all("empty batch", &[0, 4]),
    ]
    .into_iter()
    .flatten()
    .collect()
}

pub fn timed() -> Vec<Case> {
    all("1024×1024", &[1024, 1024])
}

pub fn refusals() -> Vec<Refusal> {
    vec![
        Refusal::new(
            Relu {},
            &[],
            "Relu \"case\": expected 1 operand, got 0. Connect the missing inputs.",
        ),
        Refusal::new(
            Tanh {},
            &[&[1], &[1]],
            "Tanh \"case\": expected 1 operand, got 2. Connect the missing inputs.",
        ),
        Refusal::new(
            Sigmoid {},
            &[&[1], &[1]],
            "Sigmoid \"case\": expected 1 operand, got 2. Connect the missing inputs.",
        ),
    ]
}
