//! Cases of dropout.

use super::{Case, Refusal};
use crate::harness::{PLAIN, Session};
use nn::ops::Dropout;
use nn::{Graph, ParameterTable};
use oracle::Array;
use oracle::ops::elementwise;
use tensor::{Shape, Tensor};

/// What dropout makes of ones: the mask, scaled.
pub fn mask(op: &Dropout, dims: &[usize]) -> Vec<f32> {
    let mut graph = Graph::new(ParameterTable::new());
    let x = graph.input("x", Shape::new(dims));
    let y = graph.add("dropout", op.clone(), &[x]).unwrap()[0];
    graph.output("y", y);
    let ones = Tensor::new(dims, vec![1.0f32; dims.iter().product()]).unwrap();
    Session::new(&graph, &[], &[ones], PLAIN).run().output(0)
}

/// Forward and backward must multiply by one and the same mask, whatever the input.
fn case(name: &str, op: Dropout, x: &[usize]) -> Case {
    let mask = Array::from_f32(x, &mask(&op, x));
    Case::new(name, op, move |src: &[Array]| vec![elementwise::mul(&src[0], &mask)])
        .operand(x)
        .tolerance(1e-6, "one multiplication for each number")
}

/// The mask tells where the numbers went.
fn masked(ratio: f32, training: bool) -> Case {
    let op = Dropout { ratio, training, salt: 7, mask: true };
    let dims = [5, 7];
    let factors = Array::from_f32(&dims, &mask(&op, &dims));
    let oracle = move |src: &[Array]| {
        let kept = factors.map(|factor| f64::from(u8::from(factor != 0.0)));
        vec![elementwise::mul(&src[0], &factors), kept]
    };
    Case::new(format!("with its mask, training {training}"), op, oracle)
        .operand(&dims)
        .tolerance(1e-6, "one multiplication for each number")
}

pub fn cases() -> Vec<Case> {
    let training = |ratio, salt| Dropout { ratio, training: true, salt, ..Dropout::default() };
    vec![
        case("half", training(0.5, 1), &[3, 33]),
        case("a tenth of images", training(0.1, 2), &[2, 3, 5, 4]),
        case("nothing", training(0.0, 3), &[2, 5]),
        case(
            "inference",
            Dropout { ratio: 0.5, training: false, salt: 4, ..Dropout::default() },
            &[2, 5],
        ),
        masked(0.4, true),
        masked(0.4, false),
        case("one number", training(0.3, 5), &[1, 1]),
        case("empty batch", training(0.3, 6), &[0, 4]),
    ]
}

pub fn timed() -> Vec<Case> {
    vec![case(
        "half of 1024×1024",
        Dropout { ratio: 0.5, training: true, salt: 1, ..Dropout::default() },
        &[1024, 1024],
    )]
}

pub fn refusals() -> Vec<Refusal> {
    vec![Refusal::new(
        Dropout { ratio: 1.0, training: true, salt: 0, ..Dropout::default() },
        &[&[2, 3]],
        "Dropout \"case\": expected a ratio in [0, 1), got 1. Give the share of values to drop.",
    )]
}
