//! Cases of the pooling of regions.

use super::{Case, Refusal};
use nn::ops::{RoiAlign, RoiPooling};
use oracle::Array;

/// A plane on which interpolation is exact: y = 3 row + column.
fn slope(dims: &[usize]) -> Array {
    Array::from_fn(dims, |i| (100 * i[0] + 10 * i[1] + 3 * i[2] + i[3]) as f64)
}

pub fn cases() -> Vec<Case> {
    let op = RoiAlign {
        output_height: 2,
        output_width: 2,
        sampling_ratio: 2,
        half_pixel: false,
        ..RoiAlign::default()
    };
    // The mean over a bin of a slope is its value at the bin's centre.
    let centres = |half: f64| {
        move |src: &[Array]| {
            vec![Array::from_fn(&[2, 2, 2, 2], |i| {
                let roi = |j: usize| src[1].at(&[i[0], j]) - half;
                let at = |begin: f64, end: f64, bin: usize| {
                    begin + (end - begin) * (bin as f64 + 0.5) / 2.0
                };
                let (row, column) = (at(roi(1), roi(3), i[2]), at(roi(0), roi(2), i[3]));
                100.0 * src[2].data[i[0]] + 10.0 * i[1] as f64 + 3.0 * row + column
            })]
        }
    };
    let rois = || Array::new(&[2, 4], vec![1.0, 1.0, 4.0, 3.0, 2.0, 0.5, 5.0, 4.5]);
    let largest = |_: &[Array]| vec![Array::new(&[1, 1, 1, 1], vec![2.25])];
    let given = |case: Case| case.fixed(slope(&[2, 2, 7, 8])).fixed(rois()).indices(&[2], &[1, 0]);
    vec![
        given(Case::new("of a slope", op.clone(), centres(0.0))),
        given(Case::new(
            "by half pixels",
            RoiAlign { half_pixel: true, sampling_ratio: 0, ..op.clone() },
            centres(0.5),
        )),
        // One sample in the middle of four pixels: the largest quarter.
        Case::new(
            "by the largest",
            RoiAlign {
                mode: RoiPooling::Max,
                sampling_ratio: 1,
                half_pixel: false,
                ..RoiAlign::default()
            },
            largest,
        )
        .fixed(Array::new(&[1, 1, 2, 2], vec![1.0, 4.0, 9.0, 2.0]))
        .fixed(Array::new(&[1, 4], vec![0.0, 0.0, 1.0, 1.0]))
        .indices(&[1], &[0]),
    ]
}

pub fn refusals() -> Vec<Refusal> {
    vec![Refusal::new(
        RoiAlign::default(),
        &[&[1, 1, 4, 4], &[2, 4], &[2]],
        "RoiAlign \"case\": expected x [n, c, h, w], rois [r, 4] and batch_indices i64 [r], got f32 \
         [1, 1, 4, 4], f32 [2, 4] and f32 [2]. Give a batch index for each region.",
    )]
}
