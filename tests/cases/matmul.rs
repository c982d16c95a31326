//! Cases of the batched matrix product.

use super::{Case, Refusal};
use nn::ops::MatMul;
use oracle::Array;
use oracle::ops::matmul;
use tensor::DType;

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
        vectors("a row by a matrix", &[3], &[3, 5]),
        vectors("matrices by a column", &[2, 4, 3], &[3]),
        vectors("a row by matrices", &[3], &[2, 3, 4]),
        constant(vectors("a row by a column", &[7], &[7])),
        integers("of integers", &[2, 1, 3, 4], &[5, 4, 2]),
    ]
}

fn integers(name: &str, a: &[usize], b: &[usize]) -> Case {
    let case =
        Case::new(name, MatMul::default(), |src: &[Array]| vec![matmul::matmul(&src[0], &src[1])]);
    let scattered = |dims, seed| Array::sample(dims, seed).map(|x| (50.0 * x).round());
    case.typed(DType::I64, scattered(a, 1)).typed(DType::I64, scattered(b, 2))
}

/// Without gradient: a loss wants a batch.
fn constant(mut case: Case) -> Case {
    case.operands.iter_mut().for_each(|operand| operand.differentiable = false);
    case
}

/// Vectors are a row and a column.
fn vectors(name: &str, a: &[usize], b: &[usize]) -> Case {
    let dims = [a.to_vec(), b.to_vec()];
    let oracle = move |src: &[Array]| {
        let row = if dims[0].len() == 1 { vec![1, dims[0][0]] } else { dims[0].clone() };
        let column = if dims[1].len() == 1 { vec![dims[1][0], 1] } else { dims[1].clone() };
        let a = Array::new(&row, src[0].data.clone());
        let y = matmul::matmul(&a, &Array::new(&column, src[1].data.clone()));
        let mut left = y.dims.clone();
        if dims[1].len() == 1 {
            left.pop();
        }
        if dims[0].len() == 1 {
            left.remove(y.dims.len() - 2);
        }
        vec![Array::new(&left, y.data)]
    };
    Case::new(name, MatMul::default(), oracle).operand(a).operand(b)
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
            &[&[], &[3, 5]],
            "MatMul \"case\": expected operands of at least one dimension, got shapes [] and [3, 5]. \
             Use Mul to scale.",
        ),
        Refusal::new(
            MatMul::default(),
            &[&[2, 3, 4], &[3, 4, 5]],
            "MatMul \"case\": broadcast: shapes [2] and [3] do not fit: dimensions must be equal \
             or 1",
        ),
    ]
}
