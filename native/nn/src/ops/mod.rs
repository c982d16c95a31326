//! The ops, one file each: settings, shapes, gradient, cost, oneDNN primitive, plain kernel.

mod activation;
mod arithmetic;
mod average_pool;
mod axis_map;
mod batch_normalization;
mod binary;
mod cast;
mod center_crop_pad;
mod clip;
mod col2im;
mod comparison;
mod concat;
mod conv;
mod cum_sum;
mod depth_to_space;
mod dropout;
mod elementary;
mod expand;
mod fill;
mod flatten;
mod gather;
mod gather_nd;
mod gemm;
mod log_softmax;
mod matmul;
mod max_pool;
mod mean_squared_error;
mod non_zero;
mod nonlinearity;
mod one_hot;
mod pad;
mod pairs;
mod places;
mod pool;
mod predicates;
mod reduce;
mod reshape;
mod reverse_sequence;
mod scatter;
mod shape;
mod slice;
mod softmax;
mod softmax_cross_entropy;
mod split;
mod squeeze;
mod sum_to;
mod tensor_scatter;
mod tile;
mod top_k;
mod transpose;
mod trigonometric;
mod trilu;
mod unary;
mod view;
mod where_op;
mod window;

pub(crate) use activation::ActivationBackward;
pub use activation::{Relu, Sigmoid, Tanh};
pub use arithmetic::{Div, Max, Min, Mod, PRelu, Pow, Sub};
pub use average_pool::AveragePool;
pub use batch_normalization::BatchNormalization;
pub(crate) use batch_normalization::{BatchNormalizationBackward, BatchNormalizationRelu};
pub use binary::{Add, Mul};
pub use cast::Cast;
pub use center_crop_pad::CenterCropPad;
pub use clip::Clip;
pub use col2im::Col2Im;
pub use comparison::{
    And, BitwiseAnd, BitwiseOr, BitwiseXor, Equal, Greater, GreaterOrEqual, Less, LessOrEqual, Or,
    ShiftLeft, ShiftRight, Xor,
};
pub use concat::Concat;
pub use conv::Conv;
pub use cum_sum::CumSum;
pub use depth_to_space::{DepthOrder, DepthToSpace, SpaceToDepth};
pub use dropout::Dropout;
pub use elementary::{Abs, Ceil, Erf, Exp, Floor, Log, Neg, Reciprocal, Round, Sign, Sqrt};
pub use expand::Expand;
pub use fill::{ConstantOfShape, EyeLike, Range};
pub use flatten::Flatten;
pub use gather::Gather;
pub use gather_nd::{GatherElements, GatherNd};
pub use gemm::Gemm;
pub use log_softmax::LogSoftmax;
pub use matmul::MatMul;
pub use max_pool::MaxPool;
pub use mean_squared_error::MeanSquaredError;
pub use non_zero::{Compress, NonZero, Unique};
pub use nonlinearity::{
    Celu, Elu, Gelu, HardSigmoid, HardSwish, LeakyRelu, Mish, Selu, Shrink, Softplus, Softsign,
    Swish, ThresholdedRelu,
};
pub use one_hot::OneHot;
pub use pad::{Pad, PadMode};
pub use predicates::{BitwiseNot, IsInf, IsNaN, Not};
pub use reduce::{
    ReduceL1, ReduceL2, ReduceLogSum, ReduceLogSumExp, ReduceMax, ReduceMean, ReduceMin,
    ReduceProd, ReduceSum, ReduceSumSquare,
};
pub use reshape::Reshape;
pub use reverse_sequence::ReverseSequence;
pub use scatter::{ScatterElements, ScatterNd, ScatterReduction};
pub use shape::{Shape, Size};
pub use slice::Slice;
pub use softmax::Softmax;
pub use softmax_cross_entropy::SoftmaxCrossEntropy;
pub use split::Split;
pub use squeeze::{Identity, Squeeze, Unsqueeze};
pub use tensor_scatter::TensorScatter;
pub use tile::Tile;
pub use top_k::{ArgMax, ArgMin, TopK};
pub use transpose::Transpose;
pub use trigonometric::{Acos, Acosh, Asin, Asinh, Atan, Atanh, Cos, Cosh, Sin, Sinh, Tan};
pub use trilu::Trilu;
pub use where_op::Where;
