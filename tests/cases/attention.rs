//! Cases of attention.

use super::{Case, Refusal};
use nn::ops::Attention;
use oracle::Array;
use oracle::ops::attention::attention;

/// \[b, s, n·e\] as \[b, n, s, e\].
fn split(x: &Array, heads: usize) -> Array {
    let [b, s, d] = x.dims[..] else { panic!("three dimensions") };
    let e = d / heads;
    Array::from_fn(&[b, heads, s, e], |at| x.at(&[at[0], at[2], at[1] * e + at[3]]))
}

/// \[b, n, s, e\] as \[b, s, n·e\].
fn join(x: &Array) -> Array {
    let [b, n, s, e] = x.dims[..] else { panic!("four dimensions") };
    Array::from_fn(&[b, s, n * e], |at| x.at(&[at[0], at[2] / e, at[1], at[2] % e]))
}

/// Heads \[from, to) of \[b, n, s, e\].
fn part(x: &Array, from: usize, count: usize) -> Array {
    let [b, _, s, e] = x.dims[..] else { panic!("four dimensions") };
    Array::from_fn(&[b, count, s, e], |at| x.at(&[at[0], from + at[1], at[2], at[3]]))
}

fn case(name: &str, op: Attention) -> Case {
    let settings = op.clone();
    let oracle = move |src: &[Array]| {
        let (hq, hk) = (settings.q_num_heads, settings.kv_num_heads);
        let flat = src[0].dims.len() == 3;
        let operands = if settings.packed { 1 } else { 3 };
        let [q, k, v] = if settings.packed {
            let all = split(&src[0], 3 * hq);
            [0, 1, 2].map(|i| part(&all, i * hq, hq))
        } else if flat {
            [split(&src[0], hq), split(&src[1], hk), split(&src[2], hk)]
        } else {
            [0, 1, 2].map(|i| src[i].clone())
        };
        let e = *q.dims.last().unwrap() as f64;
        let scale = settings.scale.map_or(1.0 / e.sqrt(), f64::from);
        let mask = |at: &[usize]| {
            let Some(mask) = src.get(operands) else { return 0.0 };
            let at = &at[4 - mask.dims.len()..];
            let at: Vec<usize> = at.iter().zip(&mask.dims).map(|(i, dim)| i % dim).collect();
            mask.at(&at)
        };
        let [y, sums] = attention([&q, &k, &v], scale, settings.is_causal, mask);
        vec![if flat { join(&y) } else { y }, sums]
    };
    Case::new(name, op, oracle)
}

fn mask(dims: &[usize]) -> Array {
    Array::sample(dims, 9)
}

pub fn cases() -> Vec<Case> {
    let plain = Attention::default();
    let causal = Attention { is_causal: true, ..plain.clone() };
    let heads =
        |q_num_heads, kv_num_heads| Attention { q_num_heads, kv_num_heads, ..plain.clone() };
    let packed = Attention { packed: true, ..heads(2, 2) };
    vec![
        case("of four dimensions", plain.clone())
            .operand(&[2, 3, 5, 4])
            .operand(&[2, 3, 7, 4])
            .operand(&[2, 3, 7, 6]),
        case("with shared keys", plain.clone())
            .operand(&[1, 4, 3, 5])
            .operand(&[1, 2, 6, 5])
            .operand(&[1, 2, 6, 5]),
        case("that looks back only", causal.clone())
            .operand(&[2, 2, 6, 4])
            .operand(&[2, 2, 6, 4])
            .operand(&[2, 2, 6, 4]),
        case("of more queries than fit a block", causal)
            .operand(&[1, 1, 70, 3])
            .operand(&[1, 1, 70, 3])
            .operand(&[1, 1, 70, 3]),
        case("with a mask", plain.clone())
            .operand(&[2, 2, 5, 4])
            .operand(&[2, 2, 3, 4])
            .operand(&[2, 2, 3, 4])
            .fixed(mask(&[5, 3])),
        case("with a mask of each sample", plain.clone())
            .operand(&[2, 2, 5, 4])
            .operand(&[2, 2, 3, 4])
            .operand(&[2, 2, 3, 4])
            .fixed(mask(&[2, 1, 1, 3])),
        case("with another scale", Attention { scale: Some(2.0), ..heads(2, 1) })
            .operand(&[2, 4, 6])
            .operand(&[2, 5, 3])
            .operand(&[2, 5, 4]),
        case("packed", packed.clone()).operand(&[2, 5, 18]),
        case("packed with a mask", packed).operand(&[2, 5, 12]).fixed(mask(&[5, 5])),
    ]
}

pub fn timed() -> Vec<Case> {
    let op = Attention { q_num_heads: 4, kv_num_heads: 4, packed: true, ..Attention::default() };
    vec![case("4 heads of 64, 128 steps, b8", op).operand(&[8, 128, 768])]
}

pub fn refusals() -> Vec<Refusal> {
    vec![Refusal::new(
        Attention::default(),
        &[&[2, 3, 4, 5], &[2, 3, 6, 4], &[2, 3, 6, 5]],
        "Attention \"case\": expected q [b, heads, s, e], k [b, shared, t, e], v [b, shared, t, f] \
         and a mask that broadcasts to [b, heads, s, t], or the heads side by side, got \
         [2, 3, 4, 5], [2, 3, 6, 4], [2, 3, 6, 5] (0 and 0 heads). Reshape the inputs, and give \
         the numbers of heads.",
    )]
}
