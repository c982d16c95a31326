//! What a plan is made of: slots of memory and the steps that read and write them.

use crate::PieceKernel;
use crate::layout::Layout;
use crate::op::{Kernel, TypedKernel};
use onednn::{MemoryDesc, Primitive};
use std::sync::Arc;
use tensor::DType;

/// Where a slot's bytes live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the replica's arena.
    Arena,
    /// With the weights in kernel layout, which replicas share.
    Prepared,
    /// With the plan, by number.
    Constant(usize),
    /// In the flat vector of weights, at this float.
    Weights(usize),
    /// In the flat gradient vector, at this float.
    Gradient(usize),
}

/// A piece of memory that steps read and write.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub bytes: usize,
    pub dtype: DType,
    pub place: Place,
    /// Layout of a copy of another slot.
    pub layout: Option<Layout>,
}

/// What a step does.
#[derive(Clone)]
pub(crate) enum Action {
    /// A primitive; `args[i]` goes with the i-th of the step's sources and destinations.
    Primitive { primitive: Primitive, args: Vec<(i32, MemoryDesc)>, scratchpad: Option<MemoryDesc> },
    /// A plain kernel on f32.
    Kernel(Arc<dyn Kernel>),
    /// A plain kernel on any types.
    Typed(Arc<dyn TypedKernel>),
    /// A plain kernel on any types that threads share, and the number of pieces.
    Pieces(Arc<dyn PieceKernel>, usize),
}

/// One step of a plan.
#[derive(Clone)]
pub(crate) struct Step {
    pub name: String,
    pub op: &'static str,
    pub action: Action,
    pub src: Vec<usize>,
    pub dst: Vec<usize>,
    pub flops: f64,
}

/// Stands for the op in steps that bring a value into another layout.
pub(crate) const REORDER: &str = "Reorder";
