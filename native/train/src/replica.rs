//! One single-threaded copy of the model: its memory, and how a batch runs in it.

use crate::local::Own;
use crate::plans::{PlanKey, Plans};
use crate::workspaces::Workspaces;
use crate::{Error, Loss, Optimizer, Record};
use layers::Model;
use nn::RunContext;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;
use tensor::Buffer;

/// Where the inputs of a plan stand in a row, and what is read after a run.
#[derive(Debug)]
pub(crate) struct Layout {
    /// The floats of each input of the model, then those of the label.
    columns: Vec<Range<usize>>,
    /// Floats of one sample's output.
    output: usize,
    loss: Loss,
}

impl Layout {
    pub fn new(model: &Model, loss: Loss, record: &Record) -> Self {
        let mut columns = Vec::new();
        let mut begin = 0;
        let inputs = model.input_shapes().iter().map(|shape| shape.len());
        for len in inputs.chain([record.label_len()]) {
            columns.push(begin..begin + len);
            begin += len;
        }
        Layout { columns, output: model.output_shape().len(), loss }
    }

    fn label(&self) -> Range<usize> {
        self.columns.last().cloned().unwrap_or_default()
    }
}

/// What a batch gave.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct BatchResult {
    /// Sum of the losses of the samples.
    pub loss_sum: f64,
    /// Samples whose largest output is that of their class.
    pub correct: u64,
}

/// One replica.
pub(crate) struct Replica {
    workspaces: Workspaces<PlanKey>,
    /// The gradient of a part of a batch, if batches were run in parts.
    spare: Option<Arc<Buffer>>,
    /// Weights of its own, if it takes steps by itself.
    pub own: Option<Own>,
}

impl Replica {
    pub fn new() -> Self {
        Replica { workspaces: Workspaces::new(), spare: None, own: None }
    }

    /// Makes the workspaces for `keys`.
    pub fn ready(&mut self, keys: &BTreeSet<PlanKey>, plans: &Plans) -> Result<(), Error> {
        let ready = keys.iter().filter_map(|&key| {
            let (plan, prepared) = plans.get(key)?;
            Some((key, plan, prepared))
        });
        self.workspaces.ready(&ready.collect::<Vec<_>>())
    }

    /// Makes the workspaces for `keys` over weights of its own.
    pub fn ready_alone(
        &mut self,
        keys: &BTreeSet<PlanKey>,
        plans: &Plans,
        optimizer: &Optimizer,
        len: usize,
    ) -> Result<(), Error> {
        let own = match &mut self.own {
            Some(own) => own,
            none => none.insert(Own::new(optimizer, len)?),
        };
        own.ready(keys, plans)?;
        let ready = keys.iter().filter_map(|&key| Some((key, plans.plan(key)?, own.prepared()?)));
        self.workspaces.ready(&ready.collect::<Vec<_>>())
    }

    /// Memory of so many bytes, the same in each call.
    pub fn spare(&mut self, bytes: usize) -> Result<Arc<Buffer>, Error> {
        match &self.spare {
            Some(spare) if spare.bytes() == bytes => Ok(spare.clone()),
            _ => {
                let spare = Arc::new(Buffer::new(bytes)?);
                self.spare = Some(spare.clone());
                Ok(spare)
            }
        }
    }

    /// Runs a batch of rows; with `gradient` also backward, into that flat vector.
    ///
    /// The gradient of the sum of the samples' losses is multiplied by `scale`.
    pub fn run(
        &mut self,
        layout: &Layout,
        rows: &[&[f32]],
        scale: f32,
        context: RunContext,
        gradient: Option<&Arc<Buffer>>,
    ) -> Result<BatchResult, Error> {
        let key = PlanKey { training: gradient.is_some(), batch: rows.len() };
        let workspace = self.workspaces.get(key).ok_or_else(|| Error::missing_plan(key.batch))?;
        for (input, column) in layout.columns.iter().enumerate() {
            workspace.set_input(input, |dst| {
                for (place, row) in dst.chunks_exact_mut(column.len()).zip(rows) {
                    place.copy_from_slice(&row[column.clone()]);
                }
            })?;
        }
        workspace.set_input(layout.columns.len(), |dst| dst.fill(scale))?;
        workspace.run(&context, gradient)?;
        let loss_sum =
            workspace.output(1, |losses| losses.iter().map(|&loss| loss as f64).sum())?;
        let correct = workspace.output(0, |outputs| {
            let samples = outputs.chunks_exact(layout.output).zip(rows);
            let right = |(output, row): &(&[f32], &&[f32])| {
                layout.loss.correct(output, &row[layout.label()])
            };
            samples.filter(right).count() as u64
        })?;
        Ok(BatchResult { loss_sum, correct })
    }
}
