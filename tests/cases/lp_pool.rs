//! Cases of the pooling by norms.

use super::{Case, Refusal};
use nn::ops::LpPool;
use oracle::Array;
use oracle::ops::pool::Pool;

/// The p-th root of the mean of the powers, times the number of places.
fn case(name: &str, op: LpPool, x: &[usize]) -> Case {
    let r = x.len() - 2;
    let or = |list: &[usize], n: usize, default| match list {
        [] => vec![default; n],
        _ => list.to_vec(),
    };
    let pool = Pool {
        kernel: op.kernel_shape.clone(),
        strides: or(&op.strides, r, 1),
        pads: or(&op.pads, 2 * r, 0),
        dilations: or(&op.dilations, r, 1),
        ceil_mode: op.ceil_mode,
    };
    let p = op.p;
    let oracle = move |src: &[Array]| {
        let (powers, root) = (src[0].map(|x| x.abs().powi(p as i32)), 1.0 / f64::from(p));
        vec![pool.sum(&powers).map(|sum| sum.powf(root))]
    };
    Case::new(name, op, oracle).operand(x)
}

pub fn cases() -> Vec<Case> {
    let pool =
        |p, kernel: &[usize]| LpPool { p, kernel_shape: kernel.to_vec(), ..LpPool::default() };
    vec![
        case("of absolute values", pool(1, &[2, 2]), &[1, 2, 3, 4]),
        case("of squares", pool(2, &[3, 2]), &[2, 2, 5, 4]),
        case(
            "of cubes with stride",
            LpPool { strides: vec![2, 2], ..pool(3, &[2, 2]) },
            &[1, 2, 5, 6],
        ),
        case("padded", LpPool { pads: vec![1, 0, 0, 1], ..pool(2, &[2, 2]) }, &[1, 2, 3, 3]),
        case("dilated", LpPool { dilations: vec![2, 1], ..pool(2, &[2, 2]) }, &[1, 1, 4, 3]),
        case("in one dimension", pool(2, &[3]), &[1, 2, 6]),
        case("in three dimensions", pool(2, &[2, 1, 2]), &[1, 1, 3, 2, 3]),
    ]
}

pub fn refusals() -> Vec<Refusal> {
    vec![Refusal::new(
        LpPool { p: 0, ..LpPool::default() },
        &[&[1, 1, 2, 2]],
        "LpPool \"case\": expected p of at least 1, got 0. Choose the norm.",
    )]
}
