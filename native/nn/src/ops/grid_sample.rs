//! Images read at given places, and the places of affine maps.

use crate::error::expect_operands;
use crate::op::Op;
use crate::{Error, Gradient, OpError, TensorType};
use serde::{Deserialize, Serialize};
use tensor::{DType, Tensor};

/// How a number between places is made. ONNX `mode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GridMode {
    /// A line in each dimension.
    #[default]
    Linear,
    /// The nearest one; of two the even one.
    Nearest,
    /// A cubic with factor −0.75 in each dimension.
    Cubic,
}

/// What lies outside. ONNX `padding_mode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GridPadding {
    /// Zeros.
    #[default]
    Zeros,
    /// The border, repeated.
    Border,
    /// The image, mirrored at its border.
    Reflection,
}

/// y\[n, c, …\] = x\[n, c\] at the place grid\[n, …\], whose coordinates run from −1 to 1 and name the
/// last dimension first. ONNX `GridSample` (Jaderberg et al.: "Spatial transformer networks", NIPS
/// 2015).
///
/// Shapes: x \[n, c, h, w\] and grid \[n, oh, ow, 2\], or \[n, c, d, h, w\] and \[n, od, oh, ow, 3\]; y
/// \[n, c, oh, ow\] or \[n, c, od, oh, ow\].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GridSample {
    /// How numbers between places are made.
    pub mode: GridMode,
    /// What lies outside.
    pub padding: GridPadding,
    /// −1 and 1 mean the centres of the first and last pixels instead of their outer edges.
    pub align_corners: bool,
}

impl Op for GridSample {
    fn name(&self) -> &'static str {
        "GridSample"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        expect_operands(src, 2..=2)?;
        let (x, grid) = (src[0], src[1]);
        if let (&[n, c, ref spatial @ ..], &[batch, ref places @ .., coordinates]) =
            (x.dims(), grid.dims())
        {
            let rank = spatial.len();
            let fits = n == batch && matches!(rank, 2 | 3) && places.len() == rank;
            if fits && coordinates == rank && x.dtype.is_float() && grid.dtype.is_float() {
                return Ok(vec![x.with_shape([&[n, c], places].concat())]);
            }
        }
        Err(OpError::mismatch(
            "x [n, c, h, w] and grid [n, oh, ow, 2] of floats, or both with a depth",
            format!("{x} and {grid}"),
            "Give a place for each number of the result.",
        ))
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        if let (Some(diff), true) = (g.diff_dst(0), g.needs(0) || g.needs(1)) {
            let op = GridSampleBackward { sample: self.clone() };
            let diffs = g.emit(op, &[g.src(0), g.src(1), diff])?;
            (0..2).for_each(|i| g.set(i, diffs[i]));
        }
        Ok(())
    }

    fn compiles(&self, _src: &[DType]) -> bool {
        false
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        let dst = crate::tensor_type::infer_tensors(self, src)?.remove(0);
        let (x, grid) = (src[0].cast(DType::F64), src[1].cast(DType::F64));
        let (x, grid) = (x.get::<f64>()?, grid.get::<f64>()?);
        let (channels, spatial) = (src[0].dims()[1], &src[0].dims()[2..]);
        let rank = spatial.len();
        let plane: usize = spatial.iter().product();
        let places: usize = dst.dims()[2..].iter().product();
        let mut y = vec![0.0; dst.shape.len()];
        if plane == 0 {
            return Ok(vec![Tensor::new(dst.shape, y)?.cast(dst.dtype)]);
        }
        for (i, place) in grid.chunks_exact(rank).enumerate() {
            let (image, at) = (i / places, i % places);
            let taps = self.taps(place, spatial);
            for c in 0..channels {
                let x = &x[(image * channels + c) * plane..][..plane];
                let sum: f64 = taps.iter().map(|tap| tap.weight * x[tap.at]).sum();
                y[(image * channels + c) * places + at] = sum;
            }
        }
        Ok(vec![Tensor::new(dst.shape, y)?.cast(dst.dtype)])
    }
}

/// What one number of an image adds to one that is read between numbers.
#[derive(Clone, Copy, Debug)]
struct Tap {
    /// Position in a plane.
    at: usize,
    weight: f64,
    /// How the weight grows with each coordinate of the place, the image's last dimension first.
    slopes: [f64; 3],
}

impl GridSample {
    /// The taps of a place, whose last dimension comes first.
    fn taps(&self, place: &[f64], spatial: &[usize]) -> Vec<Tap> {
        let mut taps = vec![Tap { at: 0, weight: 1.0, slopes: [0.0; 3] }];
        for (d, (&size, &coordinate)) in spatial.iter().zip(place.iter().rev()).enumerate() {
            let along = self.along(coordinate, size);
            let own = place.len() - 1 - d;
            let with = |tap: &Tap, (i, weight, slope): (usize, f64, f64)| {
                let mut slopes = tap.slopes.map(|other| other * weight);
                slopes[own] = tap.weight * slope;
                Tap { at: tap.at * size + i, weight: tap.weight * weight, slopes }
            };
            taps =
                taps.iter().flat_map(|tap| along.iter().map(move |&one| with(tap, one))).collect();
        }
        taps
    }

    /// The same in one dimension: index, weight, slope of the weight.
    fn along(&self, coordinate: f64, size: usize) -> Vec<(usize, f64, f64)> {
        let extent = size as f64;
        let (at, factor) = match self.align_corners {
            true => ((coordinate + 1.0) / 2.0 * (extent - 1.0), (extent - 1.0) / 2.0),
            false => (((coordinate + 1.0) * extent - 1.0) / 2.0, extent / 2.0),
        };
        // Whole places are padded below; for lines and the nearest, the place itself is too.
        let (at, factor) = match self.mode {
            GridMode::Cubic => (at, factor),
            _ => (self.inside(at, extent), factor * self.direction(at, extent)),
        };
        let near = at.floor();
        let weights: Vec<(f64, f64, f64)> = match self.mode {
            GridMode::Nearest => vec![(at.round_ties_even(), 1.0, 0.0)],
            GridMode::Linear => {
                vec![(near, 1.0 - (at - near), -factor), (near + 1.0, at - near, factor)]
            }
            GridMode::Cubic => (-1..=2)
                .map(|i| near + f64::from(i))
                .map(|i| {
                    let slope = cubic_slope((i - at).abs(), -0.75) * (at - i).signum();
                    (i, super::resize::cubic((i - at).abs(), -0.75), factor * slope)
                })
                .collect(),
        };
        let held =
            weights.into_iter().map(|(i, weight, slope)| (self.inside(i, extent), weight, slope));
        let held = held.filter(|(i, ..)| (0.0..extent).contains(i));
        held.map(|(i, weight, slope)| (i as usize, weight, slope)).collect()
    }

    /// How [`GridSample::inside`] moves with its place: 1, −1 where it is mirrored, or 0.
    fn direction(&self, at: f64, extent: f64) -> f64 {
        let here = self.inside(at, extent);
        match self.padding {
            GridPadding::Zeros => 1.0,
            GridPadding::Border => f64::from(u8::from(here == at)),
            GridPadding::Reflection => {
                let low = if self.align_corners { 0.0 } else { -0.5 };
                let span = extent - 1.0 - 2.0 * low;
                if here <= 0.0 || here >= extent - 1.0 {
                    0.0
                } else if (at - low).rem_euclid(2.0 * span) < span {
                    1.0
                } else {
                    -1.0
                }
            }
        }
    }

    /// The place that stands for one outside.
    fn inside(&self, at: f64, extent: f64) -> f64 {
        match self.padding {
            GridPadding::Zeros => at,
            GridPadding::Border => at.clamp(0.0, extent - 1.0),
            GridPadding::Reflection => {
                let [low, high] = match self.align_corners {
                    true => [0.0, extent - 1.0],
                    false => [-0.5, extent - 0.5],
                };
                let span = high - low;
                if span <= 0.0 {
                    return 0.0;
                }
                let beyond = (at - low).rem_euclid(2.0 * span);
                let mirrored = low + beyond.min(2.0 * span - beyond);
                mirrored.clamp(0.0, extent - 1.0)
            }
        }
    }
}

/// The slope of the cubic convolution kernel at distance `x`.
fn cubic_slope(x: f64, a: f64) -> f64 {
    if x <= 1.0 {
        (3.0 * (a + 2.0) * x - 2.0 * (a + 3.0)) * x
    } else if x < 2.0 {
        (3.0 * a * x - 10.0 * a) * x + 8.0 * a
    } else {
        0.0
    }
}

/// dx and dgrid of a [`GridSample`]. Sources: x, grid, dy.
#[derive(Clone, Debug)]
struct GridSampleBackward {
    sample: GridSample,
}

impl Op for GridSampleBackward {
    fn name(&self) -> &'static str {
        "GridSampleBackward"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        Ok(vec![src[0].clone(), src[1].clone()])
    }

    fn compiles(&self, _src: &[DType]) -> bool {
        false
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        let wide: Vec<Tensor> = src.iter().map(|tensor| tensor.cast(DType::F64)).collect();
        let (x, grid, dy) = (wide[0].get::<f64>()?, wide[1].get::<f64>()?, wide[2].get::<f64>()?);
        let (channels, spatial) = (src[0].dims()[1], &src[0].dims()[2..]);
        let rank = spatial.len();
        let plane: usize = spatial.iter().product();
        let places: usize = src[2].dims()[2..].iter().product();
        let (mut dx, mut dgrid) = (vec![0.0; x.len()], vec![0.0; grid.len()]);
        for (i, (place, dplace)) in
            grid.chunks_exact(rank).zip(dgrid.chunks_exact_mut(rank)).enumerate()
        {
            let (image, at) = (i / places, i % places);
            let taps = self.sample.taps(place, spatial);
            for c in 0..channels {
                let first = (image * channels + c) * plane;
                let dy = dy[(image * channels + c) * places + at];
                for tap in &taps {
                    dx[first + tap.at] += tap.weight * dy;
                    for (dplace, slope) in dplace.iter_mut().zip(tap.slopes) {
                        *dplace += slope * x[first + tap.at] * dy;
                    }
                }
            }
        }
        let dx = Tensor::new(src[0].shape().clone(), dx)?.cast(src[0].dtype());
        let dgrid = Tensor::new(src[1].shape().clone(), dgrid)?.cast(src[1].dtype());
        Ok(vec![dx, dgrid])
    }
}

/// grid\[n, …\] = theta\[n\] · (x, y, 1) over the places of an image, from −1 to 1, as
/// [`GridSample`] reads them. ONNX `AffineGrid`.
///
/// Shapes: theta \[n, 2, 3\] and size \[n, c, h, w\] give \[n, h, w, 2\]; theta \[n, 3, 4\] and
/// size \[n, c, d, h, w\] give \[n, d, h, w, 3\].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AffineGrid {
    /// Shape of the image that is to be made.
    pub size: Vec<usize>,
    /// −1 and 1 are the centres of the first and last pixels instead of their outer edges.
    pub align_corners: bool,
}

impl Op for AffineGrid {
    fn name(&self) -> &'static str {
        "AffineGrid"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        expect_operands(src, 1..=1)?;
        if let &[n, _, ref spatial @ ..] = &self.size[..] {
            let rank = spatial.len();
            let fits = matches!(rank, 2 | 3) && src[0].dims() == [n, rank, rank + 1];
            if fits && src[0].dtype.is_float() {
                return Ok(vec![src[0].with_shape([&[n], spatial, &[rank]].concat())]);
            }
        }
        Err(OpError::mismatch(
            format!("theta [n, 2, 3] or [n, 3, 4] of floats for an image {:?}", self.size),
            src[0].to_string(),
            "Give one map for each image.",
        ))
    }

    fn compiles(&self, _src: &[DType]) -> bool {
        false
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        let dst = crate::tensor_type::infer_tensors(self, src)?.remove(0);
        let theta = src[0].cast(DType::F64);
        let spatial = &self.size[2..];
        let rank = spatial.len();
        let mut grid = Vec::with_capacity(dst.shape.len());
        for map in theta.get::<f64>()?.chunks_exact(rank * (rank + 1)) {
            for mut place in 0..spatial.iter().product() {
                // The last dimension comes first.
                let mut coordinates = vec![1.0; rank + 1];
                for (coordinate, &size) in coordinates.iter_mut().zip(spatial.iter().rev()) {
                    let i = (place % size) as f64;
                    place /= size;
                    *coordinate = match self.align_corners {
                        true if size == 1 => -1.0,
                        true => 2.0 * i / (size - 1) as f64 - 1.0,
                        false => (2.0 * i + 1.0) / size as f64 - 1.0,
                    };
                }
                grid.extend(
                    map.chunks_exact(rank + 1)
                        .map(|row| row.iter().zip(&coordinates).map(|(t, c)| t * c).sum::<f64>()),
                );
            }
        }
        Ok(vec![Tensor::new(dst.shape, grid)?.cast(dst.dtype)])
    }
}
