//! Cases of maxima over regions.

use super::{Case, Refusal};
use nn::ops::MaxRoiPool;
use oracle::Array;

/// Maxima over rows and columns that were written down by hand: (image, rows, columns) of each bin.
fn case(name: &str, op: MaxRoiPool, rois: Array, bins: Vec<[usize; 5]>) -> Case {
    let (regions, [rows, columns]) = (rois.dims[0], op.pooled_shape);
    let oracle = move |src: &[Array]| {
        let dims = [regions, src[0].dims[1], rows, columns];
        vec![Array::from_fn(&dims, |at| {
            let [image, top, bottom, left, right] = bins[(at[0] * rows + at[2]) * columns + at[3]];
            let pixels = (top..bottom).flat_map(|i| (left..right).map(move |j| (i, j)));
            let largest = pixels.map(|(i, j)| src[0].at(&[image, at[1], i, j]));
            largest.reduce(f64::max).unwrap_or(0.0)
        })]
    };
    Case::new(name, op, oracle).operand(&[2, 3, 5, 6]).fixed(rois)
}

pub fn cases() -> Vec<Case> {
    vec![
        case(
            "bins that share pixels",
            MaxRoiPool { pooled_shape: [2, 2], spatial_scale: 1.0 },
            Array::new(&[2, 5], vec![1.0, 1.0, 0.0, 3.0, 4.0, 0.0, 0.0, 1.0, 5.0, 2.0]),
            vec![
                [1, 0, 3, 1, 3],
                [1, 0, 3, 2, 4],
                [1, 2, 5, 1, 3],
                [1, 2, 5, 2, 4],
                [0, 1, 2, 0, 3],
                [0, 1, 2, 3, 6],
                [0, 2, 3, 0, 3],
                [0, 2, 3, 3, 6],
            ],
        ),
        case(
            "of half the size, partly outside",
            MaxRoiPool { pooled_shape: [1, 2], spatial_scale: 0.5 },
            Array::new(&[1, 5], vec![0.0, 8.0, 4.0, 14.0, 20.0]),
            vec![[0, 2, 5, 4, 6], [0, 2, 5, 6, 6]],
        ),
    ]
}

pub fn refusals() -> Vec<Refusal> {
    vec![Refusal::new(
        MaxRoiPool { pooled_shape: [2, 2], spatial_scale: 1.0 },
        &[&[1, 2, 5, 5], &[3, 4]],
        "MaxRoiPool \"case\": expected x [n, c, h, w], rois [r, 5] and at least one bin, got [1, 2, 5, \
         5], [3, 4] and 2 x 2 bins. Give the number of the image and two corners for each region.",
    )]
}
