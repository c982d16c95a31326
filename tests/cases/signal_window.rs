//! Cases of windows of signals.

use super::{Case, Refusal};
use nn::ops::{BlackmanWindow, HammingWindow, HannWindow, MelWeightMatrix};
use oracle::Array;
use std::f64::consts::PI;
use tensor::DType;

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (size, periodic, dtype) in
        [(10, true, DType::F32), (10, false, DType::F64), (7, true, DType::F32)]
    {
        let n = if periodic { size } else { size - 1 } as f64;
        let of = move |f: fn(f64) -> f64| {
            move |_: &[Array]| vec![Array::from_fn(&[size], |i| f(2.0 * PI * i[0] as f64 / n))]
        };
        let name = format!("of {size} {dtype}, periodic {periodic}");
        let hann = HannWindow { size, periodic, dtype };
        let hamming = HammingWindow { size, periodic, dtype };
        let blackman = BlackmanWindow { size, periodic, dtype };
        cases.extend([
            Case::new(&name[..], hann, of(|x| (x / 2.0).sin().powi(2))),
            Case::new(&name[..], hamming, of(|x| (25.0 - 21.0 * x.cos()) / 46.0)),
            Case::new(&name[..], blackman, of(|x| 0.42 - 0.5 * x.cos() + 0.08 * (2.0 * x).cos())),
        ]);
    }
    // The documentation's example: band edges at 0, 0, 1, 2, 2, 3, 4, 5, 7, 8 of 9 places.
    let op = MelWeightMatrix {
        num_mel_bins: 8,
        dft_length: 16,
        sample_rate: 8192,
        lower_edge_hertz: 0.0,
        upper_edge_hertz: 4096.0,
        dtype: DType::F32,
    };
    cases.push(Case::new("of the documentation", op, |_: &[Array]| {
        #[rustfmt::skip]
        let weights = vec![
            1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
            0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0,
            0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0,
            0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0,
            0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0,
            0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0,
            0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
            0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
            0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
        ];
        vec![Array::new(&[9, 8], weights)]
    }));
    cases
}

pub fn refusals() -> Vec<Refusal> {
    let message = |op: &str| -> &'static str {
        match op {
            "HannWindow" => {
                "HannWindow \"case\": expected 0 operands, got 1. Connect the missing inputs."
            }
            "HammingWindow" => {
                "HammingWindow \"case\": expected 0 operands, got 1. Connect the missing inputs."
            }
            _ => "BlackmanWindow \"case\": expected 0 operands, got 1. Connect the missing inputs.",
        }
    };
    let (size, periodic, dtype) = (5, true, DType::F32);
    vec![
        Refusal::new(HannWindow { size, periodic, dtype }, &[&[1]], message("HannWindow")),
        Refusal::new(HammingWindow { size, periodic, dtype }, &[&[1]], message("HammingWindow")),
        Refusal::new(BlackmanWindow { size, periodic, dtype }, &[&[1]], message("BlackmanWindow")),
        Refusal::new(
            MelWeightMatrix {
                num_mel_bins: 8,
                dft_length: 16,
                sample_rate: 0,
                lower_edge_hertz: 0.0,
                upper_edge_hertz: 4096.0,
                dtype,
            },
            &[],
            "MelWeightMatrix \"case\": expected bands below half the sample rate, got 4096 Hz of 0. \
             Choose a lower upper_edge_hertz.",
        ),
    ]
}
