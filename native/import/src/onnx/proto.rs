//! The messages of an ONNX file.

#![allow(missing_docs, reason = "generated; proto/onnx.proto has the documentation")]
#![allow(clippy::all, reason = "generated")]

include!("../../proto/onnx.in");
