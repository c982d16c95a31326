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

/// The number of an image [n, c, h, w] at a whole place, by the padding.
fn pixel(op: &GridSample, x: &Array, image: [usize; 2], place: [i64; 2]) -> f64 {
    let mut at = [image[0], image[1], 0, 0];
    for d in 0..2 {
        let size = x.dims[2 + d] as i64;
        // Mirrored at pixels, or at the edges beyond them.
        let period = if op.align_corners { 2 * size - 2 } else { 2 * size };
        let mirrored = place[d].rem_euclid(period);
        let back = if op.align_corners { period - mirrored } else { period - 1 - mirrored };
        let i = match op.padding {
            GridPadding::Zeros if !(0..size).contains(&place[d]) => return 0.0,
            GridPadding::Zeros => place[d],
            GridPadding::Border => place[d].clamp(0, size - 1),
            GridPadding::Reflection => mirrored.min(back),
        };
        at[2 + d] = i as usize;
    }
    x.at(&at)
}

/// Keys' kernel with a = −¾ at a distance, or that of a line.
fn kernel(mode: GridMode, t: f64) -> f64 {
    let t = t.abs();
    match mode {
        GridMode::Cubic if t <= 1.0 => 1.25 * t.powi(3) - 2.25 * t.powi(2) + 1.0,
        GridMode::Cubic if t < 2.0 => -0.75 * (t.powi(3) - 5.0 * t.powi(2) + 8.0 * t - 4.0),
        GridMode::Linear if t < 1.0 => 1.0 - t,
        _ => 0.0,
    }
}

/// Any grid, by the sum of all pixels near a place times the kernel; padded pixel by pixel, which for
/// lines is the same as padding the place.
fn sampled(name: &str, op: GridSample) -> Case {
    let settings = op.clone();
    let oracle = move |src: &[Array]| {
        let (x, grid) = (&src[0], &src[1]);
        let dims = [x.dims[0], x.dims[1], grid.dims[1], grid.dims[2]];
        vec![Array::from_fn(&dims, |at| {
            let place = [1, 0].map(|d| {
                let (g, size) = (grid.at(&[at[0], at[2], at[3], d]), x.dims[3 - d] as f64);
                match settings.align_corners {
                    true => (g + 1.0) / 2.0 * (size - 1.0),
                    false => ((g + 1.0) * size - 1.0) / 2.0,
                }
            });
            let [i, j] = place.map(|p| p.floor() as i64);
            let near = (-1..=2).flat_map(|a| (-1..=2).map(move |b| [i + a, j + b]));
            near.map(|[i, j]| {
                let weight = kernel(settings.mode, i as f64 - place[0])
                    * kernel(settings.mode, j as f64 - place[1]);
                weight * pixel(&settings, x, [at[0], at[1]], [i, j])
            })
            .sum()
        })]
    };
    Case::new(name, op, oracle)
        .operand(&[2, 3, 4, 5])
        .values(Array::sample(&[2, 3, 2, 2], 9).map(|place| 1.2 * place))
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
        sampled("lines, zeros", GridSample::default()),
        sampled("lines, border", GridSample { padding: Border, ..GridSample::default() }),
        sampled(
            "lines, mirrored at corners",
            GridSample { padding: Reflection, align_corners: true, ..GridSample::default() },
        ),
        sampled("lines, mirrored", GridSample { padding: Reflection, ..GridSample::default() }),
        sampled("cubics, zeros", GridSample { mode: Cubic, ..GridSample::default() }),
        sampled(
            "cubics, border, by corners",
            GridSample { mode: Cubic, padding: Border, align_corners: true },
        ),
        Case::new(
            "an image without rows",
            GridSample { padding: Border, ..GridSample::default() },
            |_: &[Array]| vec![Array::zeros(&[1, 1, 2, 2])],
        )
        .fixed(Array::zeros(&[1, 1, 0, 4]))
        .fixed(Array::zeros(&[1, 2, 2, 2])),
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
