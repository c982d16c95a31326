//! Inference: any number of callers, one set of weights.

use crate::Error;
use crate::batches::batches;
use crate::error::{check, check_length};
use crate::workspaces::Workspaces;
use layers::Model;
use nn::{Mode, Plan, PlanOptions, Precision, Prepared, RunContext, Workspace};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use tensor::Buffer;

/// Rows of the largest batch that is run at once.
const BATCH: usize = 32;

/// Predicts with fixed weights from any number of threads.
///
/// Rows are run in batches of 32, 8 and 1 on the caller's thread, and on more within each op if told
/// so ([`Predictor::with_threads`]): threads that have rows of their own share a batch best, more
/// than one in an op help where there is a single row. The weights are brought into the
/// layouts of the kernels once, and shared by all batch sizes and callers. Each call in progress has memory of its own; at most `concurrency` calls run at a time,
/// further ones wait.
pub struct Predictor {
    model: Arc<Model>,
    weights: Arc<Buffer>,
    options: PlanOptions,
    compiled: Mutex<Compiled>,
    /// The memory of callers, by batch size, that no call uses now.
    idle: Mutex<Vec<Workspaces<usize>>>,
    returned: Condvar,
}

/// The plans by batch size, and the weights that they read.
#[derive(Default)]
struct Compiled {
    plans: BTreeMap<usize, Arc<Plan>>,
    prepared: Option<Prepared>,
}

impl Predictor {
    /// A predictor that lets `concurrency` calls run at a time.
    ///
    /// # Errors
    /// [`Error::Length`] for weights of another length than the model's, [`Error::Setting`] for a
    /// concurrency of 0.
    pub fn new(model: Arc<Model>, weights: Arc<Buffer>, concurrency: usize) -> Result<Self, Error> {
        check(concurrency > 0, "predictor", "concurrency", "1 or more", concurrency)?;
        let remedy = "Pass the model's whole flat vector of weights";
        check_length("weights", model.parameters().len(), weights.f32().len(), remedy)?;
        Ok(Predictor {
            model,
            weights,
            options: PlanOptions::default(),
            compiled: Mutex::default(),
            idle: Mutex::new((0..concurrency).map(|_| Workspaces::new()).collect()),
            returned: Condvar::new(),
        })
    }

    /// The same predictor with so many threads in each op of a call. Results may differ in bits
    /// between numbers of threads.
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.options.threads = threads.max(1);
        self.compiled = Mutex::default();
        self
    }

    /// The same predictor with products in this precision; inputs and outputs are f32 in any case.
    ///
    /// # Errors
    /// [`nn::Error::Precision`] if there are no instructions for it here.
    pub fn in_precision(mut self, precision: Precision) -> Result<Self, Error> {
        PlanOptions { precision, ..PlanOptions::default() }.check()?;
        self.options.precision = precision;
        self.compiled = Mutex::default();
        Ok(self)
    }

    /// The model.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// Predicts `rows` rows.
    ///
    /// - inputs: one slice per input of the model, `rows` times its shape, row after row
    /// - output: `rows` times the model's output shape
    ///
    /// # Errors
    /// [`Error::Length`] or [`Error::Setting`] when a slice or their number does not fit; errors of
    /// plans and kernels.
    pub fn predict(&self, inputs: &[&[f32]], rows: usize, output: &mut [f32]) -> Result<(), Error> {
        let shapes = self.model.input_shapes();
        let got = format!("{} for {} inputs of the model", inputs.len(), shapes.len());
        check(inputs.len() == shapes.len(), "predict", "number of inputs", "one per input", got)?;
        let remedy = "Pass rows times the elements of the model's shape";
        for (input, shape) in inputs.iter().zip(shapes) {
            check_length("input", rows * shape.len(), input.len(), remedy)?;
        }
        let width = self.model.output_shape().len();
        check_length("output", rows * width, output.len(), remedy)?;

        onednn::enter();
        let mut caller = self.enter();
        for batch in batches(rows, BATCH) {
            let workspace = self.workspace(&mut caller.workspaces, batch.len())?;
            for (number, (input, shape)) in inputs.iter().zip(shapes).enumerate() {
                let part = &input[scaled(&batch, shape.len())];
                workspace.set_input(number, |dst| dst.copy_from_slice(part))?;
            }
            workspace.run(&RunContext::default(), None)?;
            let part = &mut output[scaled(&batch, width)];
            workspace.output(0, |result| part.copy_from_slice(result))?;
        }
        Ok(())
    }

    /// Waits until fewer than `concurrency` calls are running.
    fn enter(&self) -> Caller<'_> {
        let mut idle = lock(&self.idle);
        loop {
            match idle.pop() {
                Some(workspaces) => return Caller { predictor: self, workspaces },
                None => {
                    idle = self.returned.wait(idle).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    fn workspace<'a>(
        &self,
        workspaces: &'a mut Workspaces<usize>,
        batch: usize,
    ) -> Result<&'a mut Workspace, Error> {
        if workspaces.get(batch).is_none() {
            let mut compiled = lock(&self.compiled);
            if !compiled.plans.contains_key(&batch) {
                self.compile(&mut compiled, batch)?;
            }
            if let (Some(plan), Some(prepared)) = (compiled.plans.get(&batch), &compiled.prepared) {
                workspaces.ready(&[(batch, plan, prepared)])?;
            }
        }
        workspaces.get(batch).ok_or_else(|| Error::missing_plan(batch))
    }

    fn compile(&self, compiled: &mut Compiled, batch: usize) -> Result<(), Error> {
        let graph = self.model.graph(batch, Mode::Inference)?;
        let plan = Arc::new(Plan::compile(&graph, self.options)?);
        let prepared = match &mut compiled.prepared {
            Some(prepared) => {
                prepared.add(&plan)?;
                prepared
            }
            none => none.insert(Prepared::new(&plan)?),
        };
        prepared.prepare_added(&self.weights)?;
        compiled.plans.insert(batch, plan);
        Ok(())
    }
}

/// A call in progress: gives its workspaces back however it ends.
struct Caller<'a> {
    predictor: &'a Predictor,
    workspaces: Workspaces<usize>,
}

impl Drop for Caller<'_> {
    fn drop(&mut self) {
        let workspaces = std::mem::replace(&mut self.workspaces, Workspaces::new());
        lock(&self.predictor.idle).push(workspaces);
        self.predictor.returned.notify_one();
    }
}

/// The floats of these rows.
fn scaled(rows: &Range<usize>, width: usize) -> Range<usize> {
    rows.start * width..rows.end * width
}

/// Locks; what the mutexes here guard is consistent even after a panic elsewhere.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
