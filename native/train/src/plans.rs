//! The plans of a worker: one per use and batch size, each with one copy of the weights.

use crate::{Error, Loss};
use layers::Model;
use nn::{Mode, Plan, PlanOptions, PrepareStep, Prepared};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use tensor::{Buffer, Shape};

/// Passes after which a plan that was not used is dropped with its memory.
const IDLE_PASSES: u64 = 64;

/// What a plan is for: whether it differentiates, and its batch size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PlanKey {
    pub training: bool,
    pub batch: usize,
}

/// A plan's weights, and the pass in which they were brought into its layouts.
struct Entry {
    prepared: Prepared,
    pass: u64,
}

/// Compiles plans when they are first needed and keeps those that are in use.
pub(crate) struct Plans {
    model: Arc<Model>,
    loss: Loss,
    entries: BTreeMap<PlanKey, Entry>,
    pass: u64,
}

impl Plans {
    pub fn new(model: Arc<Model>, loss: Loss) -> Self {
        Plans { model, loss, entries: BTreeMap::new(), pass: 0 }
    }

    /// Begins a pass over `keys` with these weights: all their plans are compiled and hold them.
    pub fn begin(
        &mut self,
        keys: impl IntoIterator<Item = PlanKey>,
        weights: &Arc<Buffer>,
    ) -> Result<(), Error> {
        self.pass += 1;
        for key in keys {
            if !self.entries.contains_key(&key) {
                let prepared = Prepared::new(&self.compile(key)?)?;
                self.entries.insert(key, Entry { prepared, pass: 0 });
            }
            if let Some(entry) = self.entries.get_mut(&key).filter(|entry| entry.pass < self.pass) {
                entry.prepared.prepare_with(weights, |steps| {
                    steps.par_iter_mut().try_for_each(PrepareStep::run)
                })?;
                entry.pass = self.pass;
            }
        }
        let oldest = self.pass.saturating_sub(IDLE_PASSES);
        self.entries.retain(|_, entry| entry.pass > oldest);
        Ok(())
    }

    /// The weights of a plan, if it is kept.
    pub fn get(&self, key: PlanKey) -> Option<&Prepared> {
        self.entries.get(&key).map(|entry| &entry.prepared)
    }

    /// Inputs of the plan: those of the model, the label, the gradient's scale. Outputs: that of the
    /// model, the loss of each sample.
    fn compile(&self, key: PlanKey) -> Result<Arc<Plan>, Error> {
        let mode = if key.training { Mode::Training } else { Mode::Inference };
        let mut graph = self.model.graph(key.batch, mode)?;
        let output = graph.outputs().next().map(|(_, value)| value);
        let output = output.ok_or(Error::Worker {
            expected: "a model with an output",
            got: "none".into(),
            remedy: "Name an output in the model's definition",
        })?;
        let label =
            graph.input("label", self.loss.label_shape(key.batch, self.model.output_shape()));
        let scale = graph.input("scale", Shape::new(&[1]));
        let loss = self.loss.add(&mut graph, output, label, scale)?;
        graph.output("loss", loss);
        if key.training {
            nn::differentiate(&mut graph, loss)?;
        }
        Ok(Arc::new(Plan::compile(&graph, PlanOptions::default())?))
    }
}
