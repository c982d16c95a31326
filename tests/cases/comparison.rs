//! Cases of comparisons, logic and bits.

use super::arithmetic::{SHAPES, pair};
use super::{Case, Refusal};
use nn::ops::{
    And, BitwiseAnd, BitwiseOr, BitwiseXor, Equal, Greater, GreaterOrEqual, Less, LessOrEqual, Or,
    ShiftLeft, ShiftRight, Xor,
};
use oracle::Array;
use tensor::DType;

/// Small whole numbers, of which many are equal.
fn whole(dims: &[usize], seed: u64) -> Array {
    Array::sample(dims, seed).map(|x| (2.0 * x).round())
}

fn truth(dims: &[usize], seed: u64) -> Array {
    Array::sample(dims, seed).map(|x| f64::from(u8::from(x > 0.0)))
}

fn bits(dims: &[usize], seed: u64) -> Array {
    Array::sample(dims, seed).map(|x| (x.abs() * 7.0).round())
}

macro_rules! cases {
    ($values:ident, $dtype:expr, $($op:ident |$a:ident, $b:ident| $f:expr;)*) => {{
        let mut cases = Vec::new();
        $(for (name, a, b) in SHAPES {
            let f = |$a: f64, $b: f64| $f;
            cases.push(
                Case::new(name, $op {}, pair(f))
                    .typed($dtype, $values(a, 1))
                    .typed($dtype, $values(b, 2)),
            );
        })*
        cases
    }};
}

fn number(truth: bool) -> f64 {
    f64::from(u8::from(truth))
}

pub fn cases() -> Vec<Case> {
    [
        cases!(whole, DType::F32,
            Equal |a, b| number(a == b);
            Less |a, b| number(a < b);
            LessOrEqual |a, b| number(a <= b);
            Greater |a, b| number(a > b);
            GreaterOrEqual |a, b| number(a >= b);
        ),
        cases!(whole, DType::I32, Equal |a, b| number(a == b); Less |a, b| number(a < b);),
        cases!(truth, DType::Bool,
            And |a, b| number(a + b == 2.0);
            Or |a, b| number(a + b > 0.0);
            Xor |a, b| number(a != b);
            Equal |a, b| number(a == b);
        ),
        cases!(bits, DType::U8,
            BitwiseAnd |a, b| f64::from(a as u8 & b as u8);
            BitwiseOr |a, b| f64::from(a as u8 | b as u8);
            BitwiseXor |a, b| f64::from(a as u8 ^ b as u8);
            ShiftLeft |a, b| (a * b.exp2()).rem_euclid(256.0);
            ShiftRight |a, b| (a / b.exp2()).floor();
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

pub fn refusals() -> Vec<Refusal> {
    macro_rules! refuse {
        ($($op:ident),*) => {
            vec![$(Refusal::new(
                $op {},
                &[&[2]],
                concat!(
                    stringify!($op),
                    " \"case\": expected 2 operands, got 1. Connect the missing inputs."
                ),
            )),*]
        };
    }
    refuse!(
        And,
        BitwiseAnd,
        BitwiseOr,
        BitwiseXor,
        Equal,
        Greater,
        GreaterOrEqual,
        Less,
        LessOrEqual,
        Or,
        ShiftLeft,
        ShiftRight,
        Xor
    )
}
