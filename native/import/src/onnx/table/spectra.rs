//! Signals: windows, Fourier transforms, spectra by mel.

use super::super::Error;
use super::super::node::{Made, Node};
use super::constants::MOST_ELEMENTS;
use super::{Row, between, row};
use nn::ValueId;
use nn::ops::{
    BlackmanWindow, Dft, Gather, HammingWindow, HannWindow, MelWeightMatrix, Mul, Reshape,
};
use tensor::{DType, Tensor};

pub(super) const ROWS: &[Row] = &[
    row("HannWindow", 17, |n| {
        let (size, periodic, dtype) = window(n)?;
        n.given(HannWindow { size, periodic, dtype })
    }),
    row("HammingWindow", 17, |n| {
        let (size, periodic, dtype) = window(n)?;
        n.given(HammingWindow { size, periodic, dtype })
    }),
    row("BlackmanWindow", 17, |n| {
        let (size, periodic, dtype) = window(n)?;
        n.given(BlackmanWindow { size, periodic, dtype })
    }),
    row("MelWeightMatrix", 17, |n| {
        let op = MelWeightMatrix {
            num_mel_bins: size(n, 0)?,
            dft_length: size(n, 1)?,
            sample_rate: size(n, 2)?,
            lower_edge_hertz: n.known_float(3)? as f32,
            upper_edge_hertz: n.known_float(4)? as f32,
            dtype: n.dtype("output_datatype")?.unwrap_or(DType::F32),
        };
        n.given(op)
    }),
    between("DFT", 17, 19, |n| {
        let axis = n.int("axis").unwrap_or(1);
        dft(n, axis)
    }),
    row("DFT", 20, |n| {
        let axis = if n.has(2) { n.known_int(2)? } else { -2 };
        dft(n, axis)
    }),
    row("STFT", 17, stft),
];

/// Source `i` as a number of elements.
fn size(n: &Node<'_, '_>, i: usize) -> Result<usize, Error> {
    let size = n.known_int(i)?;
    let fits = usize::try_from(size).ok().filter(|&size| size <= MOST_ELEMENTS);
    fits.ok_or_else(|| n.fail(format!("expected a size up to {MOST_ELEMENTS}, got {size}")))
}

/// The size of a window, whether it goes on without end, and the type of its elements.
fn window(n: &Node<'_, '_>) -> Result<(usize, bool, DType), Error> {
    let dtype = n.dtype("output_datatype")?.unwrap_or(DType::F32);
    Ok((size(n, 0)?, n.int("periodic") != Some(0), dtype))
}

fn dft(n: &mut Node<'_, '_>, axis: i64) -> Made {
    let length = if n.has(1) { Some(size(n, 1)?) } else { None };
    let (inverse, onesided) = (n.flag("inverse"), n.flag("onesided"));
    n.map_first(Dft { axis, length, inverse, onesided })
}

/// The transforms of pieces of a signal \[batch, time, 1 or 2\], each times the window.
fn stft(n: &mut Node<'_, '_>) -> Made {
    let (signal, ty) = (n.input(0)?, n.src_type(0)?);
    let &[_, time, _] = ty.dims() else {
        return Err(n.fail(format!("expected a signal [batch, time, 1 or 2], got {ty}")));
    };
    let step = size(n, 1)?.max(1);
    let length = match (n.has(3), n.has(2)) {
        (true, _) => size(n, 3)?,
        (false, true) => n.src_type(2)?.shape.len(),
        (false, false) => return Err(n.fail("expected a window or the length of a frame")),
    };
    let pieces = match time.checked_sub(length) {
        Some(rest) if length > 0 => rest / step + 1,
        _ => return Err(n.fail(format!("expected a frame of 1 to {time}, got {length}"))),
    };
    if pieces.checked_mul(length).is_none_or(|places| places > MOST_ELEMENTS) {
        return Err(n.fail(format!("expected pieces of at most {MOST_ELEMENTS} elements in all")));
    }
    let places = (0..pieces).flat_map(|i| (0..length).map(move |j| (i * step + j) as i64));
    let places = n.constant(Tensor::new([pieces, length], places.collect::<Vec<_>>())?);
    let mut frames = n.one(Gather { axis: 1 }, &[signal, places])?;
    if n.has(2) {
        let window = column(n, 2, length)?;
        frames = n.one(Mul {}, &[frames, window])?;
    }
    let onesided = n.int("onesided") != Some(0);
    let op = Dft { axis: -2, length: None, inverse: false, onesided };
    Ok(vec![n.one(op, &[frames])?.into()])
}

/// Source `i` as \[length, 1\].
fn column(n: &mut Node<'_, '_>, i: usize, length: usize) -> Result<ValueId, Error> {
    let value = n.input(i)?;
    n.one(Reshape { shape: vec![length as i64, 1] }, &[value])
}
