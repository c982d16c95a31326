//! Commands on a model file.

use import::{npz, onnx};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tensor::Tensor;

/// y = ((ReLU of a convolution by ones) + 3) · 2, two dimensions, and the three sums on the way.
const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../import/tests/small.onnx");

fn firesteel(args: &[&str]) -> Output {
    let built =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/native/linux-x86_64/libdnnl.so.3");
    let onednn = std::env::var_os("FIRESTEEL_ONEDNN").unwrap_or_else(|| built.into());
    Command::new(env!("CARGO_BIN_EXE_firesteel"))
        .args(args)
        .env("FIRESTEEL_ONEDNN", onednn)
        .output()
        .unwrap()
}

fn succeed(args: &[&str]) -> String {
    let output = firesteel(args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn temporary(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("models");
    std::fs::create_dir_all(&folder).unwrap();
    folder.join(name)
}

#[test]
fn a_model_runs_on_the_arrays_of_a_file() {
    let (given, made) = (temporary("in.npz"), temporary("out.npz"));
    let x = Tensor::new([1, 2, 3, 3], vec![1.0f32; 18]).unwrap();
    npz::write(&given, [("x", &x)]).unwrap();
    let paths = [&given, &made].map(|path| path.to_str().unwrap().to_owned());
    succeed(&["run", MODEL, "--input", &paths[0], "--output", &paths[1]]);
    let arrays = npz::read(&made).unwrap();
    let names: Vec<&str> = arrays.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["y", "all"]);
    assert_eq!((arrays[0].1.dims(), arrays[1].1.dims()), (&[1, 2, 9][..], &[3, 1, 2, 3, 3][..]));
    // Corners see 8 ones, edges 12, the middle all 18.
    let corner = arrays[0].1.get::<f32>().unwrap()[..5].to_vec();
    assert_eq!(corner, [22.0, 30.0, 22.0, 30.0, 42.0]);
}

#[test]
fn a_model_is_described_and_its_steps_are_timed() {
    let text = succeed(&["inspect", MODEL, "--dim", "n=4"]);
    for line in ["input       x f32 [n, 2, 3, 3]", "parameters  36 numbers in 1 tensors", "Loop"] {
        assert!(text.contains(line), "{text}");
    }
    let text = succeed(&["explain", MODEL, "--dim", "n=4"]);
    assert!(text.lines().count() > 3 && text.contains(" flops, "), "{text}");
    let counted = |unit: &str| -> f64 {
        let words: Vec<&str> = text.split_whitespace().collect();
        words.windows(2).filter(|w| w[1] == unit).map(|w| w[0].parse::<f64>().unwrap()).sum()
    };
    // Of each line the digits that are not printed.
    let most = 50.0 * text.lines().count() as f64;
    assert!((1e3 * counted("kFLOP") - counted("flops,")).abs() <= most, "{text}");
    assert!(counted("kFLOP") > 0.0 && counted("kB") > 0.0, "{text}");
    let text = succeed(&["bench", MODEL, "--secs", "0"]);
    let line: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(line["ms_median"].as_f64().unwrap() > 0.0 && line["model"] == "small");
}

#[test]
fn a_converted_model_computes_the_same() {
    let (given, new) = (temporary("same.npz"), temporary("new.onnx"));
    let x: Vec<f32> = (0..36).map(|i| (i as f32).sin()).collect();
    npz::write(&given, [("x", &Tensor::new([2, 2, 3, 3], x).unwrap())]).unwrap();
    succeed(&["convert", MODEL, "--dim", "n=2", "--output", new.to_str().unwrap()]);
    let results = [Path::new(MODEL), &new].map(|model| {
        let made = temporary("result.npz");
        let (model, made) = (model.to_str().unwrap(), made.to_str().unwrap());
        succeed(&["run", model, "--input", given.to_str().unwrap(), "--output", made]);
        npz::read(Path::new(made)).unwrap()
    });
    assert_eq!(results[0], results[1]);
}

#[test]
fn a_model_file_computes_the_same_as_the_onnx_model_that_it_is_converted_to() {
    let model = layers::Model::from_json(&succeed(&["define", "lenet5"])).unwrap();
    let [file, new] = ["lenet5.firesteel", "lenet5.onnx"].map(temporary);
    layers::model_file::save(&file, &model, &model.initial_weights(1)).unwrap();
    let paths = [&file, &new].map(|path| path.to_str().unwrap());
    succeed(&["convert", paths[0], "--output", paths[1]]);
    for path in paths {
        let text = succeed(&["inspect", path, "--dim", "batch=4"]);
        assert!(text.contains("[batch, 1, 28, 28]"), "{text}");
    }
    for batch in [1, 3] {
        let given = temporary("digits.npz");
        let x: Vec<f32> = (0..batch * 784).map(|i| (i as f32).sin()).collect();
        let name = &model.definition().inputs[0].name;
        npz::write(&given, [(&**name, &Tensor::new([batch, 1, 28, 28], x).unwrap())]).unwrap();
        let results = paths.map(|model| {
            let made = temporary("classes.npz");
            let made = made.to_str().unwrap();
            succeed(&["run", model, "--input", given.to_str().unwrap(), "--output", made]);
            npz::read(Path::new(made)).unwrap()
        });
        assert_eq!(results[0], results[1]);
        assert_eq!(results[0][0].1.dims(), [batch, 10]);
    }
}

#[test]
fn every_case_has_a_form_in_onnx_for_any_batch() {
    for case in ["lenet5", "inception_v1", "lstm", "ncf", "bert_mini"] {
        let model = layers::Model::from_json(&succeed(&["define", case])).unwrap();
        let [two, three] = [2, 3].map(|batch| model.graph(batch, nn::Mode::Inference).unwrap());
        let bytes = onnx::write_for_any_batch([&two, &three], &model.initial_weights(0)).unwrap();
        let read = onnx::OnnxModel::from_bytes(bytes).unwrap();
        let open: Vec<String> = read.inputs().iter().map(|port| port.to_string()).collect();
        assert!(open.iter().all(|port| port.contains("[batch")), "{case}: {open:?}");
    }
}

#[test]
fn what_is_wrong_with_a_command_is_said() {
    let missing = firesteel(&["inspect", "no.onnx"]);
    assert_eq!(missing.status.code(), Some(1));
    let text = String::from_utf8(missing.stderr).unwrap();
    assert!(text.contains("no.onnx: No such file or directory"), "{text}");
    for (args, message) in [
        (&["run", MODEL][..], "run: expected --input FILE, got nothing"),
        (&["inspect"], "inspect: expected one path, got 0"),
        (&["explain", MODEL, "--dim", "n"], "--dim: expected NAME=SIZE, got n"),
    ] {
        let output = firesteel(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains(message), "{text}");
    }
}
