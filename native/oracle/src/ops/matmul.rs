//! Matrix products.

use super::elementwise::{broadcast, broadcast_at, reduce_to};
use crate::Array;

/// Settings of a Gemm.
#[derive(Clone, Copy, Debug)]
pub struct Gemm {
    /// Factor of the product.
    pub alpha: f64,
    /// Factor of c.
    pub beta: f64,
    /// Read a as `[k, m]`.
    pub trans_a: bool,
    /// Read b as `[n, k]`.
    pub trans_b: bool,
}

impl Gemm {
    /// `y = alpha · a' · b' + beta · c`.
    ///
    /// - a: `[m, k]`, b: `[k, n]` (transposed if so set), c: anything that broadcasts to `[m, n]`
    /// - result: `[m, n]`
    pub fn forward(&self, a: &Array, b: &Array, c: Option<&Array>) -> Array {
        let product = matmul(&turn(a, self.trans_a), &turn(b, self.trans_b));
        Array::from_fn(&product.dims, |i| {
            self.alpha * product.at(i) + c.map_or(0.0, |c| self.beta * broadcast_at(c, i))
        })
    }

    /// The gradients by a and b of a scalar whose gradient by the output is `dy`.
    pub fn backward(&self, a: &Array, b: &Array, dy: &Array) -> (Array, Array) {
        let (da, db) = matmul_backward(&turn(a, self.trans_a), &turn(b, self.trans_b), dy);
        let scale = |gradient: Array| gradient.map(|value| self.alpha * value);
        (turn(&scale(da), self.trans_a), turn(&scale(db), self.trans_b))
    }

    /// The gradient by a `c` of shape `dims` of a scalar whose gradient by the output is `dy`.
    pub fn backward_c(&self, dims: &[usize], dy: &Array) -> Array {
        reduce_to(dy, dims).map(|value| self.beta * value)
    }
}

/// `y[…, i, j] = Σ_k a[…, i, k] · b[…, k, j]`; the leading dimensions broadcast.
pub fn matmul(a: &Array, b: &Array) -> Array {
    let (batch_a, [m, k]) = split(&a.dims);
    let (batch_b, [inner, n]) = split(&b.dims);
    assert_eq!(k, inner, "inner dimensions of {:?} and {:?}", a.dims, b.dims);
    let dims = [&broadcast(batch_a, batch_b)[..], &[m, n]].concat();
    Array::from_fn(&dims, |index| {
        let (batch, [i, j]) = split(index);
        let left = |k| matrix_at(a, batch, [i, k]);
        let right = |k| matrix_at(b, batch, [k, j]);
        (0..k).map(|k| left(k) * right(k)).sum()
    })
}

/// The gradients by a and b of a scalar whose gradient by `matmul(a, b)` is `dy`.
pub fn matmul_backward(a: &Array, b: &Array, dy: &Array) -> (Array, Array) {
    let da = matmul(dy, &turn(b, true));
    let db = matmul(&turn(a, true), dy);
    (reduce_to(&da, &a.dims), reduce_to(&db, &b.dims))
}

/// The array with its last two dimensions exchanged, or as it is.
fn turn(x: &Array, transposed: bool) -> Array {
    if !transposed {
        return x.clone();
    }
    let (batch, [rows, columns]) = split(&x.dims);
    Array::from_fn(&[batch, &[columns, rows]].concat(), |index| {
        let (batch, [i, j]) = split(index);
        x.at(&[batch, &[j, i]].concat())
    })
}

/// The leading dimensions and the last two.
fn split(dims: &[usize]) -> (&[usize], [usize; 2]) {
    let (batch, &matrix) = dims.split_last_chunk().expect("a matrix has two dimensions");
    (batch, matrix)
}

/// Element of the matrix that is used at `batch` of the broadcast leading dimensions.
fn matrix_at(x: &Array, batch: &[usize], at: [usize; 2]) -> f64 {
    let (own, _) = split(&x.dims);
    let kept = batch[batch.len() - own.len()..].iter().zip(own);
    let batch: Vec<usize> = kept.map(|(&i, &dim)| if dim == 1 { 0 } else { i }).collect();
    x.at(&[&batch[..], &at].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradient::assert_gradient;

    #[test]
    fn a_product_has_known_numbers() {
        let a = Array::new(&[2, 2], vec![1.0, 2.0, 3.0, 4.0]);
        let b = Array::new(&[2, 1], vec![5.0, 6.0]);
        assert_eq!(matmul(&a, &b).data, [17.0, 39.0]);
        let c = Array::new(&[1], vec![1.0]);
        let gemm = Gemm { alpha: 2.0, beta: 10.0, trans_a: true, trans_b: false };
        assert_eq!(gemm.forward(&a, &b, Some(&c)).data, [56.0, 78.0]);
    }

    #[test]
    fn backward_of_matmul_is_the_gradient_with_broadcast_batches() {
        for (a, b) in [
            (&[2, 3][..], &[3, 4][..]),
            (&[2, 1, 2, 3], &[3, 3, 2]),
            (&[4, 2, 3], &[3, 2]),
            (&[1, 2], &[5, 2, 1]),
        ] {
            let (a, b) = (Array::sample(a, 1), Array::sample(b, 2));
            let dy = Array::sample(&matmul(&a, &b).dims, 3);
            let (da, db) = matmul_backward(&a, &b, &dy);
            assert_gradient(|a| matmul(a, &b), &a, &dy, &da);
            assert_gradient(|b| matmul(&a, b), &b, &dy, &db);
        }
    }

    #[test]
    fn backward_of_gemm_is_the_gradient_with_any_transposition() {
        for (trans_a, trans_b) in [(false, false), (true, false), (false, true), (true, true)] {
            let gemm = Gemm { alpha: 0.5, beta: 2.0, trans_a, trans_b };
            let a = Array::sample(if trans_a { &[3, 2] } else { &[2, 3] }, 1);
            let b = Array::sample(if trans_b { &[4, 3] } else { &[3, 4] }, 2);
            let dy = Array::sample(&[2, 4], 3);
            let (da, db) = gemm.backward(&a, &b, &dy);
            for c in [&[2, 4][..], &[4], &[2, 1], &[]] {
                let c = Array::sample(c, 4);
                assert_gradient(|a| gemm.forward(a, &b, Some(&c)), &a, &dy, &da);
                assert_gradient(|b| gemm.forward(&a, b, Some(&c)), &b, &dy, &db);
                let dc = gemm.backward_c(&c.dims, &dy);
                assert_gradient(|c| gemm.forward(&a, &b, Some(c)), &c, &dy, &dc);
            }
        }
    }
}
