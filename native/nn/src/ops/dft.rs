//! Discrete Fourier transforms.

use crate::error::expect_operands;
use crate::op::{Cost, Op, elementwise_cost};
use crate::tensor_type::{float_types, infer_tensors};
use crate::{Error, Gradient, OpError, TensorType};
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;
use tensor::{DType, Shape, Tensor};

/// y\[k\] = Σ x\[j\] · e^(−2πi·jk / N) along an axis; the inverse has e^(+2πi·jk / N) / N. ONNX `DFT`.
///
/// Shapes: x \[…, n, …, 1 or 2\], whose last dimension holds real and imaginary part; y the same with
/// N for n and two parts. With `onesided` y ends with k = ⌊N/2⌋ and x is real, as the rest are the
/// conjugates; the onesided inverse takes such a half and gives one real part. Computed in f64 by
/// the fast transform for the prime factors of N (Cooley, Tukey: "An algorithm for the machine
/// calculation of complex Fourier series", Mathematics of Computation 1965).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Dft {
    /// Dimension of the signal; negative counts from the end.
    pub axis: i64,
    /// N: the signal is cut off or goes on with zeros. None takes n, or 2·(n − 1) of a half.
    pub length: Option<usize>,
    /// From spectrum to signal.
    pub inverse: bool,
    /// The spectrum is that of a real signal, and has its first half only.
    pub onesided: bool,
}

impl Default for Dft {
    fn default() -> Dft {
        Dft { axis: -2, length: None, inverse: false, onesided: false }
    }
}

/// Real and imaginary part.
type Complex = [f64; 2];

/// Sizes of a transform.
#[derive(Clone, Debug)]
struct Sizes {
    axis: usize,
    /// N.
    length: usize,
    /// The first half of a spectrum is given.
    half: bool,
    src: Shape,
    dst: Shape,
}

impl Dft {
    fn sizes(&self, src: &Shape) -> Result<Sizes, OpError> {
        let rank = src.rank();
        let axis = if self.axis < 0 { self.axis + rank as i64 } else { self.axis };
        let axis = usize::try_from(axis).ok().filter(|&axis| axis + 1 < rank);
        let parts = src.dims().last().copied().unwrap_or(0);
        let half = self.inverse && self.onesided;
        let (wanted, fits) = match (self.onesided, self.inverse) {
            (true, false) => ("1", parts == 1),
            (true, true) => ("2", parts == 2),
            (false, _) => ("1 or 2", [1, 2].contains(&parts)),
        };
        let Some(axis) = axis.filter(|_| fits) else {
            return Err(OpError::mismatch(
                format!("a signal along axis {} with a last dimension of {wanted}", self.axis),
                src.to_string(),
                "Give real signals one part, complex ones and spectra two.",
            ));
        };
        let n = src.dims()[axis];
        let usual = if half { 2 * n.saturating_sub(1) } else { n };
        let length = self.length.unwrap_or(usual);
        if length == 0 {
            let remedy = "Give a length.";
            return Err(OpError::mismatch("a length of at least 1", src.to_string(), remedy));
        }
        let mut dims = src.dims().to_vec();
        dims[axis] = if self.onesided && !half { length / 2 + 1 } else { length };
        dims[rank - 1] = if half { 1 } else { 2 };
        Ok(Sizes { axis, length, half, src: src.clone(), dst: dims.into() })
    }
}

impl Op for Dft {
    fn name(&self) -> &'static str {
        "Dft"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |src| {
            expect_operands(src, 1..=1)?;
            Ok(vec![self.sizes(src[0])?.dst])
        })
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        if let (Some(diff), true) = (g.diff_dst(0), g.needs(0)) {
            let Ok(sizes) = self.sizes(&g.shape(g.src(0))) else { return Err(g.refuse()) };
            let diff = g.emit(DftBackward { sizes, inverse: self.inverse }, &[diff])?[0];
            g.set(0, diff);
        }
        Ok(())
    }

    fn compiles(&self, _: &[DType]) -> bool {
        false
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        let dst = infer_tensors(self, src)?.remove(0);
        let sizes = self.sizes(src[0].shape())?;
        let made = sizes.lines(&sizes.src, &sizes.dst, src[0], |line| {
            if sizes.half {
                sizes.doubled(line);
            }
            transform(line, self.inverse)
        })?;
        Ok(vec![made.cast(dst.dtype)])
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        let length = self.sizes(&src[0]).map_or(1, |sizes| sizes.length) as f64;
        elementwise_cost(src, dst, 2.5 * length.log2().max(1.0))
    }
}

impl Sizes {
    /// The bins of a half that stand for two count twice; what lies behind the half does not count.
    fn doubled(&self, line: &mut [Complex]) {
        for (k, bin) in line.iter_mut().enumerate() {
            let factor = match 2 * k {
                0 => 1.0,
                k if k < self.length => 2.0,
                k if k == self.length => 1.0,
                _ => 0.0,
            };
            *bin = bin.map(|part| part * factor);
        }
    }

    /// Makes a tensor of shape `to` by changing each line of N numbers of one of shape `from`; lines
    /// are cut off or go on with zeros.
    fn lines(
        &self,
        from: &Shape,
        to: &Shape,
        tensor: &Tensor,
        change: impl Fn(&mut [Complex]) -> Vec<Complex>,
    ) -> Result<Tensor, OpError> {
        let x = tensor.cast(DType::F64);
        let x = x.get::<f64>()?;
        let mut y = vec![0.0; to.len()];
        let parts = |shape: &Shape| shape.dims()[shape.rank() - 1];
        let (a, b) = (parts(from), parts(to));
        let outer: usize = from.dims()[..self.axis].iter().product();
        let inner: usize = from.dims()[self.axis + 1..from.rank() - 1].iter().product();
        let (n, m) = (from.dims()[self.axis], to.dims()[self.axis]);
        for (o, i) in (0..outer).flat_map(|o| (0..inner).map(move |i| (o, i))) {
            let mut line = vec![[0.0; 2]; self.length];
            for (j, number) in line.iter_mut().take(n).enumerate() {
                let at = ((o * n + j) * inner + i) * a;
                number[..a].copy_from_slice(&x[at..at + a]);
            }
            for (k, number) in change(&mut line).iter().take(m).enumerate() {
                let at = ((o * m + k) * inner + i) * b;
                y[at..at + b].copy_from_slice(&number[..b]);
            }
        }
        Ok(Tensor::new(to.clone(), y)?)
    }
}

/// The transform of a line.
fn transform(line: &[Complex], inverse: bool) -> Vec<Complex> {
    let n = line.len();
    let (sign, scale) = if inverse { (1.0, 1.0 / n as f64) } else { (-1.0, 1.0) };
    let root = |k: usize| {
        let (sin, cos) = (sign * TAU * k as f64 / n as f64).sin_cos();
        [cos, sin]
    };
    let roots: Vec<Complex> = (0..n).map(root).collect();
    let made = part(line, 0, 1, &roots);
    made.into_iter().map(|number| number.map(|part| part * scale)).collect()
}

/// The transform of every `stride`-th number from `first` on; `roots` are those of the whole line.
fn part(line: &[Complex], first: usize, stride: usize, roots: &[Complex]) -> Vec<Complex> {
    let n = line.len() / stride;
    let Some(prime) = (2..=n).find(|&p| n.is_multiple_of(p)) else { return vec![line[first]] };
    let m = n / prime;
    let parts: Vec<Vec<Complex>> =
        (0..prime).map(|r| part(line, first + r * stride, stride * prime, roots)).collect();
    let number = |k: usize| {
        parts.iter().enumerate().fold([0.0; 2], |sum, (r, part)| {
            let ([a, b], [c, d]) = (part[k % m], roots[r * k % n * stride]);
            [sum[0] + a * c - b * d, sum[1] + a * d + b * c]
        })
    };
    (0..n).map(number).collect()
}

/// dx of a transform: the transform of dy the other way round. Source: dy.
#[derive(Clone, Debug)]
struct DftBackward {
    sizes: Sizes,
    inverse: bool,
}

impl Op for DftBackward {
    fn name(&self) -> &'static str {
        "DftBackward"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |_| Ok(vec![self.sizes.src.clone()]))
    }

    fn compiles(&self, _: &[DType]) -> bool {
        false
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        let dst = infer_tensors(self, src)?.remove(0);
        let (sizes, n) = (&self.sizes, self.sizes.length as f64);
        // The factor 1 / N belongs to the inverse, whose gradient goes forwards.
        let scale = if self.inverse { 1.0 / n } else { n };
        let made = sizes.lines(&sizes.dst, &sizes.src, src[0], |line| {
            let mut diff = transform(line, !self.inverse);
            diff.iter_mut().for_each(|number| *number = number.map(|part| part * scale));
            if sizes.half {
                sizes.doubled(&mut diff);
            }
            diff
        })?;
        Ok(vec![made.cast(dst.dtype)])
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(src, dst, 2.5 * (self.sizes.length as f64).log2().max(1.0))
    }
}
