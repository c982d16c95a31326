//! Max and average pooling over any number of spatial dimensions.

use crate::Array;
use crate::array::indices;

/// Settings of a pooling over r spatial dimensions.
#[derive(Clone, Debug)]
pub struct Pool {
    /// Extent of the window, r numbers.
    pub kernel: Vec<usize>,
    /// Step of the window, r numbers.
    pub strides: Vec<usize>,
    /// Padding around the input: r numbers for the begins, then r for the ends.
    pub pads: Vec<usize>,
    /// Distance of the window's places, r numbers.
    pub dilations: Vec<usize>,
    /// Round the number of windows up, as long as each begins inside the input or its first padding.
    pub ceil_mode: bool,
}

/// One window: the elements of the input in it, and how many places it has within the padded input.
struct Window {
    inside: Vec<Vec<usize>>,
    padded: usize,
}

impl Pool {
    /// The maximum of each window; padding never wins.
    ///
    /// - x: `[n, c, …spatial]`
    /// - result: `[n, c, …]`, `⌊(in + pads - kernel) / stride⌋ + 1` per dimension, or `⌈…⌉`
    pub fn max(&self, x: &Array) -> Array {
        Array::from_fn(&self.output(x), |k| {
            self.window(x, k).inside.iter().map(|i| x.at(i)).fold(f64::NEG_INFINITY, f64::max)
        })
    }

    /// The gradient by x of a scalar whose gradient by the maxima is `dy`; of equal maxima the first
    /// in row-major order takes it.
    pub fn max_backward(&self, x: &Array, dy: &Array) -> Array {
        let mut dx = Array::zeros(&x.dims);
        for k in indices(&dy.dims) {
            let inside = self.window(x, &k).inside;
            let first = inside.iter().reduce(|a, b| if x.at(b) > x.at(a) { b } else { a });
            *dx.at_mut(first.expect("a window holds an element of x")) += dy.at(&k);
        }
        dx
    }

    /// The sum of each window.
    pub fn sum(&self, x: &Array) -> Array {
        Array::from_fn(&self.output(x), |k| self.window(x, k).inside.iter().map(|i| x.at(i)).sum())
    }

    /// The mean of each window: over the window's elements of x or, with `count_include_pad`, over
    /// its places in the padded input (places beyond the padding, which `ceil_mode` can bring, never
    /// count).
    pub fn average(&self, x: &Array, count_include_pad: bool) -> Array {
        Array::from_fn(&self.output(x), |k| {
            let window = self.window(x, k);
            let sum: f64 = window.inside.iter().map(|i| x.at(i)).sum();
            sum / window.count(count_include_pad)
        })
    }

    /// The gradient by x of a scalar whose gradient by the averages is `dy`.
    pub fn average_backward(&self, x: &Array, dy: &Array, count_include_pad: bool) -> Array {
        let mut dx = Array::zeros(&x.dims);
        for k in indices(&dy.dims) {
            let window = self.window(x, &k);
            let share = dy.at(&k) / window.count(count_include_pad);
            window.inside.iter().for_each(|i| *dx.at_mut(i) += share);
        }
        dx
    }

    fn output(&self, x: &Array) -> Vec<usize> {
        let r = self.kernel.len();
        let spatial = (0..r).map(|d| {
            let padded = x.dims[2 + d] + self.pads[d] + self.pads[r + d];
            let extent = (self.kernel[d] - 1) * self.dilations[d] + 1;
            let (room, stride) = (padded - extent, self.strides[d]);
            if !self.ceil_mode {
                return room / stride + 1;
            }
            let count = room.div_ceil(stride) + 1;
            let begins_outside = (count - 1) * stride >= x.dims[2 + d] + self.pads[d];
            count - usize::from(begins_outside)
        });
        x.dims[..2].iter().copied().chain(spatial).collect()
    }

    fn window(&self, x: &Array, k: &[usize]) -> Window {
        let r = self.kernel.len();
        let mut window = Window { inside: Vec::new(), padded: 0 };
        for inner in indices(&self.kernel) {
            let padded: Vec<usize> =
                (0..r).map(|d| k[2 + d] * self.strides[d] + inner[d] * self.dilations[d]).collect();
            let end = |d: usize| self.pads[d] + x.dims[2 + d];
            if (0..r).all(|d| padded[d] < end(d) + self.pads[r + d]) {
                window.padded += 1;
            }
            if (0..r).all(|d| (self.pads[d]..end(d)).contains(&padded[d])) {
                let place = (0..r).map(|d| padded[d] - self.pads[d]);
                window.inside.push(k[..2].iter().copied().chain(place).collect());
            }
        }
        window
    }
}

impl Window {
    fn count(&self, include_pad: bool) -> f64 {
        (if include_pad { self.padded } else { self.inside.len() }) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradient::assert_gradient;

    fn pool(kernel: [usize; 2], strides: [usize; 2], pads: [usize; 4], ceil_mode: bool) -> Pool {
        let (kernel, strides, pads) = (kernel.into(), strides.into(), pads.into());
        Pool { kernel, strides, pads, dilations: vec![1; 2], ceil_mode }
    }

    #[test]
    fn windows_at_the_border_count_what_they_should() {
        let x = Array::new(&[1, 1, 1, 4], vec![1.0, 2.0, 3.0, 4.0]);
        let padded = pool([1, 3], [1, 2], [0, 1, 0, 1], false);
        assert_eq!(padded.max(&x).data, [2.0, 4.0]);
        assert_eq!(padded.average(&x, false).data, [1.5, 3.0]);
        assert_eq!(padded.average(&x, true).data, [1.0, 3.0]);
        let overhanging = pool([1, 3], [1, 3], [0; 4], true);
        assert_eq!(overhanging.max(&x).data, [3.0, 4.0]);
        assert_eq!(overhanging.average(&x, true).data, [2.0, 4.0]);
    }

    #[test]
    fn a_window_that_begins_in_the_last_padding_is_left_out() {
        // As in PyTorch and ONNX: 2 windows, although rounding up gives 3.
        let x = Array::sample(&[1, 1, 1, 3], 1);
        assert_eq!(pool([1, 2], [1, 2], [0, 1, 0, 1], true).output(&x), [1, 1, 1, 2]);
        assert_eq!(pool([1, 2], [1, 3], [0, 0, 0, 1], true).output(&x), [1, 1, 1, 1]);
    }

    #[test]
    fn backward_is_the_gradient() {
        for settings in [
            pool([2, 2], [2, 2], [0; 4], false),
            pool([3, 2], [2, 1], [1, 0, 1, 1], false),
            pool([3, 3], [2, 2], [1, 1, 0, 1], true),
        ] {
            let x = Array::sample(&[2, 2, 6, 5], 1);
            let dy = Array::sample(&settings.output(&x), 2);
            let dx = settings.max_backward(&x, &dy);
            assert_gradient(|x| settings.max(x), &x, &dy, &dx);
            for include in [false, true] {
                let dx = settings.average_backward(&x, &dy, include);
                assert_gradient(|x| settings.average(x, include), &x, &dy, &dx);
            }
        }
    }

    #[test]
    fn the_first_of_equal_maxima_takes_the_gradient() {
        let x = Array::new(&[1, 1, 1, 3], vec![5.0, 5.0, 1.0]);
        let dy = Array::new(&[1, 1, 1, 1], vec![2.0]);
        let dx = pool([1, 3], [1, 1], [0; 4], false).max_backward(&x, &dy);
        assert_eq!(dx.data, [2.0, 0.0, 0.0]);
    }
}
