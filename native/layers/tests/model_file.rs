//! Model files: what survives, and that damaged ones are refused.

use layers::{Definition, Dense, Error, Model, ReLU, model_file};
use safetensors::{Dtype, SafeTensors};
use std::collections::HashMap;
use std::path::PathBuf;

fn model() -> Model {
    let definition = Definition::new("m")
        .input("x", &[4])
        .layer("first", Dense::new(3), &["x"])
        .layer("relu", ReLU::new(), &["first"])
        .layer("last", Dense::new(2), &["relu"])
        .output("last");
    Model::new(definition).unwrap()
}

fn bytes() -> Vec<u8> {
    model_file::write(&model(), &model().initial_weights(1)).unwrap()
}

/// The bytes of a file with this header and this much data.
fn file(header: &str, data: usize) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.resize(bytes.len() + data, 0);
    bytes
}

/// The file of [`bytes`] with a piece of its header replaced.
fn edited(from: &str, to: &str) -> Vec<u8> {
    let whole = bytes();
    let length = u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let header = std::str::from_utf8(&whole[8..8 + length]).unwrap();
    assert!(header.contains(from), "{header}");
    file(&header.replace(from, to), whole.len() - 8 - length)
}

fn problem(bytes: &[u8]) -> String {
    match model_file::read(bytes) {
        Err(Error::File { problem, .. }) => problem,
        other => panic!("{other:?}"),
    }
}

fn folder() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("firesteel-model-file-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn model_and_weights_survive_to_the_bit() {
    let (model, weights) = (model(), model().initial_weights(1));
    let path = folder().join("m.safetensors");
    model_file::save(&path, &model, &weights).unwrap();
    let read = model_file::open(&path).unwrap();
    assert_eq!(read.model.to_json(), model.to_json());
    assert_eq!(read.weights, weights);
    assert_eq!(read.version, env!("CARGO_PKG_VERSION"));
    assert_eq!(std::fs::read(&path).unwrap(), bytes());
    std::fs::remove_file(path).unwrap();
}

#[test]
fn any_reader_of_safetensors_finds_the_weights() {
    let bytes = bytes();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let mut names = file.names();
    names.sort_unstable();
    assert_eq!(names, ["first.bias", "first.weight", "last.bias", "last.weight"]);
    let tensor = file.tensor("last.weight").unwrap();
    assert_eq!(tensor.shape(), [2, 3]);
    let model = model();
    let range = model.parameters().get("last.weight").unwrap().range();
    let expected: Vec<u8> =
        model.initial_weights(1)[range].iter().flat_map(|value| value.to_le_bytes()).collect();
    assert_eq!(tensor.data(), expected);
}

#[test]
fn behind_the_header_lies_the_flat_vector() {
    let (bytes, header) = (bytes(), model_file::header(&model()).unwrap());
    assert_eq!(header.len() % 8, 0);
    assert_eq!(bytes[..header.len()], header);
    let weights = model().initial_weights(1);
    let flat: Vec<u8> = weights.iter().flat_map(|value| value.to_le_bytes()).collect();
    assert_eq!(bytes[header.len()..], flat);
}

#[test]
fn weights_are_located_from_the_header_alone() {
    let (model, header) = (model(), model_file::header(&model()).unwrap());
    let whole = header.len() + 4 * model.parameters().len();
    let expected = [0..48, 48..60, 60..84, 84..92];
    assert_eq!(model_file::locate(&model, &header, whole).unwrap(), expected);
    let problem = |model: &Model, header: &[u8], bytes: usize| {
        model_file::locate(model, header, bytes).unwrap_err().to_string()
    };
    assert!(problem(&model, &header, whole - 1).contains("\"last.bias\": expected 8 bytes"));
    assert!(problem(&model, &header[..header.len() - 1], whole).contains("within the header"));
    assert!(problem(&model, &header, 0).contains("expected 48 bytes, got 0..48 of 0"));
    let other = Definition::new("n").input("x", &[4]).layer("d", Dense::new(3), &["x"]).output("d");
    assert_eq!(
        problem(&Model::new(other).unwrap(), &header, whole),
        "model file: expected the model \"n\" with 15 weights, got another one, \"m\" with 23 \
         weights. Pass a file of this model."
    );
}

#[test]
fn tensors_are_found_in_any_order() {
    let (model, weights) = (model(), model().initial_weights(1));
    let tensors: Vec<_> = model
        .parameters()
        .iter()
        .map(|parameter| {
            let values = weights[parameter.range()].iter().flat_map(|value| value.to_le_bytes());
            (parameter.name.clone(), parameter.shape.dims().to_vec(), values.collect::<Vec<u8>>())
        })
        .collect();
    let views = tensors.iter().map(|(name, shape, bytes)| {
        (name, safetensors::tensor::TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap())
    });
    let stamp = format!(r#"{{"version":"0","definition":{}}}"#, model.to_json());
    let metadata = HashMap::from([("firesteel".to_owned(), stamp)]);
    let by_name = safetensors::serialize(views, Some(metadata)).unwrap();
    assert_ne!(by_name, bytes());
    assert_eq!(model_file::read(&by_name).unwrap().weights, weights);
    let header = 8 + u64::from_le_bytes(by_name[..8].try_into().unwrap()) as usize;
    let found = model_file::locate(&model, &by_name[..header], by_name.len()).unwrap();
    assert_eq!(found, [12..60, 0..12, 68..92, 60..68]);
}

#[test]
fn every_truncation_is_refused() {
    let bytes = bytes();
    for length in 0..bytes.len() {
        assert!(matches!(model_file::read(&bytes[..length]), Err(Error::File { .. })), "{length}");
    }
}

#[test]
fn every_flipped_bit_of_the_header_is_refused_or_harmless() {
    let bytes = bytes();
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    for bit in 0..8 * (8 + header) {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        if let Ok(read) = model_file::read(&damaged) {
            assert_eq!(read.weights.len(), read.model.parameters().len());
        }
    }
}

#[test]
fn files_that_lie_about_their_sizes_are_refused() {
    assert_eq!(problem(&u64::MAX.to_le_bytes()), "it ends after 8 bytes, within the header");
    assert!(problem(&file("hello", 0)).starts_with("its header is not JSON"));
    assert!(problem(&file("{}", 0)).starts_with("its metadata has no \"firesteel\""));
    let far = edited(
        "\"data_offsets\":[48,60]",
        "\"data_offsets\":[18446744073709551604,18446744073709551615]",
    );
    assert!(problem(&far).starts_with("the tensor \"first.bias\": expected 12 bytes"));
    let reversed = edited("\"data_offsets\":[48,60]", "\"data_offsets\":[60,48]");
    assert!(problem(&reversed).starts_with("the tensor \"first.bias\": expected 12 bytes"));
    let shape = edited("\"shape\":[3]", "\"shape\":[4]");
    assert_eq!(problem(&shape), "the tensor \"first.bias\": expected F32 [3], got F32 [4]");
    let dtype = edited("\"F32\",\"shape\":[3]", "\"F16\",\"shape\":[3]");
    assert_eq!(problem(&dtype), "the tensor \"first.bias\": expected F32 [3], got F16 [3]");
    let name = edited("\"first.bias\"", "\"other.bias\"");
    assert_eq!(problem(&name), "the tensor \"first.bias\" is missing");
}

#[test]
fn overlapping_tensors_do_not_multiply_the_memory() {
    let mut definition = Definition::new("m").input("x", &[1]);
    let mut header = Vec::new();
    let mut before = "x".to_owned();
    for index in 0..100 {
        let name = format!("d{index}");
        definition =
            definition.layer(name.clone(), Dense { use_bias: false, ..Dense::new(1) }, &[&before]);
        header.push(format!(
            r#""{name}.weight":{{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}}"#
        ));
        before = name;
    }
    let stamp =
        format!(r#"{{"version":"0","definition":{}}}"#, definition.output(before).to_json());
    let stamp = serde_json::Value::from(stamp);
    header.push(format!(r#""__metadata__":{{"firesteel":{stamp}}}"#));
    let bytes = file(&format!("{{{}}}", header.join(",")), 4);
    assert_eq!(problem(&bytes), "expected 100 weights, got 4 bytes of tensors");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let path = folder().join("none.safetensors");
    let message = model_file::open(&path).unwrap_err().to_string();
    assert!(message.starts_with(&format!("model file {}: ", path.display())), "{message}");
    let message = model_file::open(&folder()).unwrap_err().to_string();
    assert!(message.contains("not a regular file"), "{message}");
    let path = folder().join("no/such/folder.safetensors");
    let saved = model_file::save(&path, &model(), &model().initial_weights(1));
    assert!(matches!(saved, Err(Error::Io { .. })));
}

#[test]
fn the_path_of_a_damaged_file_is_named() {
    let path = folder().join("damaged.safetensors");
    std::fs::write(&path, b"damaged").unwrap();
    let message = model_file::open(&path).unwrap_err().to_string();
    assert!(message.starts_with(&format!("model file {}: it ends", path.display())), "{message}");
    std::fs::remove_file(path).unwrap();
}

#[test]
fn weights_of_another_model_are_not_written() {
    let message = model_file::write(&model(), &[0.0; 22]).unwrap_err().to_string();
    assert_eq!(
        message,
        "model \"m\": expected 23 weights, got 22. Pass the weights of this model."
    );
}
