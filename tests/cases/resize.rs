//! Cases of resizing.

use super::{Case, Refusal};
use nn::ops::Resize;
use nn::ops::resize::{AspectRatio, Coordinates, Interpolation, Nearest};
use oracle::Array;
use oracle::ops::resize::{Kernel, resize};
use tensor::DType;

/// The documentation's own numbers, of the source 1, 2, 3, …
fn known(name: &str, op: Resize, [x, y]: [[usize; 2]; 2], expected: &[f64]) -> Case {
    let y = Array::new(&[1, 1, y[0], y[1]], expected.to_vec());
    let x = Array::new(&[1, 1, x[0], x[1]], (1..=x[0] * x[1]).map(|i| i as f64).collect());
    Case::new(name, op, move |_: &[Array]| vec![y.clone()]).fixed(x)
}

fn scaled(mode: Interpolation, scales: [f32; 2]) -> Resize {
    Resize { mode, scales: vec![1.0, 1.0, scales[0], scales[1]], ..Resize::default() }
}

fn half_pixel(i: f64, scale: f64, _: f64, _: f64) -> f64 {
    (i + 0.5) / scale - 0.5
}

fn asymmetric(i: f64, scale: f64, _: f64, _: f64) -> f64 {
    i / scale
}

fn align_corners(i: f64, _: f64, src: f64, dst: f64) -> f64 {
    i * (src - 1.0) / (dst - 1.0)
}

type Place = fn(f64, f64, f64, f64) -> f64;

/// Scattered numbers by both scales, against the definition.
fn cases_of(kernel: Kernel, op: &Resize, name: &str) -> Vec<Case> {
    let coordinates: [(Coordinates, Place); 3] = [
        (Coordinates::HalfPixel, half_pixel),
        (Coordinates::Asymmetric, asymmetric),
        (Coordinates::AlignCorners, align_corners),
    ];
    let mut cases = Vec::new();
    for (coordinates, place) in coordinates {
        for scales in [[2.0, 1.5], [0.6, 0.75]] {
            let scales = vec![1.0, 1.0, scales[0], scales[1]];
            let op = Resize { coordinates, scales: scales.clone(), ..op.clone() };
            let scales: Vec<f64> = scales.into_iter().map(f64::from).collect();
            let name = format!("{name} by {coordinates:?} and {scales:.2?}");
            let oracle = move |src: &[Array]| vec![resize(&src[0], &scales, kernel, place)];
            cases.push(Case::new(name, op, oracle).operand(&[2, 2, 4, 5]));
        }
    }
    cases
}

pub fn cases() -> Vec<Case> {
    use Interpolation::{Cubic, Linear, Nearest as ByNearest};
    let floor = Resize { nearest: Nearest::Floor, ..Resize::default() };
    let of = |mode| Resize { mode, ..Resize::default() };
    let smooth = |mode| Resize { antialias: true, ..scaled(mode, [0.6, 0.6]) };
    let crop = |roi: [f32; 4]| Resize {
        coordinates: Coordinates::TfCropAndResize,
        axes: vec![2, -1],
        sizes: vec![3, 3],
        roi: roi.to_vec(),
        extrapolation_value: 10.0,
        ..of(Linear)
    };
    let ratio = |aspect_ratio| Resize {
        aspect_ratio,
        axes: vec![2, 3],
        sizes: vec![7, 8],
        ..Resize::default()
    };
    let mut cases = cases_of(Kernel::Floor, &floor, "nearest");
    cases.extend(cases_of(Kernel::Linear, &of(Linear), "linear"));
    cases.extend(cases_of(Kernel::Cubic(-0.75), &of(Cubic), "cubic"));
    cases.extend([
        known(
            "cubic smaller",
            scaled(Cubic, [0.8, 0.8]),
            [[4, 4], [3, 3]],
            &[
                1.47119141,
                2.78125,
                4.08251953,
                6.71142578,
                8.02148438,
                9.32275391,
                11.91650391,
                13.2265625,
                14.52783203,
            ],
        ),
        known("linear smoothed", smooth(Linear), [[4, 4], [2, 2]], &[2.875, 4.5, 9.375, 11.0]),
        known(
            "cubic smoothed",
            smooth(Cubic),
            [[4, 4], [2, 2]],
            &[2.5180721, 4.2858863, 9.589329, 11.357142],
        ),
        Case::new(
            "cubic without what is outside keeps a constant",
            Resize { exclude_outside: true, ..scaled(Cubic, [1.5, 2.0]) },
            |_: &[Array]| vec![Array::zeros(&[1, 1, 3, 8]).map(|_| 3.5)],
        )
        .fixed(Array::zeros(&[1, 1, 2, 4]).map(|_| 3.5)),
        known(
            "cropped",
            crop([0.4, 0.6, 0.6, 0.8]),
            [[4, 4], [3, 3]],
            &[7.6, 7.9, 8.2, 8.8, 9.1, 9.4, 10.0, 10.3, 10.6],
        ),
        known(
            "cropped beyond the border",
            crop([0.4, 0.6, 1.2, 1.7]),
            [[4, 4], [3, 3]],
            &[7.6, 10.0, 10.0, 12.4, 10.0, 10.0, 10.0, 10.0, 10.0],
        ),
        known(
            "not larger",
            ratio(AspectRatio::NotLarger),
            [[2, 4], [4, 8]],
            &[
                1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0, 1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0,
                5.0, 5.0, 6.0, 6.0, 7.0, 7.0, 8.0, 8.0, 5.0, 5.0, 6.0, 6.0, 7.0, 7.0, 8.0, 8.0,
            ],
        ),
        Case::new("of bytes", scaled(ByNearest, [2.0, 1.0]), |src: &[Array]| {
            vec![Array::from_fn(&[1, 1, 4, 3], |i| src[0].at(&[0, 0, i[2] / 2, i[3]]))]
        })
        .typed(DType::U8, Array::from_fn(&[1, 1, 2, 3], |i| (10 * i[2] + i[3]) as f64)),
    ]);
    cases
}

pub fn refusals() -> Vec<Refusal> {
    vec![
        Refusal::new(
            Resize { scales: vec![2.0], ..Resize::default() },
            &[&[2, 3]],
            "Resize \"case\": expected a scale or a size for each axis, got scales [2.0], sizes [], \
             axes [], roi [] of src [2, 3]. Give one number for each axis.",
        ),
        Refusal::new(
            Resize { scales: vec![2.0, 0.0], ..Resize::default() },
            &[&[2, 3]],
            "Resize \"case\": expected positive scales or positive sizes, got scales [2.0, 0.0], sizes \
             [], axes [], roi [] of src [2, 3]. Give one number for each axis.",
        ),
        Refusal::new(
            Resize { sizes: vec![2, 3], ..Resize::default() },
            &[&[2, 0]],
            "Resize \"case\": expected elements along each axis, got scales [], sizes [2, 3], axes [], \
             roi [] of src [2, 0]. Give one number for each axis.",
        ),
    ]
}
