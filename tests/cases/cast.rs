//! Cases of conversion.

use super::{Case, Refusal};
use nn::ops::Cast;
use oracle::Array;
use oracle::ops::shape;
use tensor::DType;

fn case(name: &str, to: DType, round: fn(f64) -> f64) -> Case {
    Case::new(name, Cast { to }, move |src: &[Array]| vec![shape::cast(&src[0], round)])
        .tolerance(1e-6, "nothing but rounding is computed")
}

fn scattered(dims: &[usize]) -> Array {
    Array::sample(dims, 1).map(|x| 50.0 * x)
}

pub fn cases() -> Vec<Case> {
    let keep = |x: f64| x;
    let truth = |x: f64| f64::from(u8::from(x != 0.0));
    let sixteen = "nearest 11 or 8 digits of base two";
    vec![
        case("nothing", DType::F32, keep).operand(&[3, 5]),
        case("to f64", DType::F64, keep).operand(&[3, 5]),
        case("to f16", DType::F16, keep).operand(&[3, 5]).tolerance(2.5e-4, sixteen),
        case("to bf16", DType::BF16, keep).operand(&[7]).tolerance(2e-3, sixteen),
        case("towards zero", DType::I32, f64::trunc).fixed(scattered(&[2, 3, 4])),
        case("to small integers", DType::I8, f64::trunc).fixed(scattered(&[9])),
        case("to truth", DType::Bool, truth).indices(&[2, 2], &[0, 1, -3, 0]),
        case("from integers", DType::F32, keep).indices(&[3], &[-7, 0, 9]),
        case("a wrapped integer", DType::U8, |x| x.rem_euclid(256.0)).indices(&[2], &[-1, 257]),
        case("empty batch", DType::F64, keep).operand(&[0, 3]),
    ]
}

pub fn refusals() -> Vec<Refusal> {
    vec![Refusal::new(
        Cast { to: DType::I64 },
        &[&[2], &[2]],
        "Cast \"case\": expected 1 operand, got 2. Connect the missing inputs.",
    )]
}
