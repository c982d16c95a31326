//! Elementary functions that compilers vectorise: no branches, no calls, the same bits on every
//! processor.

use half::bf16;

/// Compiles a function once for each width of vectors and picks one when it is called.
///
/// The versions give the same bits: nothing is reordered and no product is fused with a sum.
#[macro_export]
macro_rules! vectorized {
    ($($function:item)*) => {$(
        #[multiversion::multiversion(targets(
            "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl",
            "x86_64+avx2",
        ))]
        $function
    )*};
}

/// Partial sums that are kept side by side.
const LANES: usize = 16;

/// The same number.
#[inline(always)]
pub fn from_bf16(x: bf16) -> f32 {
    f32::from_bits(u32::from(x.to_bits()) << 16)
}

/// e^x to 2 units in the last place; 0 below −87.3, infinite above 88.7.
///
/// The polynomial is that of Cephes' `expf` (S. Moshier).
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    const LEAST: f32 = -86.6;
    const MOST: f32 = 88.722_83;
    // Adding 1.5 · 2²³ rounds to an integer, which then stands in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    let inside = x.clamp(LEAST, MOST);
    let shifted = inside * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = inside - n * 0.693_359_4;
    let r = r - n * -2.121_944_4e-4;
    let p = 1.987_569_2e-4;
    let p = p * r + 1.398_2e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 0.166_666_66;
    let p = p * r + 0.5;
    let y = p * (r * r) + r + 1.0;
    let y = f32::from_bits(y.to_bits().wrapping_add(shifted.to_bits() << 23));
    let y = if x < LEAST { 0.0 } else { y };
    if x > MOST { f32::INFINITY } else { y }
}

/// 1 / (1 + e^−x).
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// tanh x to 3 units in the last place.
///
/// The polynomial near 0 is that of Cephes' `tanhf` (S. Moshier).
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let z = x * x;
    let p = -5.704_988_7e-3;
    let p = p * z + 2.063_909e-2;
    let p = p * z - 5.373_971_6e-2;
    let p = p * z + 0.133_314_43;
    let p = p * z - 0.333_332_8;
    let near = p * z * x + x;
    let far = (1.0 - 2.0 / (exp(2.0 * x.abs()) + 1.0)).copysign(x);
    if x.abs() < 0.625 { near } else { far }
}

/// 2/√π ∫₀ˣ e^−t² dt, within 2e-7.
///
/// M. Abramowitz, I. Stegun, "Handbook of Mathematical Functions", 7.1.26.
#[inline(always)]
pub fn erf(x: f32) -> f32 {
    let t = 1.0 / (1.0 + 0.327_591_1 * x.abs());
    let p = 1.061_405_4;
    let p = p * t - 1.453_152;
    let p = p * t + 1.421_413_8;
    let p = p * t - 0.284_496_72;
    let p = p * t + 0.254_829_6;
    (1.0 - p * t * exp(-x * x)).copysign(x)
}

/// Σ f(a[i], b[i], …) over slices of one length, in an order that depends on the length alone.
///
/// # Panics
/// If a slice is shorter than the first.
#[inline(always)]
pub fn sum<const N: usize>(src: [&[f32]; N], f: impl Fn([f32; N]) -> f32) -> f32 {
    let n = src[0].len();
    let whole = n / LANES * LANES;
    let mut sums = [0.0f32; LANES];
    for start in (0..whole).step_by(LANES) {
        let src = src.map(|s| &s[start..start + LANES]);
        for (lane, sum) in sums.iter_mut().enumerate() {
            *sum += f(src.map(|s| s[lane]));
        }
    }
    for i in whole..n {
        sums[i - whole] += f(src.map(|s| s[i]));
    }
    for width in [8, 4, 2, 1] {
        for lane in 0..width {
            sums[lane] += sums[lane + width];
        }
    }
    sums[0]
}

/// The largest element; −∞ of none, and NaNs are passed over.
#[inline(always)]
pub fn max(src: &[f32]) -> f32 {
    let mut most = [f32::NEG_INFINITY; LANES];
    let chunks = src.chunks_exact(LANES);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (most, &x) in most.iter_mut().zip(chunk) {
            *most = if x > *most { x } else { *most };
        }
    }
    for (most, &x) in most.iter_mut().zip(rest) {
        *most = if x > *most { x } else { *most };
    }
    most.into_iter().fold(f32::NEG_INFINITY, f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn largest(f: impl Fn(f32) -> f32, exact: impl Fn(f64) -> f64, relative: bool) -> f64 {
        let points = (-20_000..=20_000).map(|i| i as f32 * 0.0043);
        let difference = |x: f32| {
            let expected = exact(x.into());
            let scale = if relative { expected.abs().max(1e-37) } else { 1.0 };
            (f64::from(f(x)) - expected).abs() / scale
        };
        points.map(difference).fold(0.0, f64::max)
    }

    #[test]
    fn functions_are_as_exact_as_they_say() {
        assert!(largest(exp, f64::exp, true) < 2.4e-7);
        assert!(largest(tanh, f64::tanh, true) < 3.6e-7);
        assert!(largest(sigmoid, |x| 1.0 / (1.0 + (-x).exp()), true) < 4e-7);
    }

    #[test]
    fn the_error_function_has_its_published_values() {
        let table = [(0.0, 0.0), (0.5, 0.520_499_9), (-1.0, -0.842_700_8), (2.0, 0.995_322_3)];
        for (x, y) in table {
            assert!((erf(x) - y).abs() < 2.5e-7, "erf({x}) = {}", erf(x));
        }
        assert_eq!((erf(9.0), erf(-9.0)), (1.0, -1.0));
    }

    #[test]
    fn the_ends_are_reached_and_nan_stays() {
        assert_eq!((exp(f32::NEG_INFINITY), exp(f32::INFINITY)), (0.0, f32::INFINITY));
        assert_eq!((tanh(100.0), tanh(-100.0), exp(0.0)), (1.0, -1.0, 1.0));
        assert!(exp(f32::NAN).is_nan() && tanh(f32::NAN).is_nan() && sigmoid(f32::NAN).is_nan());
    }

    #[test]
    fn sums_and_maxima_take_every_element() {
        for n in [0usize, 1, 15, 16, 17, 100] {
            let x: Vec<f32> = (0..n).map(|i| i as f32).collect();
            assert_eq!(sum([&x], |[x]| x), (n * n.saturating_sub(1) / 2) as f32);
            assert_eq!(max(&x), if n == 0 { f32::NEG_INFINITY } else { (n - 1) as f32 });
        }
        assert_eq!(sum([&[1.0, 2.0], &[3.0, 4.0]], |[a, b]| a * b), 11.0);
    }
}
