//! Cases of images read at given places.

use super::{Case, Refusal};
use nn::ops::{AffineGrid, GridMode, GridPadding, GridSample};
use oracle::Array;

/// The documentation's image of three rows, at eight places on its diagonal.
fn diagonal(name: &str, mode: GridMode, padding: GridPadding, expected: [f64; 8]) -> Case {
    let op = GridSample { mode, padding, align_corners: false };
    let places = [-10.0, -5.0, -0.2, 10.0, 10.0, -0.2, 5.0, 10.0];
    let grid = places.iter().flat_map(|&p| [p, p]).collect();
    let y = Array::new(&[1, 1, 2, 4], expected.to_vec());
    Case::new(name, op, move |_: &[Array]| vec![y.clone()])
        .fixed(Array::new(&[1, 1, 3, 2], (0..6).map(f64::from).collect()))
        .fixed(Array::new(&[1, 2, 4, 2], grid))
}

/// Reading at the places of the identity gives the image.
fn identity(name: &str, mode: GridMode, align_corners: bool, dims: &[usize]) -> Case {
    let op = GridSample { mode, align_corners, ..GridSample::default() };
    let spatial = dims[2..].to_vec();
    let grid = Array::from_fn(&[&dims[..1], &spatial, &[spatial.len()]].concat(), |i| {
        let d = spatial.len() - 1 - i[i.len() - 1];
        let (at, size) = (i[1 + d] as f64, spatial[d] as f64);
        if align_corners { 2.0 * at / (size - 1.0) - 1.0 } else { (2.0 * at + 1.0) / size - 1.0 }
    });
    Case::new(name, op, |src: &[Array]| vec![src[0].clone()])
        .fixed(Array::sample(dims, 1))
        .fixed(grid)
}

/// The map x + ½, −y of an image with a plane of 2×3.
fn affine(name: &str, align_corners: bool, x: [f64; 3], y: [f64; 2]) -> Case {
    let op = AffineGrid { size: vec![1, 4, 2, 3], align_corners };
    let oracle = move |_: &[Array]| {
        vec![Array::from_fn(&[1, 2, 3, 2], |i| if i[3] == 0 { x[i[2]] + 0.5 } else { -y[i[1]] })]
    };
    let theta = Array::new(&[1, 2, 3], vec![1.0, 0.0, 0.5, 0.0, -1.0, 0.0]);
    Case::new(name, op, oracle).fixed(theta)
}

pub fn cases() -> Vec<Case> {
    use GridMode::{Cubic, Linear, Nearest};
    use GridPadding::{Border, Reflection, Zeros};
    let third = 2.0 / 3.0;
    vec![
        diagonal("with zeros around", Linear, Zeros, [0.0, 0.0, 1.7, 0.0, 0.0, 1.7, 0.0, 0.0]),
        diagonal(
            "with its border around",
            Linear,
            Border,
            [0.0, 0.0, 1.7, 5.0, 5.0, 1.7, 5.0, 5.0],
        ),
        diagonal("mirrored", Linear, Reflection, [2.5, 0.0, 1.7, 2.5, 2.5, 1.7, 5.0, 2.5]),
        diagonal("nearest", Nearest, Zeros, [0.0, 0.0, 2.0, 0.0, 0.0, 2.0, 0.0, 0.0]),
        identity("linear at its own places", Linear, false, &[2, 3, 4, 5]),
        identity("linear at aligned places", Linear, true, &[1, 2, 3, 4]),
        identity("cubic at its own places", Cubic, false, &[1, 2, 4, 5]),
        identity("nearest with a depth", Nearest, false, &[2, 2, 2, 3, 4]),
        affine("by outer edges", false, [-third, 0.0, third], [-0.5, 0.5]),
        affine("by centres", true, [-1.0, 0.0, 1.0], [-1.0, 1.0]),
    ]
}

pub fn refusals() -> Vec<Refusal> {
    vec![
        Refusal::new(
            GridSample::default(),
            &[&[1, 1, 4, 4], &[1, 2, 2, 3]],
            "GridSample \"case\": expected x [n, c, h, w] and grid [n, oh, ow, 2] of floats, or both \
             with a depth, got f32 [1, 1, 4, 4] and f32 [1, 2, 2, 3]. Give a place for each number \
             of the result.",
        ),
        Refusal::new(
            AffineGrid { size: vec![2, 1, 3, 3], align_corners: false },
            &[&[1, 2, 3]],
            "AffineGrid \"case\": expected theta [n, 2, 3] or [n, 3, 4] of floats for an image \
             [2, 1, 3, 3], got f32 [1, 2, 3]. Give one map for each image.",
        ),
    ]
}
