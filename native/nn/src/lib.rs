//! Ops, graphs, gradients, plans and how they run.
//!
//! A [`Graph`] is built from [`ops`], differentiated by [`differentiate`], compiled to a [`Plan`]
//! and run by any number of replicas ([`Workspace`]), single-threaded if not told otherwise
//! ([`PlanOptions::threads`]), that share one set of [`Prepared`] weights.

mod activation;
mod arena;
mod autodiff;
mod bound_step;
mod compiler;
mod error;
mod evaluate;
mod graph;
mod layout;
mod op;
pub mod ops;
mod parameters;
mod passes;
mod pieces;
mod plan;
mod precision;
mod prepared;
mod step;
mod tensor_type;
mod workspace;

pub use activation::Activation;
pub use autodiff::{Gradient, differentiate};
pub use compiler::{Compiler, Operand};
pub use error::{Error, OpError};
pub use evaluate::evaluate;
pub use graph::{Graph, Mode, ValueId};
pub use op::{Cost, Kernel, Op, RunContext, TypedKernel};
pub use ops::window::AutoPad;
pub use parameters::{Initializer, Parameter, ParameterKind, ParameterTable};
pub use pieces::PieceKernel;
pub use plan::{Plan, PlanOptions};
pub use precision::{Precision, Product, Takes};
pub use prepared::{PrepareStep, Prepared};
pub use tensor_type::TensorType;
pub use workspace::{Arena, TimedStep, Workspace};
