//! `firesteel golden`: a training run that PyTorch recorded, step by step.

use crate::args::Golden;
use crate::cases::Case;
use crate::training::Training;
use crate::{Error, detrand};
use layers::Model;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use train::Optimizer;
use train::optim::Sgd;

/// What `peers/golden.py` writes.
#[derive(Deserialize)]
struct Recording {
    case: String,
    batch: usize,
    lr: f64,
    momentum: f64,
    weight_decay: f64,
    nesterov: bool,
    inputs: Vec<Input>,
    input_first4: Vec<Vec<f32>>,
    labels: Labels,
    loss_f32: Vec<f64>,
    loss_f64: Option<Vec<f64>>,
    step0_f32: FirstStep,
    params: Vec<Parameter>,
}

#[derive(Deserialize)]
struct Input {
    shape: Vec<usize>,
    stream: u64,
}

#[derive(Deserialize)]
struct Labels {
    stream: u64,
    classes: u64,
    first8: Vec<u64>,
}

#[derive(Deserialize)]
struct FirstStep {
    grad_l2: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
struct Parameter {
    name: String,
    shape: Vec<usize>,
    stream: u64,
    uniform: Option<f32>,
    #[serde(rename = "const")]
    constant: Option<f32>,
}

/// Losses side by side.
pub struct Report {
    case: String,
    /// Ours, PyTorch's in f32 and, where recorded, in f64.
    losses: Vec<(f64, f64, Option<f64>)>,
    /// Largest relative difference of a parameter's gradient norm in the first step, and whose.
    gradient: (f64, String),
    tolerance: f64,
}

impl Report {
    /// Whether every loss is within the tolerance of PyTorch's in f32.
    pub fn passed(&self) -> bool {
        self.largest() <= self.tolerance
    }

    /// Largest relative difference of a loss; NaN counts as infinite.
    fn largest(&self) -> f64 {
        let differences = self.losses.iter().map(|(ours, theirs, _)| relative(*ours, *theirs));
        differences.fold(0.0, f64::max)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:>4} {:>14} {:>14} {:>10} {:>14}",
            "step", "firesteel", "f32", "difference", "f64"
        )?;
        for (step, (ours, single, double)) in self.losses.iter().enumerate() {
            let difference = relative(*ours, *single);
            write!(f, "{step:>4} {ours:>14.9} {single:>14.9} {difference:>10.1e}")?;
            match double {
                Some(double) => writeln!(f, " {double:>14.9}")?,
                None => writeln!(f, " {:>14}", "-")?,
            }
        }
        let (difference, parameter) = &self.gradient;
        writeln!(f, "gradient norms of step 0: largest difference {difference:.1e} ({parameter})")?;
        writeln!(
            f,
            "{}: {}: largest difference {:.1e} in {} steps, tolerance {:.0e}",
            self.case,
            if self.passed() { "passed" } else { "FAILED" },
            self.largest(),
            self.losses.len(),
            self.tolerance
        )
    }
}

/// Replays a recorded run in one replica.
pub fn run(options: &Golden) -> Result<Report, Error> {
    let path = &options.file;
    let text = std::fs::read_to_string(path)
        .map_err(|source| Error::Read { path: path.clone(), source })?;
    let fault = |problem: String| Error::Golden { path: path.clone(), problem };
    let recording: Recording =
        serde_json::from_str(&text).map_err(|error| fault(error.to_string()))?;
    let case = Case::find(&recording.case).ok_or_else(|| {
        fault(format!("unknown case \"{}\", expected one of {}", recording.case, Case::names()))
    })?;
    let model = Arc::new(case.model()?);
    let weights = recording.weights(&model).map_err(fault)?;
    let rows = recording.rows(&model).map_err(fault)?;
    let optimizer = Optimizer::Sgd(Sgd {
        learning_rate: recording.lr,
        momentum: recording.momentum,
        weight_decay: recording.weight_decay,
        nesterov: recording.nesterov,
        ..Sgd::default()
    });
    let mut training = Training::new(model.clone(), &rows, &weights, 1, optimizer)?;
    let steps = options.steps.unwrap_or(usize::MAX).min(recording.loss_f32.len());
    let mut losses = Vec::with_capacity(steps);
    let mut gradient = (0.0, "none".to_owned());
    for (step, single) in recording.loss_f32.iter().take(steps).enumerate() {
        let double = recording.loss_f64.as_ref().and_then(|all| all.get(step)).copied();
        losses.push((training.step()?, *single, double));
        if step == 0 {
            gradient = recording.gradient_difference(&model, training.gradient().unwrap_or(&[]));
        }
    }
    Ok(Report { case: recording.case, losses, gradient, tolerance: options.tolerance })
}

impl Recording {
    /// The flat vector of weights at the start.
    fn weights(&self, model: &Model) -> Result<Vec<f32>, String> {
        let mut weights = model.initial_weights(0);
        for parameter in model.parameters().iter() {
            let name = &parameter.name;
            let Some(recorded) = self.params.iter().find(|recorded| recorded.name == *name) else {
                // PyTorch counts running statistics as buffers, which start as ours do.
                if parameter.kind == nn::ParameterKind::Statistic {
                    continue;
                }
                return Err(format!("the parameter {name} is missing"));
            };
            if recorded.shape != parameter.shape.dims() {
                let (expected, got) = (&parameter.shape, &recorded.shape);
                return Err(format!("parameter {name}: expected shape {expected}, got {got:?}"));
            }
            let values = &mut weights[parameter.range()];
            match (recorded.uniform, recorded.constant) {
                (Some(bound), None) => values
                    .iter_mut()
                    .zip(detrand::uniform(recorded.stream, parameter.shape.len(), bound))
                    .for_each(|(weight, value)| *weight = value),
                (None, Some(constant)) => values.fill(constant),
                _ => return Err(format!("parameter {name}: expected uniform or const")),
            }
        }
        Ok(weights)
    }

    /// The batch: features and class of each row.
    fn rows(&self, model: &Model) -> Result<Vec<Vec<f32>>, String> {
        let mut rows = vec![Vec::new(); self.batch];
        let shapes = model.input_shapes();
        if self.inputs.len() != shapes.len() || self.batch == 0 {
            return Err(format!("expected {} inputs, got {}", shapes.len(), self.inputs.len()));
        }
        for (number, (input, shape)) in self.inputs.iter().zip(shapes).enumerate() {
            let width = shape.len();
            if input.shape.first() != Some(&self.batch) || input.shape[1..] != *shape.dims() {
                return Err(format!("input {number}: expected {shape}, got {:?}", input.shape));
            }
            let values: Vec<f32> =
                detrand::uniform(input.stream, self.batch * width, 1.0).collect();
            if !self.input_first4.get(number).is_some_and(|first| values.starts_with(first)) {
                return Err(format!("input {number} does not begin with input_first4"));
            }
            for (row, values) in rows.iter_mut().zip(values.chunks_exact(width)) {
                row.extend(values);
            }
        }
        let classes = self.labels.classes.max(1);
        let labels: Vec<u64> = detrand::integers(self.labels.stream, self.batch, classes).collect();
        if !labels.iter().zip(&self.labels.first8).all(|(ours, theirs)| ours == theirs) {
            return Err("the labels do not begin with first8".into());
        }
        rows.iter_mut().zip(labels).for_each(|(row, label)| row.push(label as f32));
        Ok(rows)
    }

    fn gradient_difference(&self, model: &Model, gradient: &[f32]) -> (f64, String) {
        let difference = |(name, theirs): (&String, &f64)| {
            let range = model.parameters().get(name)?.range();
            let squares = gradient.get(range)?.iter().map(|value| f64::from(*value).powi(2));
            Some((relative(squares.sum::<f64>().sqrt(), *theirs), name.clone()))
        };
        let differences = self.step0_f32.grad_l2.iter().filter_map(difference);
        differences.max_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or((f64::INFINITY, "none".into()))
    }
}

/// Difference as a share of what it should be; infinite for NaN.
fn relative(ours: f64, theirs: f64) -> f64 {
    let difference = (ours - theirs).abs() / theirs.abs().max(1e-9);
    if difference.is_nan() { f64::INFINITY } else { difference }
}
