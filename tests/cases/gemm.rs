//! Cases of the general matrix product.

use super::{Case, Refusal};
use nn::ops::Gemm;
use oracle::Array;
use oracle::ops::matmul;
use tensor::DType;

/// [m, k] by [k, n], stored as the transpositions say, without bias.
fn case(name: &str, op: Gemm, [m, k, n]: [usize; 3]) -> Case {
    let [alpha, beta] = [op.alpha, op.beta].map(f64::from);
    let settings = matmul::Gemm { alpha, beta, trans_a: op.trans_a, trans_b: op.trans_b };
    let a = if op.trans_a { [k, m] } else { [m, k] };
    let b = if op.trans_b { [n, k] } else { [k, n] };
    let oracle = move |src: &[Array]| vec![settings.forward(&src[0], &src[1], src.get(2))];
    Case::new(name, op, oracle).operand(&a).operand(&b)
}

pub fn cases() -> Vec<Case> {
    let dense = Gemm::new(false, true);
    let mut cases = vec![
        case("dense", dense.clone(), [5, 7, 4]).operand(&[4]),
        case("dense without bias", dense.clone(), [3, 17, 33]),
        case("dense of one row", dense.clone(), [1, 32, 10]).operand(&[10]),
        case("dense of one number", dense.clone(), [1, 1, 1]).operand(&[1]),
        case("dense of no features", dense.clone(), [3, 0, 4]).operand(&[4]),
        case("dense of an empty batch", dense, [0, 7, 4]).operand(&[4]),
    ];
    for (trans_a, trans_b) in [(false, false), (true, false), (true, true)] {
        let name = format!("transposed a {trans_a}, b {trans_b}");
        cases.push(case(&name, Gemm::new(trans_a, trans_b), [5, 3, 6]).operand(&[6]));
    }
    let mut scaled = Gemm::new(true, false);
    (scaled.alpha, scaled.beta) = (0.5, -1.5);
    for c in [&[4][..], &[3, 4], &[3, 1], &[1, 4], &[1], &[]] {
        cases.push(case(&format!("scaled with c {c:?}"), scaled.clone(), [3, 5, 4]).operand(c));
    }
    cases.push(case("one c for each row", Gemm::default(), [3, 5, 4]).operand(&[3, 1]));
    let mut doubled = Gemm::new(false, true);
    doubled.alpha = 2.0;
    let integers = case("of integers", doubled, [2, 3, 2]);
    cases.push(typed(integers, DType::I32).typed(DType::I32, Array::new(&[2], vec![5.0, -6.0])));
    let double = case("of f64", scaled, [2, 3, 2]);
    cases.push(typed(double, DType::F64));
    cases
}

/// The case with scattered operands of another type.
fn typed(mut case: Case, dtype: DType) -> Case {
    let operands = std::mem::take(&mut case.operands);
    for operand in operands {
        case = case.typed(dtype, operand.values.map(|x| (20.0 * x).round()));
    }
    case
}

pub fn timed() -> Vec<Case> {
    let dense = |m, k, n| {
        let name = format!("{m}×{k}×{n}");
        case(&name, Gemm::new(false, true), [m, k, n]).operand(&[n])
    };
    vec![dense(32, 784, 256), dense(64, 400, 120), dense(1024, 1024, 1024)]
}

pub fn refusals() -> Vec<Refusal> {
    vec![
        Refusal::new(
            Gemm::new(false, true),
            &[&[2, 3], &[4, 5]],
            "Gemm \"case\": expected 5 features, as the weights [4, 5] have, got 3 features in src \
             [2, 3]. Match the layer before or the number of units.",
        ),
        Refusal::new(
            Gemm::new(false, true),
            &[&[2, 3, 3], &[4, 3]],
            "Gemm \"case\": expected two matrices, got shapes [2, 3, 3] and [4, 3]. Flatten the \
             input first.",
        ),
        Refusal::new(
            Gemm::new(false, true),
            &[&[2, 3], &[4, 3], &[3]],
            "Gemm \"case\": expected bias [4], got [3]. Give one bias per unit.",
        ),
    ]
}
