//! Running a plan: memory of one replica, and the steps bound to it.

use crate::bound_step::{Attached, BoundStep, External};
use crate::compiler::Place;
use crate::op::RunContext;
use crate::plan::{Placed, Plan};
use crate::{Error, Prepared};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tensor::{Buffer, SharedSlice};

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

    /// Sets input `i` through `fill`; it keeps its numbers until the next call.
    ///
    /// # Errors
    /// [`Error::Tensor`] if the plan's memory is inconsistent.
    pub fn set_input(&mut self, i: usize, fill: impl FnOnce(&mut [f32])) -> Result<(), Error> {
        let _turn = self.arena.turn();
        fill(self.port(self.plan.inputs[i].slot)?.f32_mut());
        Ok(())
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

    /// Runs all steps and says how long each took, by node.
    ///
    /// # Errors
    /// As [`Workspace::run`].
    pub fn run_timed(
        &mut self,
        context: &RunContext,
        gradient: Option<&Arc<Buffer>>,
    ) -> Result<Vec<(String, Duration)>, Error> {
        self.run(context, gradient)?;
        let _turn = self.arena.turn();
        let mut times = Vec::with_capacity(self.steps.len());
        for step in &mut self.steps {
            let start = Instant::now();
            step.run(context)?;
            times.push((step.node.clone(), start.elapsed()));
        }
        Ok(times)
    }

    /// Reads output `o` through `read`.
    ///
    /// # Errors
    /// [`Error::Tensor`] if the plan's memory is inconsistent.
    pub fn output<R>(&self, o: usize, read: impl FnOnce(&[f32]) -> R) -> Result<R, Error> {
        let _turn = self.arena.turn();
        Ok(read(self.port(self.plan.outputs[o].slot)?.f32()))
    }
}
