//! Cases of results whose shape depends on the elements.

use super::{Case, Refusal};
use nn::ops::{Compress, NonZero, Unique};
use oracle::Array;
use tensor::DType;

fn array(dims: &[usize], data: &[f64]) -> Array {
    Array::new(dims, data.to_vec())
}

pub fn cases() -> Vec<Case> {
    let truth = |data: &[f64]| array(&[data.len()], data);
    let unique = |axis, sorted| Unique { axis, sorted };
    let found = |_: &[Array]| vec![array(&[2, 3], &[0.0, 1.0, 1.0, 1.0, 0.0, 1.0])];
    let rows = |_: &[Array]| vec![array(&[1, 2], &[3.0, 4.0])];
    let flat = |_: &[Array]| vec![array(&[2], &[2.0, 4.0])];
    let sorted = |_: &[Array]| {
        vec![
            array(&[3], &[1.0, 2.0, 3.0]),
            array(&[3], &[1.0, 0.0, 3.0]),
            array(&[5], &[1.0, 0.0, 0.0, 2.0, 1.0]),
            array(&[3], &[2.0, 2.0, 1.0]),
        ]
    };
    let unsorted = |_: &[Array]| {
        vec![
            array(&[3], &[2.0, 1.0, 3.0]),
            array(&[3], &[0.0, 1.0, 3.0]),
            array(&[5], &[0.0, 1.0, 1.0, 2.0, 0.0]),
            array(&[3], &[2.0, 2.0, 1.0]),
        ]
    };
    let parts = |_: &[Array]| {
        vec![
            array(&[2, 2], &[0.0, 2.0, 1.0, 0.0]),
            array(&[2], &[1.0, 0.0]),
            array(&[3], &[1.0, 0.0, 1.0]),
            array(&[2], &[1.0, 2.0]),
        ]
    };
    let matrix = array(&[3, 2], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let repeated = array(&[3, 2], &[1.0, 0.0, 0.0, 2.0, 1.0, 0.0]);
    let numbers = array(&[5], &[2.0, 1.0, 1.0, 3.0, 2.0]);
    vec![
        Case::new("matrix", NonZero {}, found).fixed(array(&[2, 2], &[0.0, 3.0, -1.0, 2.0])),
        Case::new("rows", Compress { axis: Some(0) }, rows)
            .fixed(matrix.clone())
            .typed(DType::Bool, truth(&[0.0, 1.0])),
        Case::new("elements", Compress { axis: None }, flat)
            .fixed(matrix)
            .typed(DType::Bool, truth(&[0.0, 1.0, 0.0, 1.0])),
        Case::new("sorted", unique(None, true), sorted).fixed(numbers.clone()),
        Case::new("in order", unique(None, false), unsorted).fixed(numbers),
        Case::new("rows", unique(Some(0), true), parts).fixed(repeated),
    ]
    .into_iter()
    .map(Case::constants_only)
    .collect()
}

pub fn refusals() -> Vec<Refusal> {
    vec![
        Refusal::new(
            NonZero {},
            &[&[2]],
            "NonZero \"case\": the shape of the result depends on values that are not known yet. \
             Give them as constants",
        ),
        Refusal::new(
            Compress { axis: Some(0) },
            &[&[2, 3], &[3]],
            "Compress \"case\": expected a condition bool [n] with n up to 2, got f32 [3]. Give one \
             truth value for each part.",
        ),
        Refusal::new(
            Unique { axis: Some(1), sorted: true },
            &[&[2]],
            "Unique \"case\": expected an axis of 1 dimensions, got axis 1. Count axes from 0, or \
             from −1 at the end.",
        ),
    ]
}
