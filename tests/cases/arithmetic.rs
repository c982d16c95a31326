//! Cases of arithmetic with broadcasting.

use super::{Case, Refusal};
use nn::Op;
use nn::ops::{Div, Max, Min, Mod, PRelu, Pow, Sub};
use oracle::Array;
use oracle::ops::elementwise::{broadcast, broadcast_at};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tensor::DType;

/// The oracle of a function of two elements.
pub fn pair(f: fn(f64, f64) -> f64) -> impl Fn(&[Array]) -> Vec<Array> {
    move |src: &[Array]| {
        let (a, b) = (&src[0], &src[1]);
        let dims = broadcast(&a.dims, &b.dims);
        vec![Array::from_fn(&dims, |at| f(broadcast_at(a, at), broadcast_at(b, at)))]
    }
}

/// Shapes of two operands and what they are called.
pub const SHAPES: [(&str, &[usize], &[usize]); 6] = [
    ("equal shapes", &[2, 3, 4], &[2, 3, 4]),
    ("a row for each", &[5, 7], &[7]),
    ("a column for each", &[5, 7], &[5, 1]),
    ("both repeated", &[3, 1, 4], &[2, 1]),
    ("one number", &[3, 2], &[]),
    ("empty batch", &[0, 3], &[3]),
];

/// Operands in (1, 3) and their negatives, so that nothing is divided by 0.
fn each<O>(op: O, f: fn(f64, f64) -> f64, negative: bool) -> Vec<Case>
where
    O: Op + Clone + PartialEq + Serialize + DeserializeOwned,
{
    let sign = |x: f64| if negative && x < 0.0 { x - 1.0 } else { x.abs() + 1.0 };
    let case = |(name, a, b): (&str, &[usize], &[usize])| {
        Case::new(name, op.clone(), pair(f))
            .values(Array::sample(a, 1).map(|x| 2.0 * sign(x)))
            .values(Array::sample(b, 2).map(sign))
    };
    SHAPES.into_iter().map(case).collect()
}

pub fn cases() -> Vec<Case> {
    let remainder = |name: &str, fmod: bool, f: fn(f64, f64) -> f64| {
        Case::new(name, Mod { fmod }, pair(f))
            .indices(&[6], &[7, -7, 7, -7, 3, 0])
            .indices(&[6], &[3, 3, -3, -3, 1, 5])
    };
    let integers = |name: &str| {
        let power = |a: f64, b: f64| if b < 0.0 { (a.powf(b)).trunc() } else { a.powf(b) };
        Case::new(name, Pow {}, pair(power))
            .indices(&[5], &[2, 3, -2, 2, -1])
            .indices(&[5], &[10, 0, 3, -1, -3])
    };
    let quotient = Case::new("integers towards zero", Div {}, pair(|a, b| (a / b).trunc()))
        .indices(&[4], &[7, -7, 7, -9])
        .indices(&[4], &[2, 2, -2, 3]);
    let wrapped = Case::new("unsigned", Sub {}, pair(|a, b| (a - b).rem_euclid(256.0)))
        .typed(DType::U8, Array::new(&[3], vec![5.0, 3.0, 200.0]))
        .typed(DType::U8, Array::new(&[3], vec![3.0, 5.0, 1.0]));
    [
        each(Sub {}, |a, b| a - b, true),
        each(Div {}, |a, b| a / b, true),
        each(Pow {}, f64::powf, false),
        each(Max {}, f64::max, true),
        each(Min {}, f64::min, true),
        each(PRelu {}, |a, b| if a < 0.0 { a * b } else { a }, true),
        vec![
            remainder("the divisor's sign", false, |a, b| a - b * (a / b).floor()),
            remainder("the dividend's sign", true, |a, b| a % b),
            integers("integers"),
            quotient,
            wrapped,
        ],
    ]
    .into_iter()
    .flatten()
    .collect()
}

pub fn refusals() -> Vec<Refusal> {
    macro_rules! refuse {
        ($($op:ident),*) => {
            vec![$(Refusal::new(
                $op::default(),
                &[&[2, 3], &[2, 4]],
                concat!(
                    stringify!($op),
                    " \"case\": broadcast: shapes [2, 3] and [2, 4] do not fit: dimensions must be \
                     equal or 1"
                ),
            )),*]
        };
    }
    refuse!(Sub, Div, Pow, Mod, Max, Min, PRelu)
}
