//! Scaled dot-product attention.

use crate::Array;

/// y\[b, h, i\] = Σⱼ softmaxⱼ(scale · q\[b, h, i\]·k\[b, h', j\] + mask\[b, h, i, j\]) · v\[b, h', j\] with
/// h' = h / (heads of q / heads of k), j up to i if `causal`; also log Σⱼ e^score.
///
/// - q: `[b, heads, s, e]`; k: `[b, shared, t, e]`; v: `[b, shared, t, f]`
pub fn attention(
    [q, k, v]: [&Array; 3],
    scale: f64,
    causal: bool,
    mask: impl Fn(&[usize]) -> f64,
) -> [Array; 2] {
    let (&[b, heads, s, e], &[_, shared, t, f]) = (&q.dims[..], &v.dims[..]) else {
        panic!("four dimensions")
    };
    let score = |b: usize, h: usize, i: usize, j: usize| {
        let products = (0..e).map(|c| q.at(&[b, h, i, c]) * k.at(&[b, h * shared / heads, j, c]));
        scale * products.sum::<f64>() + mask(&[b, h, i, j])
    };
    let keys = |i: usize| 0..if causal { t.min(i + 1) } else { t };
    let sums = Array::from_fn(&[b, heads, s], |at| {
        let exponentials = keys(at[2]).map(|j| score(at[0], at[1], at[2], j).exp());
        exponentials.sum::<f64>().ln()
    });
    let y = Array::from_fn(&[b, heads, s, f], |at| {
        let [b, h, i, c] = [at[0], at[1], at[2], at[3]];
        let sum = sums.at(&[b, h, i]);
        let weigh =
            |j: usize| (score(b, h, i, j) - sum).exp() * v.at(&[b, h * shared / heads, j, c]);
        keys(i).map(weigh).sum()
    });
    [y, sums]
}
