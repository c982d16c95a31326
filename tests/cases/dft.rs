//! Cases of Fourier transforms.

use super::{Case, Refusal};
use nn::ops::Dft;
use oracle::Array;
use std::f64::consts::TAU;

/// By the definition, along axis 1 of \[batch, n, inner, parts\]; a half is filled up first.
fn dft(op: &Dft, length: usize, src: &Array) -> Array {
    let &[batch, n, inner, parts] = &src.dims[..] else { panic!("four dimensions") };
    let half = op.inverse && op.onesided;
    let part = |b, j, i, p| if j < n && p < parts { src.at(&[b, j, i, p]) } else { 0.0 };
    let x = |b: usize, j: usize, i: usize| match half && 2 * j > length {
        true => [part(b, length - j, i, 0), -part(b, length - j, i, 1)],
        false => [part(b, j, i, 0), part(b, j, i, 1)],
    };
    let (sign, scale) = if op.inverse { (1.0, 1.0 / length as f64) } else { (-1.0, 1.0) };
    let bins = if op.onesided && !half { length / 2 + 1 } else { length };
    Array::from_fn(&[batch, bins, inner, if half { 1 } else { 2 }], |at| {
        let terms = (0..length).map(|j| {
            let ([re, im], angle) = (x(at[0], j, at[2]), sign * TAU * (j * at[1]) as f64);
            let (sin, cos) = (angle / length as f64).sin_cos();
            if at[3] == 0 { re * cos - im * sin } else { re * sin + im * cos }
        });
        scale * terms.sum::<f64>()
    })
}

fn case(name: &str, op: Dft, length: usize, dims: &[usize]) -> Case {
    let settings = op.clone();
    Case::new(name, op, move |src: &[Array]| vec![dft(&settings, length, &src[0])]).operand(dims)
}

pub fn cases() -> Vec<Case> {
    let at = Dft { axis: 1, ..Dft::default() };
    let inverse = Dft { inverse: true, ..at.clone() };
    let half = Dft { onesided: true, ..at.clone() };
    let back = Dft { onesided: true, ..inverse.clone() };
    vec![
        case("of a complex signal", at.clone(), 12, &[2, 12, 3, 2]),
        case(
            "of a real signal of a prime length",
            Dft { axis: -3, ..at.clone() },
            7,
            &[2, 7, 2, 1],
        ),
        case("filled up with zeros", Dft { length: Some(10), ..at.clone() }, 10, &[1, 6, 2, 2]),
        case("cut off", Dft { length: Some(5), ..at }, 5, &[1, 6, 2, 2]),
        case("inverse", inverse, 9, &[2, 9, 2, 2]),
        case("half, even", half.clone(), 8, &[2, 8, 2, 1]),
        case("half, odd", half, 9, &[1, 9, 2, 1]),
        case("of a half, even", back.clone(), 8, &[2, 5, 2, 2]),
        case("of a half, odd", Dft { length: Some(9), ..back }, 9, &[1, 5, 2, 2]),
    ]
}

pub fn refusals() -> Vec<Refusal> {
    vec![Refusal::new(
        Dft { onesided: true, ..Dft::default() },
        &[&[2, 3, 2]],
        "Dft \"case\": expected a signal along axis -2 with a last dimension of 1, got [2, 3, 2]. Give \
         real signals one part, complex ones and spectra two.",
    )]
}
