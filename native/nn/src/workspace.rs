//! Running a plan: memory of one replica, and the steps bound to it.

use crate::bound_step::{Attached, BoundStep, External};
use crate::op::{Cost, RunContext};
use crate::plan::{Placed, Plan};
use crate::step::Place;
use crate::{Error, Prepared, TensorType};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tensor::{Buffer, DType, SharedSlice, Tensor};

/// Memory in which the workspaces of one replica take turns, as large as the largest needs.
pub struct Arena {
    buffer: Arc<Buffer>,
    /// Held while a workspace touches the memory.
    turn: Mutex<()>,
}

impl Arena {
    /// Memory for workspaces of plans with at most this many [`Plan::arena_bytes`].
    ///
    /// # Errors
    /// [`Error::Tensor`] if there is no memory.
    pub fn new(bytes: usize) -> Result<Arc<Arena>, Error> {
        Ok(Arc::new(Arena { buffer: Arc::new(Buffer::new(bytes)?), turn: Mutex::new(()) }))
    }

    /// Size in bytes.
    pub fn bytes(&self) -> usize {
        self.buffer.bytes()
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        // The next run overwrites whatever a panic left behind.
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A step of a plan, and how long it took.
#[derive(Clone, Debug)]
pub struct TimedStep {
    /// Name of the node that it belongs to.
    pub node: String,
    /// The node's op; `Reorder` brings one of its values into another layout.
    pub op: &'static str,
    /// Flops of the op, and bytes of what the step reads and writes.
    pub cost: Cost,
    /// Wall-clock time.
    pub time: Duration,
}

/// Memory of one replica and the plan's steps bound to it.
pub struct Workspace {
    plan: Arc<Plan>,
    arena: Arc<Arena>,
    steps: Vec<BoundStep>,
    gradient: Attached,
}

impl Workspace {
    /// A replica that runs the first plan of `prepared`, with memory of its own.
    ///
    /// # Errors
    /// [`Error::Tensor`] if there is no memory.
    pub fn new(prepared: &Prepared) -> Result<Workspace, Error> {
        let plan = prepared.plan();
        Workspace::sharing(prepared, plan, &Arena::new(plan.arena_bytes)?)
    }

    /// A replica that runs one of the plans of `prepared` and takes turns with others in `arena`:
    /// their runs overwrite its inputs and outputs.
    ///
    /// # Errors
    /// [`Error::Tensor`] if the arena is smaller than [`Plan::arena_bytes`], [`Error::ForeignPlan`]
    /// if `prepared` does not serve the plan.
    pub fn sharing(
        prepared: &Prepared,
        plan: &Arc<Plan>,
        arena: &Arc<Arena>,
    ) -> Result<Workspace, Error> {
        let memory = &arena.buffer;
        let scratch = plan.arena_bytes - plan.scratch_offset;
        let mut steps = Vec::with_capacity(plan.steps.len());
        for step in &plan.steps {
            let scratch = SharedSlice::new(memory, plan.scratch_offset, scratch)?;
            steps.push(BoundStep::new(plan, step, scratch, |slot| {
                let Placed { place, offset, bytes, .. } = plan.slots[slot];
                match place {
                    Place::Prepared => prepared.locate(plan, slot),
                    _ => Ok(SharedSlice::new(memory, offset, bytes)?),
                }
            })?);
        }
        Ok(Workspace {
            plan: plan.clone(),
            arena: arena.clone(),
            steps,
            gradient: Attached::default(),
        })
    }

    /// The plan that this workspace runs.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    fn port(&self, slot: usize) -> Result<SharedSlice, Error> {
        let slot = &self.plan.slots[slot];
        Ok(SharedSlice::new(&self.arena.buffer, slot.offset, slot.bytes)?)
    }

    /// Sets input `i`, of f32, through `fill`; it keeps its numbers until the next call.
    ///
    /// # Errors
    /// [`Error::Tensor`] if the input has another type.
    pub fn set_input(&mut self, i: usize, fill: impl FnOnce(&mut [f32])) -> Result<(), Error> {
        expect_f32(self.plan.input_type(i))?;
        let _turn = self.arena.turn();
        fill(self.port(self.plan.inputs[i].slot)?.f32_mut());
        Ok(())
    }

    /// Sets input `i`; it keeps its elements until the next call.
    ///
    /// # Errors
    /// [`Error::Type`] if the input has another type or shape.
    pub fn set_input_tensor(&mut self, i: usize, tensor: &Tensor) -> Result<(), Error> {
        let (expected, got) = (self.plan.input_type(i), TensorType::of(tensor));
        if *expected != got {
            return Err(Error::Type {
                what: format!("input {i}"),
                expected: expected.clone(),
                got,
            });
        }
        let _turn = self.arena.turn();
        let mut memory = self.port(self.plan.inputs[i].slot)?;
        Ok(memory.view_mut(tensor.dtype())?.copy_from(tensor.view())?)
    }

    /// Runs all steps; results of a training graph go to `gradient`, a flat vector like the
    /// weights. Ranges of parameters without gradient are left as they are.
    ///
    /// # Errors
    /// [`Error::Size`] if the gradient vector is too short, [`Error::Onednn`] if a primitive fails.
    pub fn run(
        &mut self,
        context: &RunContext,
        gradient: Option<&Arc<Buffer>>,
    ) -> Result<(), Error> {
        if let Some(buffer) = gradient {
            let floats = self.plan.weights;
            self.gradient.attach(External::Gradient, buffer, floats, &mut self.steps)?;
        }
        let _turn = self.arena.turn();
        self.steps.iter_mut().try_for_each(|step| step.run(context))
    }

    /// Runs all steps and says how long each took.
    ///
    /// # Errors
    /// As [`Workspace::run`].
    pub fn run_timed(
        &mut self,
        context: &RunContext,
        gradient: Option<&Arc<Buffer>>,
    ) -> Result<Vec<TimedStep>, Error> {
        self.run(context, gradient)?;
        let _turn = self.arena.turn();
        let mut times = Vec::with_capacity(self.steps.len());
        for step in &mut self.steps {
            let start = Instant::now();
            step.run(context)?;
            let time = start.elapsed();
            times.push(TimedStep { node: step.node.clone(), op: step.op, cost: step.cost, time });
        }
        Ok(times)
    }

    /// A copy of output `o`.
    ///
    /// # Errors
    /// [`Error::Tensor`] if there is no such output in memory, as before the first run.
    pub fn output_tensor(&self, o: usize) -> Result<Tensor, Error> {
        let ty = self.plan.output_type(o);
        let _turn = self.arena.turn();
        let memory = self.port(self.plan.outputs[o].slot)?;
        Ok(Tensor::new(ty.shape.clone(), memory.view(ty.dtype)?.to_data())?)
    }

    /// Reads output `o`, of f32, through `read`.
    ///
    /// # Errors
    /// [`Error::Tensor`] if the output has another type.
    pub fn output<R>(&self, o: usize, read: impl FnOnce(&[f32]) -> R) -> Result<R, Error> {
        expect_f32(self.plan.output_type(o))?;
        let _turn = self.arena.turn();
        Ok(read(self.port(self.plan.outputs[o].slot)?.f32()))
    }
}

fn expect_f32(ty: &TensorType) -> Result<(), Error> {
    match ty.dtype {
        DType::F32 => Ok(()),
        got => Err(tensor::Error::DType { expected: DType::F32, got }.into()),
    }
}
