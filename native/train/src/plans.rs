//! The plans of a worker: one per use and batch size, over one copy of the weights.

use crate::{Error, Loss};
use layers::Model;
use nn::{Mode, Plan, PlanOptions, PrepareStep, Prepared};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use tensor::{Buffer, Shape};

/// What a plan is for: whether it differentiates, and its batch size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PlanKey {
    pub training: bool,
    pub batch: usize,
}

/// Compiles plans when they are first needed.
///
/// Rows of a batch differ by one between iterations and little between shards, so there are few.
pub(crate) struct Plans {
    model: Arc<Model>,
    loss: Loss,
    options: PlanOptions,
    plans: BTreeMap<PlanKey, Arc<Plan>>,
    prepared: Option<Prepared>,
}

impl Plans {
    pub fn new(model: Arc<Model>, loss: Loss) -> Self {
        let options = PlanOptions::default();
        Plans { model, loss, options, plans: BTreeMap::new(), prepared: None }
    }

    /// Forgets all plans and compiles the next ones like this.
    pub fn set_options(&mut self, options: PlanOptions) {
        self.options = options;
        self.clear();
    }

    /// Begins a pass over `keys` with these weights: their plans are compiled, and the weights are
    /// in the layouts that they want.
    pub fn begin(
        &mut self,
        keys: impl IntoIterator<Item = PlanKey>,
        weights: &Arc<Buffer>,
    ) -> Result<(), Error> {
        for plan in self.compile_new(keys)? {
            match &mut self.prepared {
                Some(prepared) => prepared.add(&plan)?,
                none => *none = Some(Prepared::new(&plan)?),
            }
        }
        if let Some(prepared) = &mut self.prepared {
            prepared.prepare_with(weights, |steps| {
                steps.par_iter_mut().try_for_each(PrepareStep::run)
            })?;
        }
        Ok(())
    }

    /// Forgets all plans.
    pub fn clear(&mut self) {
        self.plans.clear();
        self.prepared = None;
    }

    /// Compiles the plans of those `keys` that have none.
    pub fn compile_new(
        &mut self,
        keys: impl IntoIterator<Item = PlanKey>,
    ) -> Result<Vec<Arc<Plan>>, Error> {
        let mut new = Vec::new();
        for key in keys {
            if !self.plans.contains_key(&key) {
                let plan = self.compile(key)?;
                self.plans.insert(key, plan.clone());
                new.push(plan);
            }
        }
        Ok(new)
    }

    /// A plan, if it is compiled.
    pub fn plan(&self, key: PlanKey) -> Option<&Arc<Plan>> {
        self.plans.get(&key)
    }

    /// A plan with the weights that it reads, if it is compiled.
    pub fn get(&self, key: PlanKey) -> Option<(&Arc<Plan>, &Prepared)> {
        Some((self.plans.get(&key)?, self.prepared.as_ref()?))
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
        Ok(Arc::new(Plan::compile(&graph, self.options)?))
    }
}
