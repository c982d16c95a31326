//! Cases of the batched matrix product.

use super::{Case, Refusal};
use nn::ops::MatMul;
use oracle::Array;
use oracle::ops::matmul;

fn case(name: &str, a: &[usize], b: &[usize]) -> Case {
    let oracle = |src: &[Array]| vec![matmul::matmul(&src[0], &src[1])];
    Case::new(name, MatMul::default(), oracle).operand(a).operand(b)
}

pub fn cases() -> Vec<Case> {
    vec![
        case("two matrices", &[5, 7], &[7, 3]),
        case("a batch", &[3, 2, 5], &[3, 5, 4]),
        case("two batch dimensions", &[2, 3, 4, 5], &[2, 3, 5, 2]),
        case("one matrix for a batch", &[3, 2, 5], &[5, 4]),
        case("one row of matrices for many", &[2, 3, 4, 2], &[3, 2, 5]),
        case("both repeated", &[2, 1, 3, 2], &[1, 3, 2, 4]),
        case("one number", &[1, 1, 1], &[1, 1, 1]),
        case("larger than a block", &[2, 17, 33], &[2, 33, 9]),
        case("empty batch", &[0, 2, 3], &[3, 4]),
    ]
}

pub fn timed() -> Vec<Case> {
    vec![
        case("1024³", &[1024, 1024], &[1024, 1024]),
        case("attention 96×128×64×128", &[96, 128, 64], &[96, 64, 128]),
    ]
}

pub fn refusals() -> Vec<Refusal> {
    vec![
        Refusal::new(
            MatMul::default(),
            &[&[2, 3], &[4, 5]],
            "MatMul \"case\": expected 3 rows in b, as a has columns, got shapes [2, 3] and [4, 5]. \
             Match the inner dimensions.",
        ),
        Refusal::new(
            MatMul::default(),
            &[&[3], &[3, 5]],
            "MatMul \"case\": expected operands of at least two dimensions, got shapes [3] and \
             [3, 5]. Reshape the vector to a matrix of one row or column.",
        ),
        Refusal::new(
            MatMul::default(),
            &[&[2, 3, 4], &[3, 4, 5]],
            "MatMul \"case\": broadcast: shapes [2] and [3] do not fit: dimensions must be equal \
             or 1",
        ),
    ]
}
