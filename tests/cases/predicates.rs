//! Cases of questions about one element.

use super::{Case, Refusal};
use nn::ops::{BitwiseNot, IsInf, IsNaN, Not};
use oracle::Array;
use tensor::DType;

fn number(truth: bool) -> f64 {
    f64::from(u8::from(truth))
}

/// Finite and infinite numbers.
fn extremes() -> Array {
    Array::new(&[2, 2], vec![f64::INFINITY, 1.0, f64::NEG_INFINITY, 0.0])
}

pub fn cases() -> Vec<Case> {
    let infinite = |name: &str, op: IsInf, f: fn(f64) -> f64| {
        Case::new(name, op, move |src: &[Array]| vec![src[0].map(f)]).fixed(extremes())
    };
    let positive = IsInf { detect_negative: false, detect_positive: true };
    vec![
        infinite("either", IsInf::default(), |x| number(x.is_infinite())),
        infinite("positive", positive, |x| number(x == f64::INFINITY)),
        Case::new("numbers", IsNaN {}, |src: &[Array]| vec![src[0].map(|x| number(x.is_nan()))])
            .fixed(extremes()),
        Case::new("truth", Not {}, |src: &[Array]| vec![src[0].map(|x| 1.0 - x)])
            .typed(DType::Bool, Array::new(&[3], vec![1.0, 0.0, 1.0])),
        Case::new("signed", BitwiseNot {}, |src: &[Array]| vec![src[0].map(|x| -x - 1.0)])
            .indices(&[4], &[0, -1, 5, -8]),
        Case::new("unsigned", BitwiseNot {}, |src: &[Array]| vec![src[0].map(|x| 255.0 - x)])
            .typed(DType::U8, Array::new(&[3], vec![0.0, 255.0, 17.0])),
        Case::new("empty batch", IsNaN {}, |src: &[Array]| vec![src[0].clone()])
            .fixed(Array::zeros(&[0, 2])),
    ]
}

pub fn refusals() -> Vec<Refusal> {
    vec![
        Refusal::new(
            Not {},
            &[&[2]],
            "Not \"case\": expected truth values, got f32. Cast the input first.",
        ),
        Refusal::new(
            BitwiseNot {},
            &[&[2]],
            "BitwiseNot \"case\": expected integers, got f32. Cast the input first.",
        ),
        Refusal::new(
            IsNaN {},
            &[],
            "IsNaN \"case\": expected 1 operand, got 0. Connect the missing inputs.",
        ),
        Refusal::new(
            IsInf::default(),
            &[],
            "IsInf \"case\": expected 1 operand, got 0. Connect the missing inputs.",
        ),
    ]
}
