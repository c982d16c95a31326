//! `firesteel bench`.

use crate::args::{Bench, Mode};
use crate::measure::{Timing, measure, rss_mb};
use crate::training::Training;
use crate::{Error, detrand};
use rayon::prelude::*;
use serde::Serialize;
use std::ops::Range;
use std::sync::Arc;
use tensor::Buffer;
use train::{Predictor, slices};

/// The result, with the keys of `peers/common.py`.
#[derive(Serialize)]
struct Line<'a> {
    framework: &'static str,
    version: &'static str,
    variant: &'a str,
    case: &'static str,
    mode: &'static str,
    threads: usize,
    batch: usize,
    dtype: &'static str,
    items_per_s_median: f64,
    ms_min: f64,
    ms_median: f64,
    ms_max: f64,
    iters: usize,
    rss_mb: Option<u64>,
    other_cpu: f64,
}

/// Times a case and returns the line of JSON; `variant` says which engine runs.
pub fn run(options: &Bench, variant: &str) -> Result<String, Error> {
    let timing = match options.mode {
        Mode::Train => training(options)?,
        Mode::Infer => inference(options)?,
    };
    let milliseconds = |seconds: Option<&f64>| rounded(seconds.copied().unwrap_or(0.0) * 1e3);
    let line = Line {
        framework: "firesteel",
        version: env!("CARGO_PKG_VERSION"),
        variant,
        case: options.case.name(),
        mode: if options.mode == Mode::Train { "train" } else { "infer" },
        threads: options.threads,
        batch: options.batch,
        dtype: options.precision.name(),
        items_per_s_median: rounded(options.batch as f64 / timing.median()),
        ms_min: milliseconds(timing.seconds.first()),
        ms_median: rounded(timing.median() * 1e3),
        ms_max: milliseconds(timing.seconds.last()),
        iters: timing.seconds.len(),
        rss_mb: rss_mb(),
        other_cpu: rounded(timing.other_cpu),
    };
    // A flat struct of text and numbers always has a JSON form.
    Ok(serde_json::to_string(&line).unwrap_or_default())
}

fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

/// Whole iterations on one fixed batch: forward, backward, SGD with momentum.
fn training(options: &Bench) -> Result<Timing, Error> {
    let mut training = Training::synthetic(options.case, options.batch, options.threads)?;
    training.set_precision(options.precision)?;
    measure(options.secs, || training.step().map(drop))
}

/// Predictions of one fixed batch that the threads share: its rows, or each op if there are fewer.
fn inference(options: &Bench) -> Result<Timing, Error> {
    let model = Arc::new(options.case.model()?);
    let inputs = detrand::inputs(options.case, &model, options.batch);
    let classes = model.output_shape().len();
    let weights = Arc::new(Buffer::from_f32(&model.initial_weights(0))?);
    let within = if options.batch < options.threads { options.threads } else { 1 };
    let predictor = Predictor::new(model, weights, options.threads)?
        .with_threads(within)
        .in_precision(options.precision)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads).build()?;
    let parts: Vec<Range<usize>> = (0..options.threads)
        .map(|part| slices::slice(part, options.threads, options.batch))
        .filter(|rows| !rows.is_empty())
        .collect();
    let mut outputs: Vec<Vec<f32>> =
        parts.iter().map(|rows| vec![0.0; rows.len() * classes]).collect();
    measure(options.secs, || {
        pool.install(|| {
            parts.par_iter().zip(&mut outputs).try_for_each(|(rows, output)| {
                let part = |input: &Vec<f32>| {
                    let width = input.len() / options.batch;
                    rows.start * width..rows.end * width
                };
                let inputs: Vec<&[f32]> = inputs.iter().map(|input| &input[part(input)]).collect();
                predictor.predict(&inputs, rows.len(), output)
            })
        })
        .map_err(Error::from)
    })
}
