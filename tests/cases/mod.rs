//! The table of cases: for each op its settings, operands, oracle and tolerance.
//!
//! Every case runs in all modes of `tests/ops.rs`; cases of a size that is worth timing run in
//! `native/benches/ops.rs`.

#![allow(dead_code, reason = "each test and bench uses a part of this")]

mod activation;
mod along_axes;
mod arithmetic;
mod attention;
mod average_pool;
mod batch_normalization;
mod binary;
mod cast;
mod center_crop_pad;
mod clip;
mod col2im;
mod comparison;
mod concat;
mod conv;
mod conv_transpose;
mod cum_sum;
mod depth_to_space;
mod det;
mod dft;
pub mod dropout;
mod einsum;
mod elementary;
mod expand;
mod fill;
mod flatten;
mod gather;
mod gather_nd;
mod gelu;
mod gemm;
mod global_pool;
mod graphs;
mod grid_sample;
mod hardmax;
mod log_softmax;
mod lp_pool;
mod lrn;
mod matmul;
mod max_pool;
mod max_roi_pool;
mod max_unpool;
mod mean_squared_error;
mod negative_log_likelihood_loss;
mod non_max_suppression;
mod non_zero;
mod nonlinearity;
mod one_hot;
mod pad;
mod predicates;
pub mod random;
mod recurrent;
mod reduce;
mod reshape;
mod resize;
mod reverse_sequence;
mod roi_align;
mod row_normalization;
mod scatter;
mod shape;
mod signal_window;
mod slice;
mod softmax;
mod softmax_cross_entropy;
mod split;
mod squeeze;
mod tensor_scatter;
mod tile;
mod top_k;
mod transpose;
mod trigonometric;
mod trilu;
mod where_op;

pub use graphs::Training;

use nn::{Error, Graph, Op, ParameterTable, TensorType, ValueId};
use oracle::Array;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tensor::{DType, Shape, Tensor};

/// All cases of all ops.
pub fn table() -> Vec<Case> {
    [
        activation::cases(),
        arithmetic::cases(),
        clip::cases(),
        comparison::cases(),
        elementary::cases(),
        nonlinearity::cases(),
        predicates::cases(),
        random::cases(),
        trigonometric::cases(),
        along_axes::cases(),
        attention::cases(),
        average_pool::cases(),
        batch_normalization::cases(),
        binary::cases(),
        cast::cases(),
        center_crop_pad::cases(),
        col2im::cases(),
        concat::cases(),
        conv::cases(),
        conv_transpose::cases(),
        cum_sum::cases(),
        depth_to_space::cases(),
        det::cases(),
        dft::cases(),
        dropout::cases(),
        einsum::cases(),
        expand::cases(),
        fill::cases(),
        flatten::cases(),
        gather::cases(),
        gather_nd::cases(),
        gelu::cases(),
        gemm::cases(),
        global_pool::cases(),
        grid_sample::cases(),
        hardmax::cases(),
        log_softmax::cases(),
        lp_pool::cases(),
        lrn::cases(),
        matmul::cases(),
        max_pool::cases(),
        max_roi_pool::cases(),
        max_unpool::cases(),
        mean_squared_error::cases(),
        negative_log_likelihood_loss::cases(),
        non_max_suppression::cases(),
        non_zero::cases(),
        one_hot::cases(),
        pad::cases(),
        recurrent::cases(),
        reduce::cases(),
        reshape::cases(),
        resize::cases(),
        reverse_sequence::cases(),
        roi_align::cases(),
        row_normalization::cases(),
        scatter::cases(),
        shape::cases(),
        signal_window::cases(),
        slice::cases(),
        softmax::cases(),
        softmax_cross_entropy::cases(),
        split::cases(),
        squeeze::cases(),
        tensor_scatter::cases(),
        tile::cases(),
        top_k::cases(),
        transpose::cases(),
        trilu::cases(),
        where_op::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Cases of real sizes, to be timed.
pub fn timed() -> Vec<Case> {
    [
        activation::timed(),
        attention::timed(),
        average_pool::timed(),
        batch_normalization::timed(),
        binary::timed(),
        concat::timed(),
        conv::timed(),
        dropout::timed(),
        gather::timed(),
        gelu::timed(),
        gemm::timed(),
        log_softmax::timed(),
        lrn::timed(),
        matmul::timed(),
        max_pool::timed(),
        mean_squared_error::timed(),
        recurrent::timed(),
        reduce::timed(),
        row_normalization::timed(),
        softmax::timed(),
        softmax_cross_entropy::timed(),
        transpose::timed(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Operands that an op must refuse, all ops.
pub fn refusals() -> Vec<Refusal> {
    [
        activation::refusals(),
        arithmetic::refusals(),
        clip::refusals(),
        comparison::refusals(),
        elementary::refusals(),
        nonlinearity::refusals(),
        predicates::refusals(),
        random::refusals(),
        trigonometric::refusals(),
        along_axes::refusals(),
        attention::refusals(),
        average_pool::refusals(),
        batch_normalization::refusals(),
        binary::refusals(),
        cast::refusals(),
        center_crop_pad::refusals(),
        col2im::refusals(),
        concat::refusals(),
        conv::refusals(),
        conv_transpose::refusals(),
        cum_sum::refusals(),
        depth_to_space::refusals(),
        det::refusals(),
        dft::refusals(),
        dropout::refusals(),
        einsum::refusals(),
        expand::refusals(),
        fill::refusals(),
        flatten::refusals(),
        gather::refusals(),
        gather_nd::refusals(),
        gelu::refusals(),
        gemm::refusals(),
        global_pool::refusals(),
        grid_sample::refusals(),
        hardmax::refusals(),
        log_softmax::refusals(),
        lp_pool::refusals(),
        lrn::refusals(),
        matmul::refusals(),
        max_pool::refusals(),
        max_roi_pool::refusals(),
        max_unpool::refusals(),
        mean_squared_error::refusals(),
        negative_log_likelihood_loss::refusals(),
        non_max_suppression::refusals(),
        non_zero::refusals(),
        one_hot::refusals(),
        pad::refusals(),
        recurrent::refusals(),
        reduce::refusals(),
        reshape::refusals(),
        resize::refusals(),
        reverse_sequence::refusals(),
        roi_align::refusals(),
        row_normalization::refusals(),
        scatter::refusals(),
        shape::refusals(),
        signal_window::refusals(),
        slice::refusals(),
        softmax::refusals(),
        softmax_cross_entropy::refusals(),
        split::refusals(),
        squeeze::refusals(),
        tensor_scatter::refusals(),
        tile::refusals(),
        top_k::refusals(),
        transpose::refusals(),
        trilu::refusals(),
        where_op::refusals(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

type Oracle = Box<dyn Fn(&[Array]) -> Vec<Array>>;
type Add = Box<dyn Fn(&mut Graph, &[ValueId]) -> Result<Vec<ValueId>, Error>>;

/// One source of a case's op.
pub struct Operand {
    /// Its numbers, each one an f32.
    pub values: Array,
    /// The op has a gradient for it.
    pub differentiable: bool,
    /// Type of its elements.
    pub dtype: DType,
}

impl Operand {
    /// Its elements under their type.
    pub fn tensor(&self) -> Tensor {
        Tensor::new(&self.values.dims[..], self.values.data.clone()).unwrap().cast(self.dtype)
    }
}

/// An op with settings and operands, and what it must give.
pub struct Case {
    /// ONNX's name of the op.
    pub op: &'static str,
    /// What is special about the case.
    pub name: String,
    /// The sources.
    pub operands: Vec<Operand>,
    /// Largest accepted distance to the oracle.
    pub tolerance: f64,
    /// Why it may be that large.
    pub why: &'static str,
    /// The first result is a loss per sample, which scales its own gradient.
    pub is_loss: bool,
    /// The shapes of the results depend on the elements of the operands.
    pub constants_only: bool,
    oracle: Oracle,
    add: Add,
    survives_serialization: Box<dyn Fn() -> bool>,
}

impl Case {
    /// A case without operands yet; `oracle` gives the documented results.
    pub fn new<O>(
        name: impl Into<String>,
        op: O,
        oracle: impl Fn(&[Array]) -> Vec<Array> + 'static,
    ) -> Case
    where
        O: Op + Clone + PartialEq + Serialize + DeserializeOwned,
    {
        let kept = op.clone();
        Case {
            op: op.name(),
            name: name.into(),
            operands: Vec::new(),
            tolerance: 1e-5,
            why: "rounding to f32 (6e-8) of some hundred terms of order one",
            is_loss: false,
            constants_only: false,
            oracle: Box::new(oracle),
            add: Box::new(move |graph, src| graph.add("case", op.clone(), src)),
            survives_serialization: Box::new(move || {
                let json = serde_json::to_string(&kept).unwrap();
                serde_json::from_str::<O>(&json).unwrap() == kept
            }),
        }
    }

    /// Adds an operand of scattered numbers in (−1, 1).
    pub fn operand(self, dims: &[usize]) -> Case {
        let values = Array::sample(dims, 1 + self.operands.len() as u64);
        self.values(values)
    }

    /// Adds an operand of these numbers.
    pub fn values(self, values: Array) -> Case {
        self.push(values, DType::F32, true)
    }

    /// Adds an operand of these numbers that has no gradient.
    pub fn fixed(self, values: Array) -> Case {
        self.push(values, DType::F32, false)
    }

    /// Adds an operand of another type, which has no gradient.
    pub fn typed(self, dtype: DType, values: Array) -> Case {
        self.push(values, dtype, false)
    }

    /// Adds an operand of integers.
    pub fn indices(self, dims: &[usize], values: &[i64]) -> Case {
        let values = values.iter().map(|&value| value as f64).collect();
        self.typed(DType::I64, Array::new(dims, values))
    }

    fn push(mut self, values: Array, dtype: DType, differentiable: bool) -> Case {
        // The oracle sees the very numbers that the kernels see.
        let operand = Operand { values, differentiable, dtype };
        let exact = operand.tensor().cast(DType::F64).into_vec().unwrap();
        let values = Array::new(&operand.values.dims, exact);
        self.operands.push(Operand { values, ..operand });
        self
    }

    /// Accepts another distance than 1e-5, and says why.
    pub fn tolerance(mut self, tolerance: f64, why: &'static str) -> Case {
        (self.tolerance, self.why) = (tolerance, why);
        self
    }

    /// The op is a loss.
    pub fn loss(mut self) -> Case {
        self.is_loss = true;
        self
    }

    /// The shapes of the results depend on the elements, so that there is no plan.
    pub fn constants_only(mut self) -> Case {
        self.constants_only = true;
        self
    }

    /// Op and name.
    pub fn label(&self) -> String {
        format!("{} {}", self.op, self.name)
    }

    /// The documented results for these operands.
    pub fn expected(&self, operands: &[Array]) -> Vec<Array> {
        (self.oracle)(operands)
    }

    /// The numbers of the operands.
    pub fn arrays(&self) -> Vec<Array> {
        self.operands.iter().map(|operand| operand.values.clone()).collect()
    }

    /// Adds the op to a graph.
    pub fn add(&self, graph: &mut Graph, src: &[ValueId]) -> Vec<ValueId> {
        (self.add)(graph, src).unwrap_or_else(|error| panic!("{}: {error}", self.label()))
    }

    /// True if the settings are equal after writing and reading them.
    pub fn survives_serialization(&self) -> bool {
        (self.survives_serialization)()
    }
}

/// Operands that an op must refuse.
pub struct Refusal {
    types: Vec<TensorType>,
    add: Add,
    /// The whole message.
    pub message: &'static str,
}

impl Refusal {
    /// The op, the shapes of its operands and the message that names the node `"case"`.
    pub fn new(op: impl Op + Clone, shapes: &[&[usize]], message: &'static str) -> Refusal {
        let types: Vec<TensorType> = shapes.iter().map(|&dims| Shape::new(dims).into()).collect();
        Refusal::typed(op, &types, message)
    }

    /// [`Refusal::new`] of operands of any types.
    pub fn typed(op: impl Op + Clone, types: &[TensorType], message: &'static str) -> Refusal {
        let add = move |graph: &mut Graph, src: &[ValueId]| graph.add("case", op.clone(), src);
        Refusal { types: types.to_vec(), add: Box::new(add), message }
    }

    /// What the op says.
    pub fn answer(&self) -> String {
        let mut graph = Graph::new(ParameterTable::new());
        let src: Vec<ValueId> = self.types.iter().map(|ty| graph.input("x", ty.clone())).collect();
        (self.add)(&mut graph, &src).map_or_else(|error| error.to_string(), |_| "accepted".into())
    }
}
