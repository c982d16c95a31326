//! A step of a plan with its arguments bound to memory.

use crate::op::{Cost, Kernel, RunContext, TypedKernel};
use crate::plan::{Placed, Plan};
use crate::step::{Action, Place, Step};
use crate::{Error, PieceKernel, pieces};
use onednn::Bound;
use std::sync::Arc;
use tensor::{Buffer, DType, Operands, SharedSlice, View, ViewMut};

/// Memory that a plan does not own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum External {
    Weights,
    Gradient,
}

enum Bind {
    Primitive(Bound),
    Kernel(Operands, Arc<dyn Kernel>),
    /// With the types of sources and destinations.
    Typed(Operands, Vec<DType>, Arc<dyn TypedKernel>),
    /// As `Typed`, with the number of pieces and into how many parts they are shared.
    Pieces(Operands, Vec<DType>, Arc<dyn PieceKernel>, [usize; 2]),
}

/// A step with its memory.
pub(crate) struct BoundStep {
    pub node: String,
    pub op: &'static str,
    pub cost: Cost,
    bind: Bind,
    /// Operand index (sources first), which memory, offset and size in bytes.
    externals: Vec<(usize, External, usize, usize)>,
}

impl BoundStep {
    /// Binds a step; `locate` says where a slot lies that is not in external memory.
    pub fn new(
        plan: &Plan,
        step: &Step,
        scratch: SharedSlice,
        locate: impl Fn(usize) -> Result<SharedSlice, Error>,
    ) -> Result<BoundStep, Error> {
        let mut externals = Vec::new();
        let mut operands = Vec::with_capacity(step.src.len() + step.dst.len());
        for (i, &slot) in step.src.iter().chain(&step.dst).enumerate() {
            let Placed { place, offset, bytes, .. } = plan.slots[slot];
            let external = match place {
                Place::Weights(_) => External::Weights,
                Place::Gradient(_) => External::Gradient,
                Place::Constant(index) => {
                    operands.push(SharedSlice::new(&plan.constants[index], 0, bytes)?);
                    continue;
                }
                Place::Arena | Place::Prepared => {
                    operands.push(locate(slot)?);
                    continue;
                }
            };
            externals.push((i, external, offset, bytes));
            operands.push(SharedSlice::new(scratch.buffer(), 0, 0)?);
        }
        let sources = step.src.len();
        let bind = match &step.action {
            Action::Kernel(kernel) => {
                let dst = operands.split_off(sources);
                Bind::Kernel(Operands::new(operands, dst)?, kernel.clone())
            }
            Action::Typed(kernel) => {
                let dst = operands.split_off(sources);
                Bind::Typed(Operands::new(operands, dst)?, dtypes(plan, step), kernel.clone())
            }
            Action::Pieces(kernel, pieces) => {
                let dst = operands.split_off(sources);
                let bytes = dst.iter().map(SharedSlice::bytes).sum();
                let shared = [*pieces, pieces::parts(plan.threads, *pieces, bytes)];
                let operands = Operands::new(operands, dst)?;
                Bind::Pieces(operands, dtypes(plan, step), kernel.clone(), shared)
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
        let operands = step.src.iter().chain(&step.dst);
        let bytes = operands.map(|&slot| plan.slots[slot].bytes as f64).sum();
        let cost = Cost { flops: step.flops, bytes };
        Ok(BoundStep { node: step.name.clone(), op: step.op, cost, bind, externals })
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
                Bind::Kernel(operands, _)
                | Bind::Typed(operands, ..)
                | Bind::Pieces(operands, ..) => operands.replace(operand, slice)?,
            }
        }
        Ok(())
    }

    /// Runs the step.
    pub fn run(&mut self, context: &RunContext) -> Result<(), Error> {
        let refuse = |source| Error::Op { op: self.op, node: self.node.clone(), source };
        match &mut self.bind {
            Bind::Primitive(bound) => {
                bound.execute().map_err(|source| Error::Onednn { node: self.node.clone(), source })
            }
            Bind::Kernel(operands, kernel) => {
                operands.with(|src, dst| kernel.run(src, dst, context));
                Ok(())
            }
            Bind::Typed(operands, dtypes, kernel) => {
                let made = operands.with_views(dtypes, |src, dst| kernel.run(src, dst, context));
                made?.map_err(refuse)
            }
            Bind::Pieces(operands, dtypes, kernel, [pieces, 1]) => {
                let all = 0..*pieces;
                let made = operands.with_views(dtypes, |src, dst| kernel.run(all, src, dst));
                made?.map_err(refuse)
            }
            Bind::Pieces(operands, dtypes, kernel, shared) => {
                let team = |work: &(dyn Fn() + Sync)| onednn::parallel(shared[1], work);
                let run = |pieces, src: &[View<'_>], dst: &mut [ViewMut<'_>]| {
                    kernel.run(pieces, src, dst)
                };
                operands.in_parts(dtypes, *shared, team, run)?.map_err(refuse)
            }
        }
    }
}

/// Types of a step's operands, sources first.
fn dtypes(plan: &Plan, step: &Step) -> Vec<DType> {
    step.src.iter().chain(&step.dst).map(|&slot| plan.slots[slot].dtype).collect()
}

/// A buffer that steps were attached to, remembered so that attaching it again costs nothing.
#[derive(Default)]
pub(crate) struct Attached(Option<Arc<Buffer>>);

impl Attached {
    pub fn attach<'s>(
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
