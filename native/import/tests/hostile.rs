//! Hostile bytes end in an error: never in a panic, and never in memory that they did not bring.

mod reading;

use import::onnx::OnnxModel;
use proptest::prelude::*;
use reading::read;

/// A valid model: y = Conv(x, w) and a Loop, an If, a Reshape by a constant.
const MODEL: &[u8] = include_bytes!("small.onnx");

#[test]
fn the_model_that_is_damaged_below_is_a_good_one() {
    let model = OnnxModel::from_bytes(MODEL).unwrap();
    assert_eq!(model.inputs().len(), 1);
}

#[test]
fn truncated_models_are_refused() {
    for end in 0..MODEL.len() {
        read(&MODEL[..end]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn damaged_models_never_panic(
        changes in prop::collection::vec((0..MODEL.len(), any::<u8>()), 1..12),
    ) {
        let mut bytes = MODEL.to_vec();
        changes.into_iter().for_each(|(at, byte)| bytes[at] = byte);
        read(&bytes);
    }

    #[test]
    fn any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read(&bytes);
        let mut array = b"\x93NUMPY\x01\x00".to_vec();
        array.extend(bytes);
        read(&array);
    }
}
