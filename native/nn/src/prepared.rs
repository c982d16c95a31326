//! One set of weights in the layouts that kernels want, shared by plans and replicas.

use crate::Error;
use crate::bound_step::{Attached, BoundStep, External};
use crate::layout::Layout;
use crate::op::RunContext;
use crate::plan::{Plan, scratch_bytes};
use crate::step::{Place, Step};
use std::sync::Arc;
use tensor::{Buffer, SharedSlice};

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

/// A range of the flat vector in a kernel's layout.
struct Copy {
    offset: usize,
    layout: Layout,
    memory: SharedSlice,
}

/// A plan and where the slots lie that it reads of the weights.
struct Reader {
    plan: Arc<Plan>,
    slots: Vec<Option<SharedSlice>>,
}

/// One set of weights in the layouts that kernels want.
///
/// Plans for several batch sizes and modes of one model share it: a weight that two of them want in
/// the same layout is copied once.
pub struct Prepared {
    readers: Vec<Reader>,
    copies: Vec<Copy>,
    /// Steps that read the weights alone: independent of each other.
    first: Vec<PrepareStep>,
    /// Steps that read what others prepared, in order.
    rest: Vec<PrepareStep>,
    /// How many steps of each kind have run.
    done: (usize, usize),
    weights: Attached,
    floats: usize,
}

impl Prepared {
    /// Memory for the weights of `plan`.
    ///
    /// # Errors
    /// [`Error::Tensor`] if there is no memory.
    pub fn new(plan: &Arc<Plan>) -> Result<Prepared, Error> {
        let mut prepared = Prepared {
            readers: Vec::new(),
            copies: Vec::new(),
            first: Vec::new(),
            rest: Vec::new(),
            done: (0, 0),
            weights: Attached::default(),
            floats: plan.weights,
        };
        prepared.add(plan)?;
        Ok(prepared)
    }

    /// Serves another plan of the same model; its weights are there after the next
    /// [`Prepared::prepare`] or [`Prepared::prepare_added`].
    ///
    /// # Errors
    /// [`Error::Tensor`] if there is no memory.
    pub fn add(&mut self, plan: &Arc<Plan>) -> Result<(), Error> {
        let mut slots = vec![None; plan.slots.len()];
        let mut bytes = 0;
        let mut place = |size: usize| {
            bytes += size.next_multiple_of(64);
            bytes - size.next_multiple_of(64)
        };
        // What is here already is shared; the rest gets one block of memory.
        let mut fresh: Vec<(&Step, usize, usize)> = Vec::new();
        for step in &plan.prologue {
            let known = copied(plan, step).and_then(|(offset, layout)| {
                self.copies.iter().find(|c| c.offset == offset && c.layout.same(layout))
            });
            match known {
                Some(copy) => slots[step.dst[0]] = Some(copy.memory.clone()),
                None => {
                    let dst = place(
                        step.dst.iter().map(|&d| plan.slots[d].bytes.next_multiple_of(64)).sum(),
                    );
                    fresh.push((step, dst, place(scratch_bytes(step))));
                }
            }
        }
        let buffer = Arc::new(Buffer::new(bytes)?);
        self.weights = Attached::default();
        // What reads nothing but constants runs here, once and for all weights.
        for (step, mut offset, scratch) in fresh {
            for &dst in &step.dst {
                let size = plan.slots[dst].bytes;
                slots[dst] = Some(SharedSlice::new(&buffer, offset, size)?);
                offset += size.next_multiple_of(64);
            }
            let scratch = SharedSlice::new(&buffer, scratch, scratch_bytes(step))?;
            let mut bound = BoundStep::new(plan, step, scratch, |slot| locate(&slots, slot))?;
            let place = |&slot: &usize| plan.slots[slot].place;
            if step.src.iter().map(place).all(|place| matches!(place, Place::Constant(_))) {
                bound.run(&RunContext::default())?;
                continue;
            }
            let weights_only = step
                .src
                .iter()
                .map(place)
                .all(|p| matches!(p, Place::Weights(_) | Place::Constant(_)));
            let steps = if weights_only { &mut self.first } else { &mut self.rest };
            steps.push(PrepareStep(bound));
            if let Some((offset, layout)) = copied(plan, step) {
                let memory = locate(&slots, step.dst[0])?;
                self.copies.push(Copy { offset, layout: layout.clone(), memory });
            }
        }
        self.readers.push(Reader { plan: plan.clone(), slots });
        Ok(())
    }

    /// Number of ranges of the flat vector that are held in a kernel's layout.
    pub fn copies(&self) -> usize {
        self.copies.len()
    }

    /// The plan that was given first.
    pub(crate) fn plan(&self) -> &Arc<Plan> {
        &self.readers[0].plan
    }

    /// Where a prepared slot of one of the plans lies.
    pub(crate) fn locate(&self, plan: &Arc<Plan>, slot: usize) -> Result<SharedSlice, Error> {
        let reader = self.readers.iter().find(|reader| Arc::ptr_eq(&reader.plan, plan));
        locate(reader.map_or(&[], |reader| &reader.slots), slot)
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
        let steps = self.first.iter_mut().chain(&mut self.rest).map(|step| &mut step.0);
        self.weights.attach(External::Weights, weights, self.floats, steps)?;
        run(&mut self.first)?;
        self.rest.iter_mut().try_for_each(PrepareStep::run)?;
        self.done = (self.first.len(), self.rest.len());
        Ok(())
    }

    /// Prepares what plans that were added since the last time want beyond that; what replicas of
    /// other plans may be reading is not touched. `weights` must be the same numbers as then.
    ///
    /// # Errors
    /// As [`Prepared::prepare`].
    pub fn prepare_added(&mut self, weights: &Arc<Buffer>) -> Result<(), Error> {
        let steps = self.first.iter_mut().chain(&mut self.rest).map(|step| &mut step.0);
        self.weights.attach(External::Weights, weights, self.floats, steps)?;
        let (first, rest) = (&mut self.first[self.done.0..], &mut self.rest[self.done.1..]);
        first.iter_mut().chain(rest).try_for_each(PrepareStep::run)?;
        self.done = (self.first.len(), self.rest.len());
        Ok(())
    }
}

/// The range of the flat vector (its first float) and the layout of a step that only copies.
fn copied<'p>(plan: &'p Plan, step: &Step) -> Option<(usize, &'p Layout)> {
    let ([src], [dst]) = (&step.src[..], &step.dst[..]) else { return None };
    match plan.slots[*src].place {
        Place::Weights(offset) => Some((offset, plan.slots[*dst].layout.as_ref()?)),
        _ => None,
    }
}

fn locate(slots: &[Option<SharedSlice>], slot: usize) -> Result<SharedSlice, Error> {
    slots.get(slot).cloned().flatten().ok_or(Error::ForeignPlan)
}
