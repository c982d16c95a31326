//! Cases of choice.

use super::{Case, Refusal};
use nn::TensorType;
use nn::ops::Where;
use oracle::Array;
use oracle::ops::index;
use tensor::DType;

fn case(name: &str, condition: &[usize], to: &'static [usize]) -> Case {
    let truth = Array::sample(condition, 7).map(|x| f64::from(u8::from(x > 0.0)));
    Case::new(name, Where {}, move |src: &[Array]| {
        let [c, x, y] = [0, 1, 2].map(|i| index::expand(&src[i], to));
        vec![Array::from_fn(to, |i| if c.at(i) != 0.0 { x.at(i) } else { y.at(i) })]
    })
    .typed(DType::Bool, truth)
    .tolerance(1e-6, "sums of a few numbers")
}

pub fn cases() -> Vec<Case> {
    vec![
        case("equal shapes", &[3, 4], &[3, 4]).operand(&[3, 4]).operand(&[3, 4]),
        case("a mask", &[1, 1, 4], &[2, 3, 4]).operand(&[2, 3, 4]).operand(&[]),
        case("all broadcast", &[3, 1], &[2, 3, 4]).operand(&[4]).operand(&[2, 1, 1]),
        case("scalars", &[], &[]).operand(&[]).operand(&[]),
        case("empty batch", &[0, 2], &[0, 2]).operand(&[0, 2]).operand(&[2]),
    ]
}

pub fn refusals() -> Vec<Refusal> {
    let typed = |dtype| TensorType::new(dtype, [2]);
    vec![
        Refusal::new(
            Where {},
            &[&[2], &[2], &[2]],
            "Where \"case\": expected a condition of type bool, got f32. Compare or cast to bool \
             first.",
        ),
        Refusal::typed(
            Where {},
            &[typed(DType::Bool), typed(DType::F32), typed(DType::I64)],
            "Where \"case\": expected operands of one type, got f32 and i64. Cast the inputs to one \
             type first.",
        ),
    ]
}
