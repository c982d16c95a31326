//! A compiled graph: a flat list of steps over placed memory.

use crate::arena::{Lifetime, place};
use crate::compiler::Compiler;
use crate::graph::Graph;
use crate::layout::Layout;
use crate::step::{Action, Place, Slot, Step};
use crate::{Error, Precision, TensorType, passes};
use std::sync::Arc;
use tensor::{Buffer, DType, Shape};

/// How a graph is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanOptions {
    /// Ask oneDNN where it is loaded; false compiles plain kernels only.
    pub onednn: bool,
    /// Threads of each step. Results of oneDNN's primitives may differ in bits between numbers of
    /// threads; training takes one, so that they do not depend on the machine.
    pub threads: usize,
    /// What products are computed in.
    pub precision: Precision,
}

impl PlanOptions {
    /// Error if there are no instructions for the precision here.
    ///
    /// # Errors
    /// [`Error::Precision`].
    pub fn check(self) -> Result<(), Error> {
        let PlanOptions { onednn, precision, .. } = self;
        if precision == Precision::F32 || (onednn && onednn::has_bf16()) {
            return Ok(());
        }
        let isa = if onednn { onednn::effective_isa() } else { String::new() };
        let got = if isa.is_empty() { "no oneDNN".into() } else { format!("oneDNN for {isa}") };
        Err(Error::Precision { precision, got })
    }
}

impl Default for PlanOptions {
    fn default() -> PlanOptions {
        PlanOptions { onednn: true, threads: 1, precision: Precision::F32 }
    }
}

/// A slot with its final offset in bytes.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub place: Place,
    pub offset: usize,
    pub bytes: usize,
    pub dtype: DType,
    /// Layout of a copy of another slot.
    pub layout: Option<Layout>,
}

/// A value that crosses the plan's border.
#[derive(Clone, Debug)]
pub(crate) struct Port {
    pub slot: usize,
    pub ty: TensorType,
}

/// A graph compiled for its shapes: steps with fixed memory, shared by all replicas that run it.
pub struct Plan {
    pub(crate) slots: Vec<Placed>,
    pub(crate) constants: Vec<Arc<Buffer>>,
    pub(crate) prologue: Vec<Step>,
    pub(crate) steps: Vec<Step>,
    pub(crate) inputs: Vec<Port>,
    pub(crate) outputs: Vec<Port>,
    pub(crate) arena_bytes: usize,
    pub(crate) scratch_offset: usize,
    pub(crate) prepared_bytes: usize,
    pub(crate) weights: usize,
    pub(crate) threads: usize,
    cost: crate::Cost,
}

impl Plan {
    /// Compiles a graph.
    ///
    /// # Errors
    /// [`Error::Onednn`] if a primitive cannot be made, and those of [`PlanOptions::check`].
    pub fn compile(graph: &Graph, options: PlanOptions) -> Result<Plan, Error> {
        options.check()?;
        onednn::with_threads(options.threads, || Plan::on_threads(graph, options))
    }

    fn on_threads(graph: &Graph, options: PlanOptions) -> Result<Plan, Error> {
        let graph = passes::optimize(graph);
        let mut compiler = Compiler::new(&graph, options)?;
        for node in 0..graph.nodes.len() {
            compiler.node(node)?;
        }
        let ty = |value| graph.tensor_type(value).clone();
        let outputs = compiler.finish()?.into_iter().zip(&graph.outputs);
        let outputs: Vec<Port> =
            outputs.map(|(slot, &(_, value))| Port { slot, ty: ty(value) }).collect();
        let inputs = graph
            .inputs
            .iter()
            .map(|(_, value)| Port { slot: compiler.input_slot(*value), ty: ty(*value) });
        let inputs: Vec<Port> = inputs.collect();
        let Compiler { slots, constants, prologue, steps, .. } = compiler;

        let mut lifetimes: Vec<Lifetime> =
            slots.iter().map(|s| Lifetime { bytes: s.bytes, first: usize::MAX, last: 0 }).collect();
        for (time, step) in steps.iter().enumerate() {
            for &slot in step.src.iter().chain(&step.dst) {
                lifetimes[slot].first = lifetimes[slot].first.min(time);
                lifetimes[slot].last = lifetimes[slot].last.max(time);
            }
        }
        // Inputs may be set once and run often; outputs are read after the run.
        for port in inputs.iter().chain(&outputs) {
            lifetimes[port.slot].first = 0;
            lifetimes[port.slot].last = steps.len();
        }
        let in_arena: Vec<usize> = (0..slots.len())
            .filter(|&s| slots[s].place == Place::Arena && lifetimes[s].first != usize::MAX)
            .collect();
        let alive: Vec<Lifetime> = in_arena.iter().map(|&s| lifetimes[s]).collect();
        let (offsets, scratch_offset) = place(&alive);

        let mut prepared_bytes = 0;
        let mut placed: Vec<Placed> = slots
            .iter()
            .map(|slot| {
                let offset = match slot.place {
                    Place::Arena | Place::Constant(_) => 0,
                    Place::Prepared => {
                        let offset = prepared_bytes;
                        prepared_bytes += slot.bytes.next_multiple_of(64);
                        offset
                    }
                    Place::Weights(float) | Place::Gradient(float) => float * size_of::<f32>(),
                };
                let Slot { bytes, dtype, place, ref layout } = *slot;
                Placed { place, offset, bytes, dtype, layout: layout.clone() }
            })
            .collect();
        for (&slot, offset) in in_arena.iter().zip(offsets) {
            placed[slot].offset = offset;
        }
        Ok(Plan {
            slots: placed,
            constants,
            arena_bytes: scratch_offset + steps.iter().map(scratch_bytes).max().unwrap_or(0),
            scratch_offset,
            prologue,
            steps,
            inputs,
            outputs,
            prepared_bytes,
            weights: graph.parameters.len(),
            threads: options.threads,
            cost: graph.cost(),
        })
    }

    /// Bytes of one replica's arena.
    pub fn arena_bytes(&self) -> usize {
        self.arena_bytes
    }

    /// Bytes of the weights in kernel layouts, shared by replicas.
    pub fn prepared_bytes(&self) -> usize {
        self.prepared_bytes
    }

    /// Number of steps of one run.
    pub fn steps(&self) -> usize {
        self.steps.len()
    }

    /// Arithmetic and traffic of one run.
    pub fn cost(&self) -> crate::Cost {
        self.cost
    }

    /// Shape of input `i`, batch included.
    pub fn input_shape(&self, i: usize) -> &Shape {
        &self.inputs[i].ty.shape
    }

    /// Shape of output `o`, batch included.
    pub fn output_shape(&self, o: usize) -> &Shape {
        &self.outputs[o].ty.shape
    }

    /// Element type and shape of input `i`.
    pub fn input_type(&self, i: usize) -> &TensorType {
        &self.inputs[i].ty
    }

    /// Element type and shape of output `o`.
    pub fn output_type(&self, o: usize) -> &TensorType {
        &self.outputs[o].ty
    }
}

/// Scratch memory of a step.
pub(crate) fn scratch_bytes(step: &Step) -> usize {
    match &step.action {
        Action::Primitive { scratchpad: Some(md), .. } => md.bytes().next_multiple_of(64),
        _ => 0,
    }
}
