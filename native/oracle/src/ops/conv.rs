//! Convolution (cross-correlation) over any number of spatial dimensions.

use crate::Array;
use crate::array::indices;

/// Settings of a convolution over r spatial dimensions.
#[derive(Clone, Debug)]
pub struct Conv {
    /// Step of the kernel, r numbers.
    pub strides: Vec<usize>,
    /// Zeros around the input: r numbers for the begins, then r for the ends.
    pub pads: Vec<usize>,
    /// Distance of the kernel's elements, r numbers.
    pub dilations: Vec<usize>,
    /// Number of groups; input and output channels are divisible by it.
    pub group: usize,
}

impl Conv {
    /// `y[n, o, p] = b[o] + Σ_{c, k} x[n, g(o)·C + c, p·stride - pad + k·dilation] · w[o, c, k]`,
    /// with C channels per group and zeros outside of x.
    ///
    /// - x: `[n, group·C, …spatial]`, w: `[o, C, …kernel]`, b: `[o]`
    /// - result: `[n, o, …]`, `⌊(in + pads - dilation·(kernel - 1) - 1) / stride⌋ + 1` per dimension
    pub fn forward(&self, x: &Array, w: &Array, b: Option<&Array>) -> Array {
        let mut y = Array::from_fn(&self.output(x, w), |i| b.map_or(0.0, |b| b.at(&[i[1]])));
        self.for_each(x, w, |i, j, k| *y.at_mut(k) += x.at(i) * w.at(j));
        y
    }

    /// The gradients (of x, w, b) of a scalar whose gradient by the output is `dy`.
    pub fn backward(&self, x: &Array, w: &Array, dy: &Array) -> (Array, Array, Array) {
        let (mut dx, mut dw) = (Array::zeros(&x.dims), Array::zeros(&w.dims));
        self.for_each(x, w, |i, j, k| {
            *dx.at_mut(i) += dy.at(k) * w.at(j);
            *dw.at_mut(j) += dy.at(k) * x.at(i);
        });
        let mut db = Array::zeros(&w.dims[..1]);
        indices(&dy.dims).for_each(|k| db.data[k[1]] += dy.at(&k));
        (dx, dw, db)
    }

    /// The transposed convolution: x is put where the convolution of a y of these spatial sizes
    /// would have come from.
    ///
    /// - x: `[n, c, …]`, w: `[c, O, …kernel]`, b: `[group·O]`; result `[n, group·O, …spatial]`
    pub fn transposed(&self, x: &Array, w: &Array, b: Option<&Array>, spatial: &[usize]) -> Array {
        let channels = w.dims[1] * self.group;
        let dims = [&[x.dims[0], channels], spatial].concat();
        let (dy, _, _) = self.backward(&Array::zeros(&dims), w, x);
        Array::from_fn(&dims, |i| dy.at(i) + b.map_or(0.0, |b| b.at(&[i[1]])))
    }

    fn output(&self, x: &Array, w: &Array) -> Vec<usize> {
        assert_eq!(x.dims[1], w.dims[1] * self.group, "channels of x and w");
        assert_eq!(w.dims[0] % self.group, 0, "output channels and groups");
        let r = self.strides.len();
        let spatial = (0..r).map(|d| {
            let padded = x.dims[2 + d] + self.pads[d] + self.pads[r + d];
            (padded - self.dilations[d] * (w.dims[2 + d] - 1) - 1) / self.strides[d] + 1
        });
        [x.dims[0], w.dims[0]].into_iter().chain(spatial).collect()
    }

    /// Calls `f` with the indices into x, w and y of every product that the convolution sums.
    fn for_each(&self, x: &Array, w: &Array, mut f: impl FnMut(&[usize], &[usize], &[usize])) {
        let out = self.output(x, w);
        let per_group = w.dims[0] / self.group;
        for k in indices(&out) {
            for inner in indices(&w.dims[1..]) {
                let channel = k[1] / per_group * w.dims[1] + inner[0];
                let place = (0..self.strides.len()).map(|d| {
                    let padded = k[2 + d] * self.strides[d] + inner[1 + d] * self.dilations[d];
                    padded.checked_sub(self.pads[d]).filter(|&at| at < x.dims[2 + d])
                });
                if let Some(place) = place.collect::<Option<Vec<usize>>>() {
                    let i = [&[k[0], channel], &place[..]].concat();
                    let j = [&[k[1]], &inner[..]].concat();
                    f(&i, &j, &k);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradient::assert_gradient;

    fn conv(strides: [usize; 2], pads: [usize; 4], dilations: [usize; 2], group: usize) -> Conv {
        let (strides, pads, dilations) = (strides.into(), pads.into(), dilations.into());
        Conv { strides, pads, dilations, group }
    }

    #[test]
    fn the_documentation_s_formula_gives_known_numbers() {
        let x = Array::new(&[1, 1, 3, 3], (1..=9).map(f64::from).collect());
        let w = Array::new(&[1, 1, 2, 2], vec![1.0, 2.0, 3.0, 4.0]);
        let b = Array::new(&[1], vec![0.5]);
        let y = conv([1, 1], [0; 4], [1, 1], 1).forward(&x, &w, Some(&b));
        assert_eq!(y, Array::new(&[1, 1, 2, 2], vec![37.5, 47.5, 67.5, 77.5]));
        let y = conv([2, 2], [1, 1, 0, 0], [1, 1], 1).forward(&x, &w, None);
        assert_eq!(y, Array::new(&[1, 1, 2, 2], vec![4.0, 18.0, 36.0, 77.0]));
    }

    #[test]
    fn backward_is_the_gradient() {
        for (settings, x, w) in [
            (conv([1, 1], [1, 1, 1, 1], [1, 1], 1), [2, 3, 5, 4], [2, 3, 3, 3]),
            (conv([2, 1], [0, 1, 1, 2], [1, 2], 2), [2, 4, 5, 6], [6, 2, 3, 2]),
            (conv([1, 2], [2, 0, 0, 1], [2, 1], 3), [1, 3, 7, 5], [3, 1, 2, 3]),
        ] {
            let (x, w) = (Array::sample(&x, 1), Array::sample(&w, 2));
            let b = Array::sample(&w.dims[..1], 3);
            let dy = Array::sample(&settings.output(&x, &w), 4);
            let (dx, dw, db) = settings.backward(&x, &w, &dy);
            assert_gradient(|x| settings.forward(x, &w, Some(&b)), &x, &dy, &dx);
            assert_gradient(|w| settings.forward(&x, w, Some(&b)), &w, &dy, &dw);
            assert_gradient(|b| settings.forward(&x, &w, Some(b)), &b, &dy, &db);
        }
    }
}
