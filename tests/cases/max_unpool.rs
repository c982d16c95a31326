//! Cases of the inverse of max pooling.

use super::{Case, Refusal};
use nn::TensorType;
use nn::ops::MaxUnpool;
use oracle::Array;
use tensor::DType;

/// Two planes of 2×2 whose numbers go to these places of 4×4; y may be larger.
fn case(name: &str, output_shape: &[usize], at: [i64; 8]) -> Case {
    let op = MaxUnpool {
        kernel_shape: vec![2, 2],
        strides: vec![2, 2],
        output_shape: output_shape.to_vec(),
        ..MaxUnpool::default()
    };
    let dims = if output_shape.is_empty() { vec![1, 2, 4, 4] } else { output_shape.to_vec() };
    let oracle = move |src: &[Array]| {
        let mut y = Array::zeros(&dims);
        for (x, &at) in src[0].data.iter().zip(&src[1].data) {
            let at = at as usize;
            *y.at_mut(&[0, at / 16, at / 4 % 4, at % 4]) += x;
        }
        vec![y]
    };
    Case::new(name, op, oracle).operand(&[1, 2, 2, 2]).indices(&[1, 2, 2, 2], &at)
}

pub fn cases() -> Vec<Case> {
    let at = [5, 7, 13, 15, 16, 18, 29, 31];
    vec![case("of 2×2", &[], at), case("into a larger plane", &[1, 2, 5, 6], at)]
}

pub fn refusals() -> Vec<Refusal> {
    let op = MaxUnpool { kernel_shape: vec![2, 2], ..MaxUnpool::default() };
    let dims = [1, 1, 2, 2];
    vec![Refusal::typed(
        op,
        &[TensorType::new(DType::F32, dims), TensorType::new(DType::F32, dims)],
        "MaxUnpool \"case\": expected an index (i64) for each element of [1, 1, 2, 2], got f32 \
         [1, 1, 2, 2]. Give the indices of a pooling.",
    )]
}
