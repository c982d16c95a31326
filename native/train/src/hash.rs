//! The fingerprint by which two runs are compared.

use sha2::{Digest, Sha256};
use std::fmt::Write;

/// SHA-256 of the little-endian bytes of `values`, as 64 hexadecimal digits.
///
/// Two vectors have the same hash exactly when they have the same bits, so `0.0` and `-0.0` differ.
///
/// ```
/// assert!(train::hash(&[]).starts_with("e3b0c44298fc1c14"));
/// ```
pub fn hash(values: &[f32]) -> String {
    let mut digest = Sha256::new();
    let mut bytes = Vec::with_capacity(4 * 1024);
    for chunk in values.chunks(1024) {
        bytes.clear();
        bytes.extend(chunk.iter().flat_map(|value| value.to_le_bytes()));
        digest.update(&bytes);
    }
    digest.finalize().iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_the_little_endian_bytes() {
        // printf '\x00\x00\x80\x3f\x00\x00\x00\xc0' | sha256sum
        let expected = Sha256::digest([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]);
        let expected: String = expected.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hash(&[1.0, -2.0]), expected);
    }

    #[test]
    fn every_bit_counts_also_beyond_a_chunk() {
        let mut values = vec![0.5f32; 5000];
        let before = hash(&values);
        values[4999] = f32::from_bits(values[4999].to_bits() + 1);
        assert_ne!(hash(&values), before);
        assert_ne!(hash(&[0.0]), hash(&[-0.0]));
    }
}
