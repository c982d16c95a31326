//! Model files: safetensors files whose metadata holds the definition.
//!
//! Layout (<https://huggingface.co/docs/safetensors>): 8 bytes with the length of the header
//! (little endian), the header as JSON, the tensors. Every parameter of the model is a tensor of
//! its name, shape and dtype F32. The header's `__metadata__` has one key, `firesteel`, with the
//! JSON `{"version": "0.1.0", "definition": {…}}`. Files are written with the tensors in the order
//! of the parameters, so that behind the header lies the flat vector; they are read in any order,
//! and other tensors in the file are left alone.

use crate::{Error, Model, Result};
use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// Key of the metadata under which version and definition lie.
pub const KEY: &str = "firesteel";

/// A header ends at a multiple of so many bytes, as the format wants it.
const ALIGNMENT: usize = 8;

/// What a model file holds.
#[derive(Debug)]
pub struct ModelFile {
    /// The model.
    pub model: Model,
    /// Its weights, in the order of its parameters.
    pub weights: Vec<f32>,
    /// Version of firesteel that wrote the file.
    pub version: String,
}

/// The bytes of a model file; equal models and weights give equal bytes.
///
/// Fails with [`Error::Weights`] if the weights are not as many as the model's.
pub fn write(model: &Model, weights: &[f32]) -> Result<Vec<u8>> {
    model.check_weights(weights.len())?;
    let mut bytes = header(model)?;
    bytes.reserve_exact(size_of_val(weights));
    bytes.extend(weights.iter().flat_map(|value| value.to_le_bytes()));
    Ok(bytes)
}

/// The bytes of a model file that come before its weights: this and then the flat vector, little
/// endian, is the file. So a file can be written piece by piece.
///
/// Fails with [`Error::File`] if the model is too large for one.
pub fn header(model: &Model) -> Result<Vec<u8>> {
    let oversized = |error: String| fault(error, "Use a smaller model.");
    let tensors = model.parameters().iter().map(|parameter| {
        let range = parameter.range();
        let info = TensorInfo {
            dtype: Dtype::F32,
            shape: parameter.shape.dims().to_vec(),
            data_offsets: (range.start * size_of::<f32>(), range.end * size_of::<f32>()),
        };
        (parameter.name.clone(), info)
    });
    let table = Metadata::new(Some(metadata(model)), tensors.collect())
        .map_err(|error| oversized(error.to_string()))?;
    let mut json = serde_json::to_vec(&table).map_err(|error| oversized(error.to_string()))?;
    json.resize(json.len().next_multiple_of(ALIGNMENT), b' ');
    Ok([&(json.len() as u64).to_le_bytes()[..], &json].concat())
}

/// Where the weights of `model` lie in a file of `bytes` bytes that begins with `header`: for each
/// parameter, in the order of the flat vector, its bytes counted from the end of the header. So a
/// file can be read piece by piece.
///
/// Fails with [`Error::File`] if the file does not hold weights of this very model.
pub fn locate(model: &Model, header: &[u8], bytes: usize) -> Result<Vec<Range<usize>>> {
    let (table, data) = split(header)?;
    let (_, definition) = stamp(&table)?;
    let stored = Model::from_json(&definition)?;
    if stored.definition() != model.definition() {
        let name = |model: &Model| {
            format!("\"{}\" with {} weights", model.name(), model.parameters().len())
        };
        return Err(fault(
            format!("expected the model {}, got another one, {}", name(model), name(&stored)),
            "Pass a file of this model.",
        ));
    }
    ranges(model, &table, bytes.saturating_sub(header.len() - data.len()))
}

/// Writes a model file: to a temporary name beside it first, so that `path` never holds half of
/// one.
///
/// Fails with [`Error::Io`] if it can't be written.
pub fn save(path: &Path, model: &Model, weights: &[f32]) -> Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let bytes = write(model, weights)?;
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}-{count}.part", std::process::id()));
    let temporary = path.with_file_name(name);
    let written = fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    written.map_err(|source| {
        // Nothing is there to remove if the very first write was refused.
        let _ = fs::remove_file(&temporary);
        Error::Io { path: path.into(), source }
    })
}

/// Reads a model file.
///
/// Fails with [`Error::Io`] if there is no such file, and as [`read`] does.
pub fn open(path: &Path) -> Result<ModelFile> {
    let io = |source| Error::Io { path: path.into(), source };
    // Devices and pipes can be endless.
    if !fs::metadata(path).map_err(io)?.is_file() {
        return Err(io(std::io::Error::other("not a regular file")));
    }
    read(&fs::read(path).map_err(io)?).map_err(|error| match error {
        Error::File { problem, remedy, .. } => {
            Error::File { path: Some(path.into()), problem, remedy }
        }
        other => other,
    })
}

/// Reads the bytes of a model file.
///
/// Fails with [`Error::File`] if they are not one (truncated, not safetensors, no definition, a
/// tensor missing or of the wrong shape or dtype), and as [`Model::new`] does. Sizes are checked
/// against the bytes that are there before anything is allocated for them.
pub fn read(bytes: &[u8]) -> Result<ModelFile> {
    let (header, data) = split(bytes)?;
    let (version, definition) = stamp(&header)?;
    let model = Model::from_json(&definition)?;
    let ranges = ranges(&model, &header, data.len())?;
    let mut weights = Vec::with_capacity(model.parameters().len());
    for range in ranges {
        let floats = data[range].chunks_exact(size_of::<f32>());
        weights.extend(floats.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])));
    }
    Ok(ModelFile { model, weights, version })
}

/// Header entry of a tensor. The numbers come from the file: they may be anything.
#[derive(Deserialize)]
struct TensorEntry {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: [usize; 2],
}

fn fault(problem: impl Into<String>, remedy: &'static str) -> Error {
    Error::File { path: None, problem: problem.into(), remedy }
}

/// Header and tensor data. (The safetensors crate adds up offsets unchecked when it reads.)
fn split(bytes: &[u8]) -> Result<(HashMap<String, Value>, &[u8])> {
    let short = || {
        let problem = format!("it ends after {} bytes, within the header", bytes.len());
        fault(problem, "It is truncated or no safetensors file. Copy it again, or save it again.")
    };
    let (length, rest) = bytes.split_first_chunk::<8>().ok_or_else(short)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| short())?;
    let (header, data) = rest.split_at_checked(length).ok_or_else(short)?;
    let header = serde_json::from_slice(header).map_err(|error| {
        fault(format!("its header is not JSON: {error}"), "Pass a safetensors file.")
    })?;
    Ok((header, data))
}

/// Version and definition in the metadata.
fn stamp(header: &HashMap<String, Value>) -> Result<(String, String)> {
    let text = header.get("__metadata__").and_then(|all| all.get(KEY)).and_then(Value::as_str);
    let stamp: Option<Value> = text.and_then(|text| serde_json::from_str(text).ok());
    let part = |name: &str| stamp.as_ref().and_then(|stamp| stamp.get(name));
    match (part("version").and_then(Value::as_str), part("definition")) {
        (Some(version), Some(definition)) => Ok((version.into(), definition.to_string())),
        _ => Err(fault(
            format!("its metadata has no \"{KEY}\" with version and definition"),
            "Pass a file that firesteel saved.",
        )),
    }
}

/// Bytes of each parameter within so many bytes of data.
fn ranges(
    model: &Model,
    header: &HashMap<String, Value>,
    available: usize,
) -> Result<Vec<Range<usize>>> {
    let count = model.parameters().len();
    let ranges = model
        .parameters()
        .iter()
        .map(|parameter| range(header, &parameter.name, parameter.shape.dims(), available))
        .collect::<Result<Vec<_>>>()?;
    if count > available / size_of::<f32>() {
        return Err(fault(
            format!("expected {count} weights, got {available} bytes of tensors"),
            "Tensors overlap: the file is damaged. Copy it again, or save the model again.",
        ));
    }
    Ok(ranges)
}

/// Bytes of a tensor within the data.
fn range(
    header: &HashMap<String, Value>,
    name: &str,
    shape: &[usize],
    available: usize,
) -> Result<Range<usize>> {
    let entry = header.get(name).ok_or_else(|| {
        fault(format!("the tensor \"{name}\" is missing"), "Save the model again.")
    })?;
    let entry = TensorEntry::deserialize(entry).map_err(|error| {
        fault(format!("the entry of the tensor \"{name}\" is damaged: {error}"), "Save it again.")
    })?;
    if entry.dtype != "F32" || entry.shape != shape {
        return Err(fault(
            format!(
                "the tensor \"{name}\": expected F32 {shape:?}, got {} {:?}",
                entry.dtype, entry.shape
            ),
            "Save the model again, or convert the tensor.",
        ));
    }
    let [begin, end] = entry.data_offsets;
    // Shapes of a checked model are small enough for this product.
    let bytes = shape.iter().product::<usize>() * size_of::<f32>();
    if end > available || begin > end || end - begin != bytes {
        return Err(fault(
            format!(
                "the tensor \"{name}\": expected {bytes} bytes, got {begin}..{end} of {available}"
            ),
            "It is truncated or damaged. Copy it again, or save the model again.",
        ));
    }
    Ok(begin..end)
}

fn metadata(model: &Model) -> HashMap<String, String> {
    let stamp = json!({ "version": env!("CARGO_PKG_VERSION"), "definition": model.definition() });
    HashMap::from([(KEY.into(), stamp.to_string())])
}
