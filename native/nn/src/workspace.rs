//! Running a plan: memory of one replica, steps bound to it, weights shared between replicas.

use crate::Error;
use crate::compiler::{Action, Place, Step};
use crate::op::{Kernel, RunContext};
use crate::plan::{Plan, scratch_bytes};
use onednn::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tensor::{Buffer, Operands, SharedSlice};

/// Memory that a plan does not own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum External {
    Weights,
    Gradient,
}

enum Bind {
    Primitive(Bound),
    Kernel(Operands, Arc<dyn Kernel>),
}

/// A step with its memory.
struct BoundStep {
    node: String,
    bind: Bind,
    /// Operand index (sources first), which memory, offset and size in bytes.
    externals: Vec<(usize, External, usize, usize)>,
}

impl BoundStep {
    fn new(
        plan: &Plan,
        step: &Step,
        arena: Option<&Arc<Buffer>>,
        prepared: &Arc<Buffer>,
        scratch: SharedSlice,
    ) -> Result<BoundStep, Error> {
        let mut externals = Vec::new();
        let mut operands = Vec::new();
        for (i, &slot) in step.src.iter().chain(&step.dst).enumerate() {
            let slot = plan.slots[slot];
            let (memory, offset, bytes) = match (slot.place, arena) {
                (Place::Arena, Some(arena)) => (arena, slot.offset, slot.bytes),
                (Place::Weights(_), _) => {
                    externals.push((i, External::Weights, slot.offset, slot.bytes));
                    (prepared, 0, 0)
                }
                (Place::Gradient(_), _) => {
                    externals.push((i, External::Gradient, slot.offset, slot.bytes));
                    (prepared, 0, 0)
                }
                (Place::Prepared | Place::Arena, _) => (prepared, slot.offset, slot.bytes),
            };
            operands.push(SharedSlice::new(memory, offset, bytes)?);
        }
        let sources = step.src.len();
        let bind = match &step.action {
            Action::Kernel(kernel) => {
                let dst = operands.split_off(sources);
                Bind::Kernel(Operands::new(operands, dst)?, kernel.clone())
            }
            Action::Primitive { primitive, args, scratchpad } => {
                let fail = |source| Error::Onednn { node: step.name.clone(), source };
                let mut list: Vec<_> = args.iter().map(|(arg, md)| (*arg, md)).collect();
                if let Some(md) = scratchpad {
                    list.push((onednn::arg::SCRATCHPAD, md));
                }
                let mut bound = Bound::new(primitive, &list).map_err(fail)?;
                for (i, operand) in operands.iter().enumerate() {
                    if !externals.iter().any(|e| e.0 == i) {
                        bound.set(i, operand).map_err(fail)?;
                    }
                }
                if scratchpad.is_some() {
                    bound.set(args.len(), &scratch).map_err(fail)?;
                }
                Bind::Primitive(bound)
            }
        };
        Ok(BoundStep { node: step.name.clone(), bind, externals })
    }

    /// Points the operands in external memory at `buffer`.
    fn attach(&mut self, which: External, buffer: &Arc<Buffer>) -> Result<(), Error> {
        for &(operand, external, offset, bytes) in &self.externals {
            if external != which {
                continue;
            }
            let slice = SharedSlice::new(buffer, offset, bytes)?;
            match &mut self.bind {
                Bind::Primitive(bound) => bound
                    .set(operand, &slice)
                    .map_err(|source| Error::Onednn { node: self.node.clone(), source })?,
                Bind::Kernel(operands, _) => operands.replace(operand, slice)?,
            }
        }
        Ok(())
    }

    fn run(&mut self, context: &RunContext) -> Result<(), Error> {
        match &mut self.bind {
            Bind::Primitive(bound) => {
                bound.execute().map_err(|source| Error::Onednn { node: self.node.clone(), source })
            }
            Bind::Kernel(operands, kernel) => {
                operands.with(|src, dst| kernel.run(src, dst, context));
                Ok(())
            }
        }
    }
}

/// A buffer that steps were attached to, remembered so that attaching it again costs nothing.
#[derive(Default)]
struct Attached(Option<Arc<Buffer>>);

impl Attached {
    fn attach<'s>(
        &mut self,
        which: External,
        buffer: &Arc<Buffer>,
        floats: usize,
        steps: impl IntoIterator<Item = &'s mut BoundStep>,
    ) -> Result<(), Error> {
        if self.0.as_ref().is_some_and(|known| Arc::ptr_eq(known, buffer)) {
            return Ok(());
        }
        if buffer.bytes() < floats * size_of::<f32>() {
            let what = match which {
                External::Weights => "weights",
                External::Gradient => "gradient",
            };
            let got = buffer.bytes() / size_of::<f32>();
            return Err(Error::Size { what: what.into(), expected: floats, got });
        }
        for step in steps {
            step.attach(which, buffer)?;
        }
        self.0 = Some(buffer.clone());
        Ok(())
    }
}

/// A step that brings a weight into a kernel's layout.
pub struct PrepareStep(BoundStep);

impl PrepareStep {
    /// Runs the step.
    ///
    /// # Errors
    /// [`Error::Onednn`] if the primitive fails.
    pub fn run(&mut self) -> Result<(), Error> {
        self.0.run(&RunContext::default())
    }
}

/// One set of weights in the layouts that a plan's kernels want, shared by its replicas.
pub struct Prepared {
    plan: Arc<Plan>,
    buffer: Arc<Buffer>,
    /// Steps that read the weights alone: independent of each other.
    first: Vec<PrepareStep>,
    /// Steps that read what others prepared, in order.
    rest: Vec<PrepareStep>,
    weights: Attached,
}

impl Prepared {
    /// Memory for the weights of `plan`.
    ///
    /// # Errors
    /// [`Error::Tensor`] if there is no memory.
    pub fn new(plan: &Arc<Plan>) -> Result<Prepared, Error> {
        let scratch: usize = plan.prologue.iter().map(scratch_bytes).sum();
        let buffer = Arc::new(Buffer::new(plan.prepared_bytes + scratch)?);
        let (mut first, mut rest) = (Vec::new(), Vec::new());
        let mut offset = plan.prepared_bytes;
        for step in &plan.prologue {
            let scratch = SharedSlice::new(&buffer, offset, scratch_bytes(step))?;
            offset += scratch.bytes();
            let bound = PrepareStep(BoundStep::new(plan, step, None, &buffer, scratch)?);
            let weights_only =
                step.src.iter().all(|&s| matches!(plan.slots[s].place, Place::Weights(_)));
            if weights_only { first.push(bound) } else { rest.push(bound) }
        }
        Ok(Prepared { plan: plan.clone(), buffer, first, rest, weights: Attached::default() })
    }

    /// The plan whose weights these are.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Brings `weights` (the flat vector, plain layout) into the kernels' layouts.
    ///
    /// # Errors
    /// [`Error::Size`] if the vector is too short.
    pub fn prepare(&mut self, weights: &Arc<Buffer>) -> Result<(), Error> {
        self.prepare_with(weights, |steps| steps.iter_mut().try_for_each(PrepareStep::run))
    }

    /// As [`Prepared::prepare`]; `run` runs each of the given steps once, on any threads.
    ///
    /// # Errors
    /// [`Error::Size`] if the vector is too short, and those of `run`.
    pub fn prepare_with(
        &mut self,
        weights: &Arc<Buffer>,
        run: impl FnOnce(&mut [PrepareStep]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let floats = self.plan.weights;
        let steps = self.first.iter_mut().chain(&mut self.rest).map(|step| &mut step.0);
        self.weights.attach(External::Weights, weights, floats, steps)?;
        run(&mut self.first)?;
        self.rest.iter_mut().try_for_each(PrepareStep::run)
    }
}

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
    /// A replica that reads the weights of `prepared`, with memory of its own.
    ///
    /// # Errors
    /// [`Error::Tensor`] if there is no memory.
    pub fn new(prepared: &Prepared) -> Result<Workspace, Error> {
        Workspace::sharing(prepared, &Arena::new(prepared.plan.arena_bytes)?)
    }

    /// A replica that takes turns with others in `arena`: their runs overwrite its inputs and
    /// outputs.
    ///
    /// # Errors
    /// [`Error::Tensor`] if the arena is smaller than [`Plan::arena_bytes`].
    pub fn sharing(prepared: &Prepared, arena: &Arc<Arena>) -> Result<Workspace, Error> {
        let plan = prepared.plan.clone();
        let memory = &arena.buffer;
        let scratch = plan.arena_bytes - plan.scratch_offset;
        let mut steps = Vec::with_capacity(plan.steps.len());
        for step in &plan.steps {
            let scratch = SharedSlice::new(memory, plan.scratch_offset, scratch)?;
            steps.push(BoundStep::new(&plan, step, Some(memory), &prepared.buffer, scratch)?);
        }
        Ok(Workspace { plan, arena: arena.clone(), steps, gradient: Attached::default() })
    }

    /// The plan that this workspace runs.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    fn port(&self, slot: usize) -> Result<SharedSlice, Error> {
        let slot = self.plan.slots[slot];
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
