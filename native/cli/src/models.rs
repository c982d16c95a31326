//! Commands on a model file: `run`, `inspect`, `explain`, `bench MODEL`.

use crate::measure::{measure, rss_mb};
use crate::model_args::Sized;
use crate::{Error, detrand};
use import::npz;
use import::onnx::{self, Dim, OnnxModel, Port};
use nn::{Cost, Mode, Plan, PlanOptions, Prepared, RunContext, TensorType, Workspace};
use serde::Serialize;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use tensor::Tensor;

/// Reads an ONNX model, or a model file of firesteel as the ONNX model that it is.
pub fn open(path: &Path) -> Result<OnnxModel, Error> {
    if is_onnx(path) {
        Ok(OnnxModel::read(path)?)
    } else {
        Ok(OnnxModel::from_bytes(as_onnx(path)?)?)
    }
}

fn is_onnx(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "onnx")
}

/// A model file of firesteel as ONNX, for batches of any size.
fn as_onnx(path: &Path) -> Result<Vec<u8>, Error> {
    let file = layers::model_file::open(path)?;
    let [two, three] = [2, 3].map(|batch| file.model.graph(batch, Mode::Inference));
    Ok(onnx::write_for_any_batch([&two?, &three?], &file.weights)?)
}

/// Runs a model on the arrays of a file.
pub fn run(model: &Path, input: &Path, output: &Path, threads: usize) -> Result<(), Error> {
    let arrays = arrays(input)?;
    let named: Vec<(&str, &Tensor)> =
        arrays.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    let made = open(model)?.with_threads(threads).run(&named)?;
    let made = made.iter().map(|(name, tensor)| (name.as_str(), tensor));
    npz::write(output, made).map_err(|source| Error::Arrays { path: output.to_owned(), source })
}

/// The arrays of a file by name.
fn arrays(path: &Path) -> Result<Vec<(String, Tensor)>, Error> {
    npz::read(path).map_err(|source| Error::Arrays { path: path.to_owned(), source })
}

/// What a model takes, gives and is made of.
pub fn inspect(options: &Sized) -> Result<String, Error> {
    let model = open(&options.model)?;
    let mut text = String::new();
    let mut say = |line: String| _ = writeln!(text, "{line}");
    for (domain, version) in model.opsets() {
        let domain = if domain.is_empty() { "ai.onnx" } else { domain };
        say(format!("opset       {domain} {version}"));
    }
    model.inputs().iter().for_each(|port| say(format!("input       {port}")));
    model.outputs().iter().for_each(|port| say(format!("output      {port}")));
    let trained: usize = model.parameters().iter().map(|parameter| parameter.shape.len()).sum();
    say(format!("parameters  {trained} numbers in {} tensors", model.parameters().count()));
    match model.graph(&types(&model, options)?) {
        Ok(graph) => say(format!("flops       {:.0}", graph.cost().flops)),
        Err(onnx::Error::NeedsValues { .. }) => {
            say("flops       depend on the values of the inputs".into());
        }
        Err(error) => return Err(error.into()),
    }
    model.ops().iter().for_each(|(op, count)| say(format!("{op:<24} {count}")));
    Ok(text)
}

/// Writes a model as ONNX, for fixed sizes of its inputs; a model file of firesteel, if no size is
/// given, for any batch.
pub fn convert(options: &Sized, output: &Path) -> Result<(), Error> {
    let bytes = if options.dims.is_empty() && !is_onnx(&options.model) {
        as_onnx(&options.model)?
    } else {
        let model = open(&options.model)?;
        let graph = model.graph(&types(&model, options)?)?;
        onnx::write(&graph, model.weights().f32())?
    };
    std::fs::write(output, bytes).map_err(|source| Error::Write { path: output.to_owned(), source })
}

/// Runs of which `explain` shows the fastest of each step.
const RUNS: usize = 5;

/// The steps of a model's plan in their order: time, flops, bytes read and written.
pub fn explain(options: &Sized, threads: usize) -> Result<String, Error> {
    let model = open(&options.model)?;
    let graph = model.graph(&types(&model, options)?)?;
    let compiled = PlanOptions { threads, ..PlanOptions::default() };
    let plan = Arc::new(Plan::compile(&graph, compiled)?);
    let mut prepared = Prepared::new(&plan)?;
    prepared.prepare(model.weights())?;
    let mut workspace = Workspace::new(&prepared)?;
    for (i, (_, tensor)) in inputs(&model, options)?.iter().enumerate() {
        workspace.set_input_tensor(i, tensor)?;
    }
    let mut steps = workspace.run_timed(&RunContext::default(), None)?;
    for _ in 1..RUNS {
        let again = workspace.run_timed(&RunContext::default(), None)?;
        steps.iter_mut().zip(again).for_each(|(best, again)| best.time = best.time.min(again.time));
    }
    let total: f64 = steps.iter().map(|step| step.time.as_secs_f64()).sum();
    let mut text = String::new();
    for step in &steps {
        let time = step.time.as_secs_f64();
        let share = 100.0 * time / total.max(f64::MIN_POSITIVE);
        let Cost { flops, bytes } = step.cost;
        _ = writeln!(
            text,
            "{:>10.1} µs {share:>5.1} %  {:>10.1} kFLOP {:>9.1} kB  {:<20} {}",
            time * 1e6,
            flops / 1e3,
            bytes / 1e3,
            step.op,
            step.node
        );
    }
    let cost = plan.cost();
    _ = writeln!(
        text,
        "{:>10.1} µs in {} steps; {:.3e} flops, {:.3e} bytes; arena {} bytes, prepared {} bytes",
        total * 1e6,
        plan.steps(),
        cost.flops,
        cost.bytes,
        plan.arena_bytes(),
        plan.prepared_bytes()
    );
    Ok(text)
}

/// The result of timing a model.
#[derive(Serialize)]
struct Line<'a> {
    framework: &'static str,
    version: &'static str,
    variant: &'a str,
    model: String,
    mode: &'static str,
    threads: usize,
    ms_min: f64,
    ms_median: f64,
    ms_max: f64,
    iters: usize,
    rss_mb: Option<u64>,
    other_cpu: f64,
}

/// Times a model on the arrays of a file, or on synthetic ones; a line of JSON.
pub fn bench(
    options: &Sized,
    input: Option<&Path>,
    threads: usize,
    secs: f64,
    variant: &str,
) -> Result<String, Error> {
    let model = open(&options.model)?.with_threads(threads);
    let inputs = match input {
        Some(path) => arrays(path)?,
        None => inputs(&model, options)?,
    };
    let named: Vec<(&str, &Tensor)> =
        inputs.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    let timing = measure(secs, || model.run(&named).map(drop))?;
    let milliseconds = |seconds: f64| (seconds * 1e6).round() / 1e3;
    let line = Line {
        framework: "firesteel",
        version: env!("CARGO_PKG_VERSION"),
        variant,
        model: options.model.file_stem().unwrap_or_default().to_string_lossy().into(),
        mode: "infer",
        threads,
        ms_min: milliseconds(timing.seconds.first().copied().unwrap_or(0.0)),
        ms_median: milliseconds(timing.median()),
        ms_max: milliseconds(timing.seconds.last().copied().unwrap_or(0.0)),
        iters: timing.seconds.len(),
        rss_mb: rss_mb(),
        other_cpu: milliseconds(timing.other_cpu / 1e3),
    };
    // A flat struct of text and numbers always has a JSON form.
    Ok(serde_json::to_string(&line).unwrap_or_default())
}

/// Types of a model's inputs, its open dimensions filled in.
pub fn types<'m>(
    model: &'m OnnxModel,
    options: &Sized,
) -> Result<Vec<(&'m str, TensorType)>, Error> {
    let named = |dim: &Dim| match dim {
        Dim::Known(size) => *size,
        Dim::Named(name) => {
            options.dims.iter().find(|(known, _)| known == name).map_or(1, |(_, size)| *size)
        }
        Dim::Any => 1,
    };
    let ty = |port: &'m Port| {
        let (dtype, dims) = port.dtype.zip(port.dims.as_ref()).ok_or_else(|| {
            let problem = "its type or rank is not in the file".into();
            onnx::Error::Input { name: port.name.clone(), problem }
        })?;
        let dims: Vec<usize> = dims.iter().map(named).collect();
        Ok((port.name.as_str(), TensorType::new(dtype, dims)))
    };
    model.inputs().iter().map(ty).collect()
}

/// Synthetic inputs: floats in [−1, 1), zeros of all other types.
fn inputs(model: &OnnxModel, options: &Sized) -> Result<Vec<(String, Tensor)>, Error> {
    let types = types(model, options)?;
    let make = |(i, (name, ty)): (usize, (&str, TensorType))| {
        let tensor = if ty.dtype.is_float() {
            let numbers: Vec<f32> = detrand::uniform(i as u64, ty.shape.len(), 1.0).collect();
            Tensor::new(ty.shape, numbers)?.cast(ty.dtype)
        } else {
            Tensor::zeros(ty.dtype, ty.shape)
        };
        Ok((name.to_owned(), tensor))
    };
    types
        .into_iter()
        .enumerate()
        .map(make)
        .collect::<Result<_, tensor::Error>>()
        .map_err(Error::from)
}
