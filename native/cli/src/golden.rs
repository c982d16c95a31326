//! `firesteel golden`: a training run that PyTorch recorded, step by step.

use crate::args::Golden;
use crate::cases::Case;
use crate::report::{Loss, NormDifferences, Report};
use crate::training::Training;
use crate::{Error, detrand};
use layers::Model;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use train::Optimizer;
use train::optim::{Method, Sgd};

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

/// A run in f64, as `tests/golden/f64.py` writes it.
#[derive(Deserialize)]
struct Reference {
    case: String,
    loss_f64: Vec<f64>,
    step0_f64: FirstStep,
}

/// Replays a recorded run in one replica.
pub fn run(options: &Golden) -> Result<Report, Error> {
    let path = &options.file;
    let fault = |problem: String| Error::Golden { path: path.clone(), problem };
    let mut recording: Recording = read(path)?;
    let reference = match &options.reference {
        Some(path) => Some(recording.reference(path)?),
        None => None,
    };
    let case = Case::find(&recording.case).ok_or_else(|| {
        fault(format!("unknown case \"{}\", expected one of {}", recording.case, Case::names()))
    })?;
    let model = Arc::new(case.deterministic()?);
    let weights = recording.weights(&model).map_err(fault)?;
    let rows = recording.rows(case, &model).map_err(fault)?;
    let optimizer = Optimizer::from(Method::Sgd(Sgd {
        learning_rate: recording.lr,
        momentum: recording.momentum,
        weight_decay: recording.weight_decay,
        nesterov: recording.nesterov,
        ..Sgd::default()
    }));
    let mut training = Training::new(model.clone(), &rows, &weights, 1, optimizer)?;
    let steps = options.steps.unwrap_or(usize::MAX).min(recording.loss_f32.len());
    let mut losses = Vec::with_capacity(steps);
    let mut norms = BTreeMap::new();
    for (step, single) in recording.loss_f32.iter().take(steps).enumerate() {
        let double = recording.loss_f64.as_ref().and_then(|all| all.get(step)).copied();
        losses.push(Loss { ours: training.step()?, single: *single, double });
        if step == 0 {
            norms = gradient_norms(&model, training.gradient().unwrap_or(&[]));
        }
    }
    let single = &recording.step0_f32.grad_l2;
    let double = reference.map(|first| first.grad_l2);
    Ok(Report {
        case: recording.case,
        losses,
        gradient: NormDifferences::new(&norms, double.as_ref().unwrap_or(single)),
        single_gradient: double.map(|double| NormDifferences::new(single, &double)),
        tolerance: options.tolerance,
    })
}

/// A JSON file.
fn read<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| Error::Read { path: path.to_owned(), source })?;
    serde_json::from_str(&text)
        .map_err(|error| Error::Golden { path: path.to_owned(), problem: error.to_string() })
}

/// L2 norm of each parameter's gradient.
fn gradient_norms(model: &Model, gradient: &[f32]) -> BTreeMap<String, f64> {
    let norm = |parameter: &nn::Parameter| {
        let squares =
            gradient.get(parameter.range())?.iter().map(|value| f64::from(*value).powi(2));
        Some((parameter.name.clone(), squares.sum::<f64>().sqrt()))
    };
    model.parameters().iter().filter_map(norm).collect()
}

impl Recording {
    /// Takes the losses in f64 of another file, and as many steps as it has; returns its first step.
    fn reference(&mut self, path: &Path) -> Result<FirstStep, Error> {
        let reference: Reference = read(path)?;
        if reference.case != self.case || reference.loss_f64.is_empty() {
            let (case, got, steps) = (&self.case, &reference.case, reference.loss_f64.len());
            let problem = format!("expected losses of {case}, got {steps} losses of {got}");
            return Err(Error::Golden { path: path.to_owned(), problem });
        }
        self.loss_f32.truncate(reference.loss_f64.len());
        self.loss_f64 = Some(reference.loss_f64);
        Ok(reference.step0_f64)
    }

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
    fn rows(&self, case: Case, model: &Model) -> Result<Vec<Vec<f32>>, String> {
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
            let vocabulary = case.vocabularies()[number];
            let values = detrand::values(input.stream, self.batch * width, vocabulary);
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
}
