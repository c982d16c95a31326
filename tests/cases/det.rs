//! Cases of determinants.

use super::{Case, Refusal};
use nn::ops::Det;
use oracle::Array;

/// By the definition: the sum over the first row of entries times their cofactors.
fn determinant(a: &[f64], n: usize) -> f64 {
    if n == 0 {
        return 1.0;
    }
    let minor =
        |j: usize| -> Vec<f64> { (n..n * n).filter(|at| at % n != j).map(|at| a[at]).collect() };
    let sign = |j: usize| if j.is_multiple_of(2) { 1.0 } else { -1.0 };
    (0..n).map(|j| sign(j) * a[j] * determinant(&minor(j), n - 1)).sum()
}

fn case(name: &str, dims: &[usize]) -> Case {
    let oracle = |src: &[Array]| {
        let (batch, n) =
            (&src[0].dims[..src[0].dims.len() - 2], src[0].dims[src[0].dims.len() - 1]);
        let all = src[0].data.chunks(n * n).map(|a| determinant(a, n)).collect();
        vec![Array::new(batch, all)]
    };
    Case::new(name, Det {}, oracle).operand(dims)
}

pub fn cases() -> Vec<Case> {
    let identity = Array::from_fn(&[3, 3], |i| f64::from(u8::from(i[0] == i[1])));
    vec![
        case("of 2×2", &[3, 2, 2]),
        case("of numbers", &[4, 1, 1]),
        case("of 4×4 in batches", &[2, 3, 4, 4]),
        Case::new("of the identity", Det {}, |_: &[Array]| vec![Array::new(&[], vec![1.0])])
            .fixed(identity),
        Case::new("of a singular matrix", Det {}, |_: &[Array]| vec![Array::new(&[], vec![0.0])])
            .fixed(Array::new(&[2, 2], vec![1.0, 2.0, 2.0, 4.0])),
    ]
}

pub fn refusals() -> Vec<Refusal> {
    vec![Refusal::new(
        Det {},
        &[&[2, 3]],
        "Det \"case\": expected square matrices [..., n, n], got [2, 3]. Make the last two \
         dimensions equal.",
    )]
}
