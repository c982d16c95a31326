//! Cases of tensors made of settings.

use super::{Case, Refusal};
use nn::ops::{ConstantOfShape, EyeLike, Range};
use oracle::Array;
use tensor::{DType, Wide};

pub fn cases() -> Vec<Case> {
    let literal = |dims: &'static [usize], data: &'static [f64]| {
        move |_: &[Array]| vec![Array::new(dims, data.to_vec())]
    };
    let sevens = ConstantOfShape { shape: vec![2, 2], value: Wide::Int(7), dtype: DType::U8 };
    let up =
        Range { start: Wide::Int(1), limit: Wide::Int(8), delta: Wide::Int(3), ..Range::default() };
    let down =
        Range { start: Wide::Int(5), limit: Wide::Int(1), delta: Wide::Int(-2), ..up.clone() };
    let none = Range { limit: Wide::Int(0), ..up.clone() };
    let floats = Range {
        start: Wide::Float(0.5),
        limit: Wide::Float(2.0),
        delta: Wide::Float(0.5),
        dtype: DType::F32,
    };
    let eye = EyeLike { k: 1, dtype: Some(DType::I64) };
    vec![
        Case::new("sevens", sevens, literal(&[2, 2], &[7.0; 4])),
        Case::new("a scalar", ConstantOfShape::default(), literal(&[], &[0.0])),
        Case::new("up", up, literal(&[3], &[1.0, 4.0, 7.0])),
        Case::new("down", down, literal(&[2], &[5.0, 3.0])),
        Case::new("none", none, literal(&[0], &[])),
        Case::new("floats", floats, literal(&[3], &[0.5, 1.0, 1.5])),
        Case::new("a diagonal", eye, literal(&[2, 3], &[0.0, 1.0, 0.0, 0.0, 0.0, 1.0]))
            .fixed(Array::zeros(&[2, 3])),
        Case::new("a square", EyeLike::default(), literal(&[2, 2], &[1.0, 0.0, 0.0, 1.0]))
            .fixed(Array::zeros(&[2, 2])),
    ]
}

pub fn refusals() -> Vec<Refusal> {
    vec![
        Refusal::new(
            ConstantOfShape::default(),
            &[&[2]],
            "ConstantOfShape \"case\": expected 0 operands, got 1. Connect the missing inputs.",
        ),
        Refusal::new(
            Range { limit: Wide::Int(1), delta: Wide::Int(0), ..Range::default() },
            &[],
            "Range \"case\": expected a step that reaches the limit, got start Int(0), limit Int(1), \
             delta Int(0). Use a finite step other than 0.",
        ),
        Refusal::new(
            EyeLike::default(),
            &[&[3]],
            "EyeLike \"case\": expected a matrix, got [3]. Reshape the input first.",
        ),
    ]
}
