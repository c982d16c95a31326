//! Cases of the general matrix product.

use super::{Case, Refusal};
use nn::ops::Gemm;
use oracle::Array;
use oracle::ops::matmul;

/// [m, k] by [k, n], stored as the transpositions say, without bias.
fn case(name: &str, op: Gemm, [m, k, n]: [usize; 3]) -> Case {
    let settings = matmul::Gemm { alpha: 1.0, beta: 1.0, trans_a: op.trans_a, trans_b: op.trans_b };
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
    cases
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
