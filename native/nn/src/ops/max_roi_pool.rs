//! Maximum over the bins of regions.

use crate::error::expect_operands;
use crate::op::Op;
use crate::tensor_type::{float_types, infer_tensors};
use crate::{Error, Gradient, OpError, TensorType};
use serde::{Deserialize, Serialize};
use tensor::{DType, Shape, Tensor};

/// y\[r, c\] = the maxima of region r of x, divided in bins of whole pixels; 0 for a bin without any.
/// ONNX `MaxRoiPool` (R. Girshick: "Fast R-CNN", ICCV 2015).
///
/// Sources: x \[n, c, h, w\]; rois \[r, 5\] of (number of the image, x and y of two corners). Result:
/// \[r, c, rows, columns\]. The rois have no gradient.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MaxRoiPool {
    /// Rows and columns of bins.
    pub pooled_shape: [usize; 2],
    /// Size of x by that of what the rois are in.
    pub spatial_scale: f32,
}

/// The pixels of each bin along one dimension, from one corner to the other.
fn bins(begin: f64, end: f64, count: usize, size: usize) -> Vec<std::ops::Range<usize>> {
    let extent = (end - begin + 1.0).max(1.0) / count as f64;
    let inside = |place: f64| (place + begin).clamp(0.0, size as f64) as usize;
    let bin =
        |i: usize| inside((i as f64 * extent).floor())..inside(((i + 1) as f64 * extent).ceil());
    (0..count).map(bin).collect()
}

impl MaxRoiPool {
    /// For each element of the result the number of the element of x that it is, if there is one.
    fn places(&self, x: &Tensor, rois: &Tensor) -> Result<Vec<Option<usize>>, OpError> {
        let &[n, channels, h, w] = x.dims() else { return Err(OpError::NotEvaluated) };
        let (x, rois) = (x.cast(DType::F64), rois.cast(DType::F64));
        let x = x.get::<f64>()?;
        let mut places = Vec::new();
        for roi in rois.get::<f64>()?.chunks_exact(5) {
            if !(0.0..n as f64).contains(&roi[0]) {
                return Err(OpError::mismatch(
                    format!("images below {n}"),
                    roi[0].to_string(),
                    "Number the images from 0.",
                ));
            }
            // Rounded in f32, as others do: corners lie on halves often.
            let corner = |i: usize| f64::from((roi[i] as f32 * self.spatial_scale).round());
            let rows = bins(corner(2), corner(4), self.pooled_shape[0], h);
            let columns = bins(corner(1), corner(3), self.pooled_shape[1], w);
            for channel in 0..channels {
                let plane = (roi[0] as usize * channels + channel) * h * w;
                for (rows, columns) in rows.iter().flat_map(|r| columns.iter().map(move |c| (r, c)))
                {
                    let pixels = rows.clone().flat_map(|i| columns.clone().map(move |j| (i, j)));
                    let mut largest: Option<usize> = None;
                    for place in pixels.map(|(i, j)| plane + i * w + j) {
                        // Of equal ones the first counts.
                        if largest.is_none_or(|largest| x[place] > x[largest]) {
                            largest = Some(place);
                        }
                    }
                    places.push(largest);
                }
            }
        }
        Ok(places)
    }
}

impl Op for MaxRoiPool {
    fn name(&self) -> &'static str {
        "MaxRoiPool"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |src| {
            expect_operands(src, 2..=2)?;
            let [rows, columns] = self.pooled_shape;
            match (src[0].dims(), src[1].dims()) {
                (&[_, c, _, _], &[r, 5]) if rows * columns > 0 => {
                    Ok(vec![Shape::new(&[r, c, rows, columns])])
                }
                _ => Err(OpError::mismatch(
                    "x [n, c, h, w], rois [r, 5] and at least one bin",
                    format!("{}, {} and {rows} x {columns} bins", src[0], src[1]),
                    "Give the number of the image and two corners for each region.",
                )),
            }
        })
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        if let (Some(diff), true) = (g.diff_dst(0), g.needs(0)) {
            let op = MaxRoiPoolBackward { pool: self.clone() };
            let diff = g.emit(op, &[g.src(0), g.src(1), diff])?[0];
            g.set(0, diff);
        }
        Ok(())
    }

    fn compiles(&self, _: &[DType]) -> bool {
        false
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        let dst = infer_tensors(self, src)?.remove(0);
        let x = src[0].cast(DType::F64);
        let x = x.get::<f64>()?;
        let places = self.places(src[0], src[1])?;
        let y: Vec<f64> = places.iter().map(|place| place.map_or(0.0, |place| x[place])).collect();
        Ok(vec![Tensor::new(dst.shape, y)?.cast(dst.dtype)])
    }
}

/// dx of a pooling: dy where a maximum came from. Sources: x, rois, dy.
#[derive(Clone, Debug)]
struct MaxRoiPoolBackward {
    pool: MaxRoiPool,
}

impl Op for MaxRoiPoolBackward {
    fn name(&self) -> &'static str {
        "MaxRoiPoolBackward"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |src| Ok(vec![src[0].clone()]))
    }

    fn compiles(&self, _: &[DType]) -> bool {
        false
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        let dst = infer_tensors(self, src)?.remove(0);
        let dy = src[2].cast(DType::F64);
        let mut dx = vec![0.0; dst.shape.len()];
        for (place, dy) in self.pool.places(src[0], src[1])?.into_iter().zip(dy.get::<f64>()?) {
            if let Some(place) = place {
                dx[place] += dy;
            }
        }
        Ok(vec![Tensor::new(dst.shape, dx)?.cast(dst.dtype)])
    }
}
