//! Cases of lookups.

use super::{Case, Refusal};
use nn::TensorType;
use nn::ops::Gather;
use oracle::Array;
use oracle::ops::index;
use tensor::DType;

fn case(name: &str, axis: i64, x: &[usize]) -> Case {
    let at = if axis < 0 { axis + x.len() as i64 } else { axis } as usize;
    let oracle = move |src: &[Array]| vec![index::gather(&src[0], &src[1], at)];
    Case::new(name, Gather { axis }, oracle).operand(x).tolerance(1e-6, "sums of a few numbers")
}

pub fn cases() -> Vec<Case> {
    vec![
        case("an embedding", 0, &[7, 4]).indices(&[2, 3], &[6, 0, 3, 3, -7, -1]),
        case("columns", 1, &[3, 5]).indices(&[2], &[4, 0]),
        case("the axis between", -2, &[2, 3, 4]).indices(&[4], &[0, 2, 0, -1]),
        case("one index", 0, &[3, 2]).indices(&[], &[1]),
        case("small integers as indices", 0, &[3, 2])
            .typed(DType::I32, Array::new(&[2], vec![2.0, -3.0])),
        case("no index", 0, &[3, 2]).indices(&[0], &[]),
        case("empty rows", 0, &[3, 0]).indices(&[2], &[0, 1]),
    ]
}

pub fn timed() -> Vec<Case> {
    let indices: Vec<i64> = (0..4096).map(|i| i * 7919 % 30_000).collect();
    vec![case("4096 of 30,000×256", 0, &[30_000, 256]).indices(&[4096], &indices)]
}

pub fn refusals() -> Vec<Refusal> {
    vec![
        Refusal::new(
            Gather { axis: 0 },
            &[&[3, 2], &[2]],
            "Gather \"case\": expected indices of type i32 or i64, got f32. Cast the indices to i64 \
             first.",
        ),
        Refusal::typed(
            Gather { axis: 2 },
            &[TensorType::new(DType::F32, [3, 2]), TensorType::new(DType::I64, [2])],
            "Gather \"case\": expected an axis of 2 dimensions, got axis 2. Count axes from 0, or \
             from −1 at the end.",
        ),
    ]
}
