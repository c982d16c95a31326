//! Everything that reads what others wrote; the fuzzer and the tests feed it.

use import::npz;
use import::onnx::{self, Dim, OnnxModel, Port};
use nn::TensorType;
use std::io::Cursor;

/// Tries everything that reads.
pub fn read(bytes: &[u8]) {
    if let Ok(model) = OnnxModel::from_bytes(bytes.to_vec()) {
        let dims = |port: &Port| -> Option<(String, TensorType)> {
            let dims = port.dims.as_ref()?.iter().map(|dim| match dim {
                Dim::Known(dim) => (*dim).min(8),
                _ => 1,
            });
            let dims: Vec<usize> = dims.take(6).collect();
            Some((port.name.clone(), TensorType::new(port.dtype?, dims)))
        };
        let types: Vec<_> = model.inputs().iter().filter_map(dims).collect();
        let types: Vec<(&str, TensorType)> =
            types.iter().map(|(name, ty)| (name.as_str(), ty.clone())).collect();
        if let Ok(graph) = model.graph(&types) {
            _ = onnx::write(&graph, model.weights().f32());
        }
    }
    _ = onnx::read_tensor_bytes(bytes.to_vec());
    _ = npz::read_array(bytes);
    _ = npz::read_from(Cursor::new(bytes));
}
