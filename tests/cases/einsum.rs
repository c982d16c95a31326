//! Cases of Einstein's sums.

use super::{Case, Refusal};
use nn::ops::Einsum;
use oracle::Array;
use oracle::ops::einsum::einsum;

/// The equation, and the same without ellipsis and with an output for the oracle.
fn case(equation: &str, plain: &'static str, operands: &[&[usize]]) -> Case {
    let op = Einsum { equation: equation.into() };
    let case = Case::new(equation, op, move |src: &[Array]| vec![einsum(plain, src)]);
    operands.iter().fold(case, |case, dims| case.operand(dims))
}

pub fn cases() -> Vec<Case> {
    vec![
        case("ij,jk->ik", "ij,jk->ik", &[&[2, 3], &[3, 4]]),
        case("bij, bjk", "bij,bjk->ik", &[&[2, 3, 4], &[2, 4, 2]]),
        case("...ij,...jk->...ik", "abij,bjk->abik", &[&[2, 3, 2, 4], &[3, 4, 2]]),
        case("ij->ji", "ij->ji", &[&[2, 3]]),
        case("ij->i", "ij->i", &[&[3, 4]]),
        case("bi,bi->b", "bi,bi->b", &[&[2, 5], &[2, 5]]),
        case("ii->", "ii->", &[&[4, 4]]),
        case("i,j->ij", "i,j->ij", &[&[3], &[2]]),
        case("bn,anm,bm->ba", "bn,anm,bm->ba", &[&[2, 5], &[3, 5, 4], &[2, 4]]),
        case("bqhd,bkhd->bhqk", "bqhd,bkhd->bhqk", &[&[2, 3, 2, 4], &[2, 5, 2, 4]]),
        case("ii->i", "ii->i", &[&[4, 4]]),
        case("bii->b", "bii->b", &[&[2, 3, 3]]),
    ]
}

pub fn refusals() -> Vec<Refusal> {
    let op = |equation: &str| Einsum { equation: equation.into() };
    vec![
        Refusal::new(
            op("ij,jk->ik"),
            &[&[2, 3]],
            "Einsum \"case\": expected as many operands as terms in the equation \"ij,jk->ik\", got 1 \
             operands. Name each dimension of each operand by a letter, or by ....",
        ),
        Refusal::new(
            op("ij,jk->ik"),
            &[&[2, 3], &[4, 5]],
            "Einsum \"case\": expected j of size 3 in the equation \"ij,jk->ik\", got 4. Name each \
             dimension of each operand by a letter, or by ....",
        ),
    ]
}
