//! Images read at given places, and the places of affine maps.

use crate::error::expect_operands;
use crate::op::Op;
use crate::{OpError, TensorType};
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
        for (i, place) in grid.chunks_exact(rank).enumerate() {
            let (image, at) = (i / places, i % places);
            let taps = self.taps(place, spatial);
            for c in 0..channels {
                let x = &x[(image * channels + c) * plane..][..plane];
                let sum: f64 = taps.iter().map(|&(from, weight)| weight * x[from]).sum();
                y[(image * channels + c) * places + at] = sum;
            }
        }
        Ok(vec![Tensor::new(dst.shape, y)?.cast(dst.dtype)])
    }
}

impl GridSample {
    /// Positions in a plane and their weights, for a place whose last dimension comes first.
    fn taps(&self, place: &[f64], spatial: &[usize]) -> Vec<(usize, f64)> {
        let mut taps = vec![(0, 1.0)];
        for (&size, &coordinate) in spatial.iter().zip(place.iter().rev()) {
            let along = self.along(coordinate, size);
            taps = taps
                .iter()
                .flat_map(|&(at, weight)| {
                    along.iter().map(move |&(i, share)| (at * size + i, weight * share))
                })
                .collect();
        }
        taps
    }

    /// The same in one dimension.
    fn along(&self, coordinate: f64, size: usize) -> Vec<(usize, f64)> {
        let extent = size as f64;
        let at = match self.align_corners {
            true => (coordinate + 1.0) / 2.0 * (extent - 1.0),
            false => ((coordinate + 1.0) * extent - 1.0) / 2.0,
        };
        // Whole places are padded below; for lines and the nearest, the place itself is too.
        let at = if self.mode == GridMode::Cubic { at } else { self.inside(at, extent) };
        let near = at.floor();
        let weights: Vec<(f64, f64)> = match self.mode {
            GridMode::Nearest => vec![(at.round_ties_even(), 1.0)],
            GridMode::Linear => vec![(near, 1.0 - (at - near)), (near + 1.0, at - near)],
            GridMode::Cubic => (-1..=2)
                .map(|i| near + f64::from(i))
                .map(|i| (i, super::resize::cubic((i - at).abs(), -0.75)))
                .collect(),
        };
        let held = weights.into_iter().map(|(i, weight)| (self.inside(i, extent), weight));
        held.filter(|(i, _)| (0.0..extent).contains(i)).map(|(i, w)| (i as usize, w)).collect()
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
