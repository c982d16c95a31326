//! Cases of rows of zeros and a one.

use super::{Case, Refusal};
use nn::ops::OneHot;
use oracle::Array;
use tensor::{DType, Wide};

pub fn cases() -> Vec<Case> {
    let rows = OneHot { depth: 3, ..OneHot::default() };
    let columns =
        OneHot { axis: 0, depth: 3, off: Wide::Int(2), on: Wide::Int(7), dtype: DType::I32 };
    let literal = |dims: &'static [usize], data: &'static [f64]| {
        move |_: &[Array]| vec![Array::new(dims, data.to_vec())]
    };
    vec![
        Case::new(
            "rows",
            rows,
            literal(&[2, 2, 3], &[1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]),
        )
        .indices(&[2, 2], &[0, 2, -1, 3]),
        Case::new("columns", columns, literal(&[3, 2], &[2.0, 7.0, 7.0, 2.0, 2.0, 2.0]))
            .fixed(Array::new(&[2], vec![1.0, 0.0])),
    ]
}

pub fn refusals() -> Vec<Refusal> {
    vec![Refusal::new(
        OneHot { axis: 2, ..OneHot::default() },
        &[&[2]],
        "OneHot \"case\": expected an axis of 2 dimensions, got axis 2. Count axes from 0, or from \
         −1 at the end.",
    )]
}
