//! Selection of boxes that overlap little.

use crate::error::expect_operands;
use crate::op::Op;
use crate::{OpError, TensorType};
use serde::{Deserialize, Serialize};
use tensor::{DType, Tensor};

/// The boxes of each batch and class by falling score, without those that overlap one chosen
/// before by more than `iou_threshold` (intersection over union). ONNX `NonMaxSuppression`.
///
/// Sources: boxes \[batch, n, 4\] and scores \[batch, classes, n\], f32. Result: i64 \[selected, 3\]
/// of (batch, class, box), so its shape depends on the numbers. Of equal scores the first wins.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NonMaxSuppression {
    /// Boxes are \[x centre, y centre, width, height\] instead of two opposite corners
    /// \[y, x, y, x\].
    pub center_point_box: bool,
    /// Most boxes of a class in a batch; 0 selects none.
    pub max_output_boxes_per_class: i64,
    /// Overlap that is still accepted, from 0 to 1.
    pub iou_threshold: f32,
    /// Scores must be above this, if it is there.
    pub score_threshold: Option<f32>,
}

impl Op for NonMaxSuppression {
    fn name(&self) -> &'static str {
        "NonMaxSuppression"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        expect_operands(src, 2..=2)?;
        let (boxes, scores) = (src[0], src[1]);
        let fits = matches!(
            (boxes.dims(), scores.dims()),
            (&[b, n, 4], &[batch, _, m]) if b == batch && n == m
        );
        if !fits || src.iter().any(|s| s.dtype != DType::F32) {
            return Err(OpError::mismatch(
                "f32 boxes [batch, n, 4] and scores [batch, classes, n]",
                format!("{boxes} and {scores}"),
                "Give a score of each class for each box.",
            ));
        }
        Err(OpError::DependsOnData)
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        let (boxes, scores) = (src[0].get::<f32>()?, src[1].get::<f32>()?);
        let (&[batches, n, _], &[_, classes, _]) = (src[0].dims(), src[1].dims()) else {
            return Err(OpError::DependsOnData);
        };
        let most = usize::try_from(self.max_output_boxes_per_class).unwrap_or(0);
        let mut selected: Vec<i64> = Vec::new();
        for batch in 0..batches {
            let corners: Vec<[f32; 4]> = boxes[batch * n * 4..][..n * 4]
                .chunks_exact(4)
                .map(|b| self.corners([b[0], b[1], b[2], b[3]]))
                .collect();
            for class in 0..classes {
                let scores = &scores[(batch * classes + class) * n..][..n];
                let above = |&i: &usize| self.score_threshold.is_none_or(|t| scores[i] > t);
                let mut order: Vec<usize> = (0..n).filter(above).collect();
                order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
                let mut kept: Vec<usize> = Vec::new();
                for i in order {
                    if kept.len() >= most {
                        break;
                    }
                    let overlaps = |&k: &usize| {
                        intersection_over_union(corners[k], corners[i]) > self.iou_threshold
                    };
                    if !kept.iter().any(overlaps) {
                        kept.push(i);
                    }
                }
                selected.extend(kept.iter().flat_map(|&i| [batch, class, i].map(|x| x as i64)));
            }
        }
        Ok(vec![Tensor::new([selected.len() / 3, 3], selected)?])
    }

    fn compiles(&self, _src: &[DType]) -> bool {
        false
    }
}

impl NonMaxSuppression {
    /// Lowest and highest corner.
    fn corners(&self, [a, b, c, d]: [f32; 4]) -> [f32; 4] {
        if self.center_point_box {
            return [a - c / 2.0, b - d / 2.0, a + c / 2.0, b + d / 2.0];
        }
        [a.min(c), b.min(d), a.max(c), b.max(d)]
    }
}

fn intersection_over_union(a: [f32; 4], b: [f32; 4]) -> f32 {
    let area = |[y0, x0, y1, x1]: [f32; 4]| (y1 - y0).max(0.0) * (x1 - x0).max(0.0);
    let common = [a[0].max(b[0]), a[1].max(b[1]), a[2].min(b[2]), a[3].min(b[3])];
    let (shared, both) = (area(common), area(a) + area(b));
    if shared <= 0.0 { 0.0 } else { shared / (both - shared) }
}
