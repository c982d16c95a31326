//! Cases of repetition.

use super::{Case, Refusal};
use nn::ops::Tile;
use oracle::Array;
use oracle::ops::index;

fn case(name: &str, repeats: &[usize], x: &[usize]) -> Case {
    let positions = x.iter().zip(repeats).map(|(&d, &r)| (0..d * r).map(|i| Some(i % d)).collect());
    let positions: Vec<Vec<Option<usize>>> = positions.collect();
    let oracle = move |src: &[Array]| vec![index::select(&src[0], &positions)];
    Case::new(name, Tile { repeats: repeats.to_vec() }, oracle)
        .operand(x)
        .tolerance(1e-6, "sums of a few numbers")
}

pub fn cases() -> Vec<Case> {
    vec![
        case("rows", &[2, 1], &[3, 2]),
        case("both", &[2, 3], &[2, 2]),
        case("once", &[1, 1], &[2, 3]),
        case("never", &[0, 2], &[2, 3]),
    ]
}

pub fn refusals() -> Vec<Refusal> {
    vec![Refusal::new(
        Tile { repeats: vec![2] },
        &[&[2, 3]],
        "Tile \"case\": expected one number of repeats for each axis of src [2, 3], got repeats [2]. \
         Use 1 where nothing is repeated.",
    )]
}
