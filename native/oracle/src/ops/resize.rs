//! Resizing by interpolation.

use crate::Array;
use crate::array::indices;

/// What a resized number is made of.
#[derive(Clone, Copy, Debug)]
pub enum Kernel {
    /// The number before.
    Floor,
    /// The two around it.
    Linear,
    /// The four around it, by the cubic with this factor.
    Cubic(f64),
}

/// x read at the places that `place(i, scale, src, dst)` names in each dimension; the border is
/// repeated outside. The result has ⌊scale · size⌋ places in each dimension.
pub fn resize(
    x: &Array,
    scales: &[f64],
    kernel: Kernel,
    place: fn(f64, f64, f64, f64) -> f64,
) -> Array {
    let dims: Vec<usize> =
        x.dims.iter().zip(scales).map(|(&dim, scale)| (dim as f64 * scale) as usize).collect();
    let neighbours = [4; 8];
    Array::from_fn(&dims, |index| {
        let mut sum = 0.0;
        for offset in indices(&neighbours[..dims.len()]) {
            let mut weight = 1.0;
            let mut from = Vec::new();
            for d in 0..dims.len() {
                let (src, dst) = (x.dims[d] as f64, dims[d] as f64);
                let at = if scales[d] == 1.0 {
                    index[d] as f64
                } else {
                    place(index[d] as f64, scales[d], src, dst)
                };
                let near = at.floor() + offset[d] as f64 - 1.0;
                weight *= kernel.weight((near - at).abs(), offset[d]);
                from.push(near.clamp(0.0, src - 1.0) as usize);
            }
            if weight != 0.0 {
                sum += weight * x.at(&from);
            }
        }
        sum
    })
}

impl Kernel {
    /// Weight of a neighbour at a distance; number 1 is the one before.
    fn weight(self, distance: f64, number: usize) -> f64 {
        match self {
            Kernel::Floor => f64::from(u8::from(number == 1)),
            Kernel::Linear => (1.0 - distance).max(0.0),
            Kernel::Cubic(a) if distance <= 1.0 => {
                (a + 2.0) * distance.powi(3) - (a + 3.0) * distance.powi(2) + 1.0
            }
            Kernel::Cubic(a) if distance < 2.0 => {
                a * (distance.powi(3) - 5.0 * distance.powi(2) + 8.0 * distance - 4.0)
            }
            Kernel::Cubic(_) => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_s_example_has_its_numbers() {
        let x = Array::new(&[2, 4], (1..=8).map(f64::from).collect());
        let half_pixel = |i: f64, scale: f64, _: f64, _: f64| (i + 0.5) / scale - 0.5;
        let y = resize(&x, &[0.6, 0.6], Kernel::Linear, half_pixel);
        assert!(y.distance(&Array::new(&[1, 2], vec![8.0 / 3.0, 13.0 / 3.0])) < 1e-9);
    }
}
