/// `base` to the power of `exponent` by squaring: unlike the platform's `pow`, the same bits with any
/// C library on any processor.
pub(crate) fn power(mut base: f64, mut exponent: u64) -> f64 {
    let mut result = 1.0;
    while exponent > 0 {
        if exponent % 2 == 1 {
            result *= base;
        }
        base *= base;
        exponent /= 2;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::power;

    #[test]
    fn power_agrees_with_the_c_library_to_rounding() {
        for exponent in [0u64, 1, 2, 3, 100, 12_345] {
            let expected = 0.999f64.powf(exponent as f64);
            // Each of the squarings doubles the relative error: at most about `exponent` roundings.
            let error = (power(0.999, exponent) / expected - 1.0).abs();
            assert!(error <= exponent as f64 * f64::EPSILON, "{exponent}: {error}");
        }
    }
}
