//! Pooling of regions of images.

use crate::error::expect_operands;
use crate::op::Op;
use crate::{OpError, TensorType};
use serde::{Deserialize, Serialize};
use tensor::{DType, Tensor};

/// How the samples of a bin become one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoiPooling {
    /// Their mean.
    #[default]
    Avg,
    /// The largest term of any of them: a weight times a neighbour.
    Max,
}

/// y\[r, c\] = region r of x\[batch_indices\[r\], c\], divided in bins of which each is the mean (or
/// maximum) of samples that are read by linear interpolation. ONNX `RoiAlign` (He et al.: "Mask
/// R-CNN", ICCV 2017).
///
/// Sources: x \[n, c, h, w\]; rois \[r, 4\] of (x, y) of two corners; batch_indices i64 \[r\]. Result:
/// \[r, c, output_height, output_width\].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RoiAlign {
    /// Pixels are at whole numbers plus ½.
    pub half_pixel: bool,
    /// How samples become one number.
    pub mode: RoiPooling,
    /// Bins in a column.
    pub output_height: usize,
    /// Bins in a row.
    pub output_width: usize,
    /// Samples in each direction of a bin; 0 takes one for each pixel that it covers.
    pub sampling_ratio: usize,
    /// Size of x by that of what the rois are in.
    pub spatial_scale: f32,
}

impl Default for RoiAlign {
    fn default() -> RoiAlign {
        RoiAlign {
            half_pixel: true,
            mode: RoiPooling::Avg,
            output_height: 1,
            output_width: 1,
            sampling_ratio: 0,
            spatial_scale: 1.0,
        }
    }
}

/// The whole numbers around a place, and the weight of the larger.
fn around(place: f64, size: usize) -> Option<(usize, usize, f64)> {
    if size == 0 || !(-1.0..=size as f64).contains(&place) {
        return None;
    }
    let place = place.max(0.0);
    let low = place as usize;
    if low + 1 >= size {
        return Some((size - 1, size - 1, 0.0));
    }
    Some((low, low + 1, place - low as f64))
}

impl Op for RoiAlign {
    fn name(&self) -> &'static str {
        "RoiAlign"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        expect_operands(src, 3..=3)?;
        let floats = src[..2].iter().all(|s| s.dtype.is_float() && s.dtype == src[0].dtype);
        match (src[0].dims(), src[1].dims(), src[2].dims()) {
            (&[_, c, _, _], &[r, 4], &[indices])
                if r == indices && floats && src[2].dtype == DType::I64 =>
            {
                Ok(vec![src[0].with_shape([r, c, self.output_height, self.output_width])])
            }
            _ => Err(OpError::mismatch(
                "x [n, c, h, w], rois [r, 4] and batch_indices i64 [r]",
                format!("{}, {} and {}", src[0], src[1], src[2]),
                "Give a batch index for each region.",
            )),
        }
    }

    fn compiles(&self, _src: &[DType]) -> bool {
        false
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        let (x, rois) = (src[0].cast(DType::F64), src[1].cast(DType::F64));
        let (x, rois, batches) = (x.get::<f64>()?, rois.get::<f64>()?, src[2].get::<i64>()?);
        let &[n, c, h, w] = src[0].dims() else { return Err(OpError::NotEvaluated) };
        let mut y = Vec::with_capacity(batches.len() * c * self.output_height * self.output_width);
        for (roi, &batch) in rois.chunks_exact(4).zip(batches) {
            let Some(batch) = usize::try_from(batch).ok().filter(|&batch| batch < n) else {
                return Err(OpError::mismatch(
                    format!("batch_indices below {n}"),
                    batch.to_string(),
                    "Number the images from 0.",
                ));
            };
            let bins = self.bins(roi, [h, w]);
            for plane in x[batch * c * h * w..][..c * h * w].chunks_exact((h * w).max(1)) {
                y.extend(bins.iter().map(|samples| self.pool(samples, plane, w)));
            }
        }
        let shape = [batches.len(), c, self.output_height, self.output_width];
        Ok(vec![Tensor::new(shape, y)?.cast(src[0].dtype())])
    }
}

/// A sample: rows and columns around it, with the weights of the larger ones.
type Sample = Option<[(usize, usize, f64); 2]>;

impl RoiAlign {
    /// The samples of each bin of a region.
    fn bins(&self, roi: &[f64], [h, w]: [usize; 2]) -> Vec<Vec<Sample>> {
        let scale = f64::from(self.spatial_scale);
        let offset = if self.half_pixel { 0.5 } else { 0.0 };
        let [left, top, right, bottom] = [0, 1, 2, 3].map(|i| roi[i] * scale - offset);
        let (mut height, mut width) = (bottom - top, right - left);
        if !self.half_pixel {
            (height, width) = (height.max(1.0), width.max(1.0));
        }
        let size = [height / self.output_height as f64, width / self.output_width as f64];
        let count = size.map(|size| match self.sampling_ratio {
            0 => size.ceil().max(0.0) as usize,
            ratio => ratio,
        });
        let place = |begin: f64, d: usize, bin: usize, i: usize| {
            begin + bin as f64 * size[d] + (i as f64 + 0.5) * size[d] / count[d] as f64
        };
        let mut bins = Vec::new();
        for bin in 0..self.output_height * self.output_width {
            let (row, column) = (bin / self.output_width, bin % self.output_width);
            let samples = (0..count[0] * count[1]).map(|i| {
                let y = around(place(top, 0, row, i / count[1]), h)?;
                Some([y, around(place(left, 1, column, i % count[1]), w)?])
            });
            bins.push(samples.collect());
        }
        bins
    }

    fn pool(&self, samples: &[Sample], plane: &[f64], width: usize) -> f64 {
        let terms = samples.iter().map(|sample| {
            let Some([(y0, y1, v), (x0, x1, u)]) = *sample else { return [0.0; 4] };
            let at = |y: usize, x: usize| plane[y * width + x];
            [
                (1.0 - v) * (1.0 - u) * at(y0, x0),
                (1.0 - v) * u * at(y0, x1),
                v * (1.0 - u) * at(y1, x0),
                v * u * at(y1, x1),
            ]
        });
        match self.mode {
            RoiPooling::Avg => terms.flatten().sum::<f64>() / samples.len().max(1) as f64,
            RoiPooling::Max => terms.flatten().reduce(f64::max).unwrap_or(0.0),
        }
    }
}
