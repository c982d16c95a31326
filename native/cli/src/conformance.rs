//! `firesteel conformance`: runs the folders that ONNX's own test cases are written to.

use crate::Error;
use import::onnx::{OnnxModel, read_tensor_bytes};
use serde::{Deserialize, Serialize};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use tensor::{DType, Tensor};

/// One line per case.
#[derive(Serialize)]
struct Line<'a> {
    case: &'a str,
    passed: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    problem: String,
}

/// Largest accepted differences: |ours − expected| ≤ atol + rtol · |expected|.
#[derive(Deserialize)]
struct Tolerance {
    rtol: f64,
    atol: f64,
}

/// Ops whose numbers ONNX leaves open: of models with one of them only types and shapes are compared.
const RANDOM: [&str; 6] = [
    "Bernoulli",
    "Multinomial",
    "RandomNormal",
    "RandomNormalLike",
    "RandomUniform",
    "RandomUniformLike",
];

/// Runs every case in a folder, `print`ing a line of JSON for each; true if all passed.
pub fn run(folder: &Path, mut print: impl FnMut(&str)) -> Result<bool, Error> {
    let mut all = true;
    for path in folders(folder)? {
        if !path.join("model.onnx").is_file() {
            continue;
        }
        // A panic is a failure of this case, not the end of the others.
        let outcome = catch_unwind(AssertUnwindSafe(|| case(&path)));
        let problem = match outcome {
            Ok(Ok(())) => String::new(),
            Ok(Err(problem)) => problem,
            Err(_) => "panicked".into(),
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let line = Line { case: &name, passed: problem.is_empty(), problem };
        all &= line.passed;
        // A flat struct of text and truth values always has a JSON form.
        print(&serde_json::to_string(&line).unwrap_or_default());
    }
    Ok(all)
}

/// The folders in a folder, sorted by name.
fn folders(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let read = |source| Error::Read { path: folder.to_owned(), source };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(read)? {
        let path = entry.map_err(read)?.path();
        if path.is_dir() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn case(path: &Path) -> Result<(), String> {
    let text = |error: &dyn std::error::Error| error.to_string();
    let tolerance = std::fs::read(path.join("data.json")).ok();
    let tolerance = tolerance.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let tolerance = tolerance.unwrap_or(Tolerance { rtol: 1e-3, atol: 1e-7 });
    let model = OnnxModel::read(&path.join("model.onnx")).map_err(|error| text(&error))?;
    let random = model.ops().iter().any(|(op, _)| RANDOM.contains(op));
    let sets = folders(path).map_err(|error| text(&error))?;
    for set in &sets {
        let inputs = tensors(set, "input")?;
        let expected = tensors(set, "output")?;
        let named: Vec<(&str, &Tensor)> =
            model.inputs().iter().map(|port| port.name.as_str()).zip(&inputs).collect();
        let made = model.run(&named).map_err(|error| text(&error))?;
        if made.len() != expected.len() {
            return Err(format!("expected {} outputs, got {}", expected.len(), made.len()));
        }
        for ((name, ours), expected) in made.iter().zip(&expected) {
            let compared = like(ours, expected).and_then(|()| match random {
                true => Ok(()),
                false => compare(ours, expected, &tolerance),
            });
            compared.map_err(|problem| format!("{name}: {problem}"))?;
        }
    }
    if sets.is_empty() { Err("it has no data".into()) } else { Ok(()) }
}

/// The tensors KIND_0.pb, KIND_1.pb, … of a folder.
fn tensors(folder: &Path, kind: &str) -> Result<Vec<Tensor>, String> {
    let paths = (0..).map(|i| folder.join(format!("{kind}_{i}.pb")));
    let read = |path: PathBuf| {
        let bytes = std::fs::read(&path).map_err(|error| error.to_string())?;
        read_tensor_bytes(bytes).map_err(|error| error.to_string())
    };
    paths.take_while(|path| path.is_file()).map(read).collect()
}

/// Error unless both have one type and shape.
fn like(ours: &Tensor, expected: &Tensor) -> Result<(), String> {
    if ours.dtype() == expected.dtype() && ours.shape() == expected.shape() {
        return Ok(());
    }
    let got = format!("{} {}", ours.dtype(), ours.shape());
    Err(format!("expected {} {}, got {got}", expected.dtype(), expected.shape()))
}

fn compare(ours: &Tensor, expected: &Tensor, tolerance: &Tolerance) -> Result<(), String> {
    // Two units in the last place of a bf16 number.
    let rtol =
        if ours.dtype() == DType::BF16 { tolerance.rtol.max(1.0 / 64.0) } else { tolerance.rtol };
    let numbers = |tensor: &Tensor| tensor.cast(DType::F64).into_vec::<f64>();
    let (ours, expected) =
        numbers(ours).and_then(|o| Ok((o, numbers(expected)?))).map_err(|e| e.to_string())?;
    let differs = |&(&a, &b): &(&f64, &f64)| {
        let near = (a - b).abs() <= tolerance.atol + rtol * b.abs();
        a != b && !(a.is_nan() && b.is_nan()) && !near
    };
    let pairs = || ours.iter().zip(&expected);
    let wrong = pairs().filter(differs).count();
    match pairs().find(differs) {
        None => Ok(()),
        Some((a, b)) => Err(format!("{wrong} of {} differ, first {a} from {b}", ours.len())),
    }
}
