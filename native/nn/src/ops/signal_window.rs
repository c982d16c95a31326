//! Windows of signal processing, and the weights of mel spectra.

use crate::error::expect_operands;
use crate::op::Op;
use crate::{OpError, TensorType};
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;
use tensor::{DType, Tensor};

macro_rules! window {
    ($(#[$doc:meta])* $op:ident, $weights:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub struct $op {
            /// Number of elements.
            pub size: usize,
            /// N = `size` instead of `size` − 1.
            pub periodic: bool,
            /// Type of the elements.
            pub dtype: DType,
        }

        impl Op for $op {
            fn name(&self) -> &'static str {
                stringify!($op)
            }

            fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
                expect_operands(src, 0..=0)?;
                Ok(vec![TensorType::new(self.dtype, [self.size])])
            }

            fn evaluate(&self, _src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
                let n = if self.periodic { self.size } else { self.size.saturating_sub(1) };
                let [a, b, c]: [f64; 3] = $weights;
                let weight = |i: usize| {
                    let angle = TAU * i as f64 / n.max(1) as f64;
                    a - b * angle.cos() + c * (2.0 * angle).cos()
                };
                let weights: Vec<f64> = (0..self.size).map(weight).collect();
                Ok(vec![Tensor::vector(weights).cast(self.dtype)])
            }
        }
    };
}

window!(
    /// y\[i\] = ½ − ½ cos(2πi / N). ONNX `HannWindow`. No source; y \[size\].
    HannWindow,
    [0.5, 0.5, 0.0]
);
window!(
    /// y\[i\] = 25/46 − 21/46 cos(2πi / N). ONNX `HammingWindow`. No source; y \[size\].
    HammingWindow,
    [25.0 / 46.0, 21.0 / 46.0, 0.0]
);
window!(
    /// y\[i\] = 0.42 − ½ cos(2πi / N) + 0.08 cos(4πi / N). ONNX `BlackmanWindow`. No source;
    /// y \[size\].
    BlackmanWindow,
    [0.42, 0.5, 0.08]
);

/// Weights by which a spectrum is summed up to bands that are evenly spaced in mel,
/// 2595 · log₁₀(1 + hertz / 700). ONNX `MelWeightMatrix`. No source;
/// y \[dft_length / 2 + 1, num_mel_bins\].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MelWeightMatrix {
    /// Number of bands.
    pub num_mel_bins: usize,
    /// Length of the transform that the spectrum comes from.
    pub dft_length: usize,
    /// Samples per second.
    pub sample_rate: usize,
    /// Where the first band begins.
    pub lower_edge_hertz: f32,
    /// Where the last band ends.
    pub upper_edge_hertz: f32,
    /// Type of the elements.
    pub dtype: DType,
}

impl MelWeightMatrix {
    /// The spectrum's places at which bands begin, peak and end.
    fn edges(&self) -> Vec<usize> {
        let mel = |hertz: f32| 2595.0 * (1.0 + f64::from(hertz) / 700.0).log10();
        let (low, high) = (mel(self.lower_edge_hertz), mel(self.upper_edge_hertz));
        let step = (high - low) / (self.num_mel_bins + 2) as f64;
        let place = |i: usize| {
            let hertz = 700.0 * (10f64.powf((low + i as f64 * step) / 2595.0) - 1.0);
            ((self.dft_length + 1) as f64 * hertz / self.sample_rate as f64).floor() as usize
        };
        (0..self.num_mel_bins + 2).map(place).collect()
    }
}

impl Op for MelWeightMatrix {
    fn name(&self) -> &'static str {
        "MelWeightMatrix"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        expect_operands(src, 0..=0)?;
        let places = self.dft_length / 2 + 1;
        let last = self.sample_rate.checked_sub(1).and_then(|_| self.edges().last().copied());
        if last.is_none_or(|last| last > places) {
            return Err(OpError::mismatch(
                "bands below half the sample rate",
                format!("{} Hz of {}", self.upper_edge_hertz, self.sample_rate),
                "Choose a lower upper_edge_hertz.",
            ));
        }
        Ok(vec![TensorType::new(self.dtype, [places, self.num_mel_bins])])
    }

    fn evaluate(&self, _src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        let (places, bands) = (self.dft_length / 2 + 1, self.num_mel_bins);
        let mut weights = vec![0.0f64; places * bands];
        for (band, edge) in self.edges().windows(3).enumerate() {
            let (low, peak, high) = (edge[0], edge[1], edge[2]);
            let mut set = |place: usize, weight: f64| {
                if place < places {
                    weights[place * bands + band] = weight;
                }
            };
            match peak - low {
                0 => set(peak, 1.0),
                rise => (low..=peak).for_each(|i| set(i, (i - low) as f64 / rise as f64)),
            }
            (peak..high).for_each(|i| set(i, (high - i) as f64 / (high - peak) as f64));
        }
        Ok(vec![Tensor::new([places, bands], weights)?.cast(self.dtype)])
    }
}
