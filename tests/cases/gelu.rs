//! Cases of the Gaussian error linear unit.

use super::{Case, Refusal};
use nn::ops::Gelu;
use oracle::Array;
use oracle::ops::gelu::gelu;

fn case(name: &str, tanh: bool, x: &[usize], spread: f64) -> Case {
    let oracle = move |src: &[Array]| vec![src[0].map(|x| gelu(x, tanh))];
    Case::new(name, Gelu { tanh }, oracle)
        .values(Array::sample(x, 1).map(|x| spread * x))
        .tolerance(1e-5, "both engines approximate erf and tanh to some 1e-7")
}

pub fn cases() -> Vec<Case> {
    let both = |tanh: bool| {
        let form = if tanh { "tanh" } else { "erf" };
        vec![
            case(&format!("by {form}"), tanh, &[5, 33], 4.0),
            case(&format!("by {form}, far out"), tanh, &[64], 20.0),
            case(&format!("by {form}, empty"), tanh, &[0, 3], 1.0),
        ]
    };
    [false, true].into_iter().flat_map(both).collect()
}

pub fn timed() -> Vec<Case> {
    vec![case("2048×1024", false, &[2048, 1024], 3.0)]
}

pub fn refusals() -> Vec<Refusal> {
    vec![Refusal::new(
        Gelu::default(),
        &[&[2], &[2]],
        "Gelu \"case\": expected 1 operand, got 2. Connect the missing inputs.",
    )]
}
