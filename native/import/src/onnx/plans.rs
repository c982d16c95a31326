//! Plans of a model by the types of its inputs, a bounded number of them.

use super::Error;
use nn::{Graph, Plan, PlanOptions, Prepared, RunContext, TensorType, ValueId, Workspace};
use std::sync::{Arc, Mutex, PoisonError};
use tensor::{Buffer, Tensor};

/// Most plans that are kept; the one that was not used for the longest time goes first.
const MOST_PLANS: usize = 16;

/// Where an output is found.
enum Output {
    /// It is the same in each run.
    Known(Arc<Tensor>),
    /// Number of the plan's output.
    Computed(usize),
}

/// A graph that is ready to run.
pub(super) struct Compiled {
    workspace: Mutex<Workspace>,
    outputs: Vec<Output>,
}

impl Compiled {
    /// Compiles a graph for these outputs, whose inputs are in the order in which they are given.
    pub fn new(
        mut graph: Graph,
        outputs: &[(String, ValueId)],
        weights: &Arc<Buffer>,
        threads: usize,
    ) -> Result<Compiled, Error> {
        let mut places = Vec::with_capacity(outputs.len());
        for (name, value) in outputs {
            places.push(match graph.known(*value) {
                Some(tensor) => Output::Known(tensor.clone()),
                None => {
                    graph.output(name, *value);
                    Output::Computed(graph.outputs().len() - 1)
                }
            });
        }
        let options = PlanOptions { threads, ..PlanOptions::default() };
        let plan = Arc::new(Plan::compile(&graph, options)?);
        let mut prepared = Prepared::new(&plan)?;
        prepared.prepare(weights)?;
        Ok(Compiled { workspace: Mutex::new(Workspace::new(&prepared)?), outputs: places })
    }

    /// Runs on inputs of the types that it was compiled for. Calls take turns.
    pub fn run(&self, inputs: &[&Tensor]) -> Result<Vec<Tensor>, Error> {
        // The next run overwrites whatever a panic left behind.
        let mut workspace = self.workspace.lock().unwrap_or_else(PoisonError::into_inner);
        for (i, tensor) in inputs.iter().enumerate() {
            workspace.set_input_tensor(i, tensor)?;
        }
        workspace.run(&RunContext::default(), None)?;
        let outputs = self.outputs.iter().map(|output| match output {
            Output::Known(tensor) => Ok((**tensor).clone()),
            Output::Computed(o) => workspace.output_tensor(*o).map_err(Error::from),
        });
        outputs.collect()
    }
}

/// What to do with inputs of these types.
#[derive(Clone)]
pub(super) enum Way {
    /// Run this plan.
    Plan(Arc<Compiled>),
    /// There is none: the shapes depend on the values.
    Eager,
}

/// The ways by input types, the last used one at the end.
#[derive(Default)]
pub(super) struct Plans(Mutex<Vec<(Vec<TensorType>, Way)>>);

impl Plans {
    /// The way for these types, made by `make` if it is not known.
    pub fn get(
        &self,
        types: &[TensorType],
        make: impl FnOnce() -> Result<Way, Error>,
    ) -> Result<Way, Error> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = match known.iter().position(|(key, _)| key == types) {
            Some(at) => known.remove(at),
            None => (types.to_vec(), make()?),
        };
        let way = entry.1.clone();
        if known.len() == MOST_PLANS {
            known.remove(0);
        }
        known.push(entry);
        Ok(way)
    }
}
