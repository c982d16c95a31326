//! Resizing along one dimension: for each place of the result, places of the source and weights.

use super::{Coordinates, Interpolation, Nearest, Resize};

/// One dimension and its new size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    pub axis: usize,
    pub src: usize,
    pub dst: usize,
    pub scale: f64,
    /// Begin and end of what is read, as shares of the source.
    pub roi: [f64; 2],
}

/// What each place of the result is made of along one dimension; nothing if it lies outside.
#[derive(Clone, Debug)]
pub(super) struct Sampled {
    pub axis: usize,
    /// Size of the source.
    pub size: usize,
    pub rows: Vec<Vec<(usize, f64)>>,
}

impl Axis {
    /// The weights of every place of the result.
    pub fn sample(&self, resize: &Resize) -> Sampled {
        let rows = (0..self.dst).map(|i| self.weights(i as f64, resize)).collect();
        Sampled { axis: self.axis, size: self.src, rows }
    }

    /// The place of the source that place `i` of the result means.
    fn coordinate(&self, i: f64, coordinates: Coordinates) -> f64 {
        let (src, dst) = (self.src as f64, self.dst as f64);
        let half_pixel = (i + 0.5) / self.scale - 0.5;
        match coordinates {
            Coordinates::HalfPixel => half_pixel,
            Coordinates::HalfPixelSymmetric => {
                let adjustment = dst / (self.scale * src);
                src / 2.0 * (1.0 - adjustment) + half_pixel
            }
            Coordinates::PytorchHalfPixel if self.dst == 1 => -0.5,
            Coordinates::PytorchHalfPixel => half_pixel,
            Coordinates::AlignCorners if self.dst == 1 => 0.0,
            Coordinates::AlignCorners => i * (src - 1.0) / (dst - 1.0),
            Coordinates::Asymmetric => i / self.scale,
            Coordinates::TfCropAndResize => {
                let [begin, end] = self.roi;
                let share = if self.dst == 1 { 0.5 } else { i / (dst - 1.0) };
                (begin + share * (end - begin)) * (src - 1.0)
            }
        }
    }

    fn weights(&self, i: f64, resize: &Resize) -> Vec<(usize, f64)> {
        let at = self.coordinate(i, resize.coordinates);
        let last = self.src as f64 - 1.0;
        if resize.crops() && !(0.0..=last).contains(&at) {
            return Vec::new();
        }
        let clamp = |place: f64| place.clamp(0.0, last) as usize;
        // Antialiasing stretches the kernel over all that a smaller result stands for.
        let narrow = if resize.antialias { self.scale.min(1.0) } else { 1.0 };
        let (reach, kernel): (f64, &dyn Fn(f64) -> f64) = match resize.mode {
            Interpolation::Nearest => {
                let place = match resize.nearest {
                    Nearest::RoundPreferFloor => (at - 0.5).ceil(),
                    Nearest::RoundPreferCeil => (at + 0.5).floor(),
                    Nearest::Floor => at.floor(),
                    Nearest::Ceil => at.ceil(),
                };
                return vec![(clamp(place), 1.0)];
            }
            Interpolation::Linear => (1.0, &|x: f64| (1.0 - x.abs()).max(0.0)),
            Interpolation::Cubic => (2.0, &|x: f64| cubic(x.abs(), resize.cubic_coeff_a.into())),
        };
        let first = (at - reach / narrow).floor() as i64 + 1;
        let end = (at + reach / narrow).ceil() as i64;
        let taps = first.min(at.floor() as i64)..end.max(first + 1);
        let mut row: Vec<(usize, f64)> = Vec::new();
        for place in taps {
            let weight = kernel((place as f64 - at) * narrow);
            let outside = !(0.0..=last).contains(&(place as f64));
            if weight != 0.0 && !(resize.exclude_outside && outside) {
                row.push((clamp(place as f64), weight));
            }
        }
        let sum: f64 = row.iter().map(|(_, weight)| weight).sum();
        if resize.antialias || resize.exclude_outside {
            row.iter_mut().for_each(|(_, weight)| *weight /= sum);
        }
        row
    }
}

/// The cubic convolution kernel at distance `x`.
pub(in crate::ops) fn cubic(x: f64, a: f64) -> f64 {
    if x <= 1.0 {
        ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a
    } else {
        0.0
    }
}

/// f32, or f64 for what is exact there.
pub(super) trait Real:
    Copy + Default + std::ops::AddAssign + std::ops::Mul<Output = Self>
{
    /// The nearest number.
    fn of(x: f64) -> Self;
}

impl Real for f32 {
    fn of(x: f64) -> f32 {
        x as f32
    }
}

impl Real for f64 {
    fn of(x: f64) -> f64 {
        x
    }
}

impl Sampled {
    /// The result for a row-major source of these dimensions.
    pub fn forward<T: Real>(&self, x: &[T], dims: &[usize]) -> Vec<T> {
        let inner: usize = dims[self.axis + 1..].iter().product();
        let outer: usize = dims[..self.axis].iter().product();
        let mut y = vec![T::default(); outer * self.rows.len() * inner];
        for o in 0..outer {
            for (i, row) in self.rows.iter().enumerate() {
                let y = &mut y[(o * self.rows.len() + i) * inner..][..inner];
                for &(place, weight) in row {
                    let (x, weight) = (&x[(o * self.size + place) * inner..], T::of(weight));
                    y.iter_mut().zip(x).for_each(|(y, &x)| *y += weight * x);
                }
            }
        }
        y
    }

    /// The gradient of the source, for one of the result of these dimensions.
    pub fn backward<T: Real>(&self, dy: &[T], dims: &[usize]) -> Vec<T> {
        let inner: usize = dims[self.axis + 1..].iter().product();
        let outer: usize = dims[..self.axis].iter().product();
        let mut dx = vec![T::default(); outer * self.size * inner];
        for o in 0..outer {
            for (i, row) in self.rows.iter().enumerate() {
                let dy = &dy[(o * self.rows.len() + i) * inner..][..inner];
                for &(place, weight) in row {
                    let dx = &mut dx[(o * self.size + place) * inner..][..inner];
                    let weight = T::of(weight);
                    dx.iter_mut().zip(dy).for_each(|(dx, &dy)| *dx += weight * dy);
                }
            }
        }
        dx
    }
}
