//! Values of the enumerations and argument numbers, named as in `dnnl_types.h` without `dnnl_`.

use std::ffi::{c_int, c_uint};

macro_rules! constants {
    ($type:ty: $($name:ident = $value:literal, $doc:literal;)*) => {
        $(#[doc = $doc] pub const $name: $type = $value;)*
    };
}

constants! { c_int:
    SUCCESS = 0, "The call did what it should.";
    OUT_OF_MEMORY = 1, "The library could not allocate.";
    INVALID_ARGUMENTS = 2, "An argument is wrong or does not fit the others.";
    UNIMPLEMENTED = 3, "No implementation fits the request.";
    LAST_IMPL_REACHED = 4, "There is no further implementation.";
    RUNTIME_ERROR = 5, "The primitive stopped while it ran.";
    NOT_REQUIRED = 6, "The queried element is not needed.";

    ENGINE_KIND_CPU = 1, "Engine kind: CPU.";
    SCRATCHPAD_MODE_USER = 1, "The caller passes scratch memory at execution.";
    FORMAT_TAG_ANY = 1, "Layout left to the primitive.";
    FORMAT_KIND_ANY = 1, "Format kind: layout left to the primitive.";
    FORMAT_KIND_BLOCKED = 2, "Format kind: strides and inner blocks.";
    DATA_TYPE_UNDEF = 0, "No data type: that of the destination.";
    F16 = 1, "IEEE 16-bit float.";
    BF16 = 2, "bfloat16.";
    F32 = 3, "32-bit float.";
    S32 = 4, "32-bit signed integer.";
    S8 = 5, "8-bit signed integer.";
    U8 = 6, "8-bit unsigned integer.";

    FORWARD_TRAINING = 64, "Forward, keeping what backward needs.";
    FORWARD_INFERENCE = 96, "Forward only.";
    BACKWARD = 128, "Backward with respect to data and parameters.";
    BACKWARD_DATA = 160, "Backward with respect to data.";
}

constants! { c_int:
    CONVOLUTION_DIRECT = 1, "Direct convolution.";
    DECONVOLUTION_DIRECT = 10, "Direct transposed convolution.";
    POOLING_MAX = 511, "Maximum.";
    POOLING_AVG_INCLUDE_PADDING = 767, "Mean over the whole window.";
    POOLING_AVG_EXCLUDE_PADDING = 1023, "Mean over the part of the window inside the source.";
    LRN_ACROSS_CHANNELS = 2815, "Response normalization across channels.";
    LRN_WITHIN_CHANNEL = 3071, "Response normalization within a channel.";
    SOFTMAX_ACCURATE = 196_608, "Softmax that subtracts the maximum first.";
    SOFTMAX_LOG = 196_609, "Logarithm of softmax.";

    BINARY_ADD = 131_056, "a + b.";
    BINARY_MUL = 131_057, "a b.";
    BINARY_MAX = 131_058, "max(a, b).";
    BINARY_MIN = 131_059, "min(a, b).";
    BINARY_DIV = 131_060, "a / b.";
    BINARY_SUB = 131_061, "a - b.";
    BINARY_GE = 131_062, "a >= b.";
    BINARY_GT = 131_063, "a > b.";
    BINARY_LE = 131_064, "a <= b.";
    BINARY_LT = 131_065, "a < b.";
    BINARY_EQ = 131_066, "a = b.";
    BINARY_NE = 131_067, "a != b.";

    REDUCTION_MAX = 196_594, "Maximum.";
    REDUCTION_MIN = 196_595, "Minimum.";
    REDUCTION_SUM = 196_596, "Sum.";
    REDUCTION_MUL = 196_597, "Product.";
    REDUCTION_MEAN = 196_598, "Mean.";
    REDUCTION_NORM_LP_MAX = 196_599, "Lp norm, at least eps.";
    REDUCTION_NORM_LP_SUM = 196_600, "Lp norm, eps added.";
    REDUCTION_NORM_LP_POWER_P_MAX = 196_601, "Lp norm to the power p, at least eps.";
    REDUCTION_NORM_LP_POWER_P_SUM = 196_602, "Lp norm to the power p, eps added.";
}

constants! { c_int:
    ELTWISE_RELU = 32, "x > 0 ? x : alpha x.";
    ELTWISE_TANH = 33, "tanh x.";
    ELTWISE_ELU = 34, "x > 0 ? x : alpha (exp x - 1).";
    ELTWISE_SQUARE = 35, "x^2.";
    ELTWISE_ABS = 36, "|x|.";
    ELTWISE_SQRT = 37, "Square root.";
    ELTWISE_LINEAR = 38, "alpha x + beta.";
    ELTWISE_SOFT_RELU = 39, "ln(1 + exp(alpha x)) / alpha.";
    ELTWISE_HARDSIGMOID = 40, "max(0, min(1, alpha x + beta)).";
    ELTWISE_LOGISTIC = 41, "1 / (1 + exp(-x)).";
    ELTWISE_EXP = 42, "exp x.";
    ELTWISE_GELU_TANH = 43, "GELU by its tanh approximation.";
    ELTWISE_SWISH = 44, "x / (1 + exp(-alpha x)).";
    ELTWISE_LOG = 45, "ln x.";
    ELTWISE_CLIP = 46, "min(beta, max(alpha, x)); derivative 1 at beta.";
    ELTWISE_CLIP_V2 = 47, "min(beta, max(alpha, x)); derivative 0 at both ends.";
    ELTWISE_POW = 48, "alpha x^beta.";
    ELTWISE_GELU_ERF = 49, "x/2 (1 + erf(x / sqrt 2)).";
    ELTWISE_ROUND = 50, "To the nearest integer, ties to even.";
    ELTWISE_MISH = 51, "x tanh(ln(1 + exp x)).";
    ELTWISE_HARDSWISH = 52, "x hardsigmoid(x).";
    ELTWISE_RELU_USE_DST_FOR_BWD = 256, "As relu; backward reads dst.";
    ELTWISE_TANH_USE_DST_FOR_BWD = 257, "As tanh; backward reads dst.";
    ELTWISE_ELU_USE_DST_FOR_BWD = 258, "As elu; backward reads dst.";
    ELTWISE_SQRT_USE_DST_FOR_BWD = 259, "As sqrt; backward reads dst.";
    ELTWISE_LOGISTIC_USE_DST_FOR_BWD = 260, "As logistic; backward reads dst.";
    ELTWISE_EXP_USE_DST_FOR_BWD = 261, "As exp; backward reads dst.";
    ELTWISE_CLIP_V2_USE_DST_FOR_BWD = 262, "As clip_v2; backward reads dst.";
}

constants! { c_int:
    QUERY_NUM_OF_INPUTS_S32 = 3, "Number of arguments that are read.";
    QUERY_IMPL_INFO_STR = 8, "Name of the implementation.";
    QUERY_SRC_MD = 129, "Source.";
    QUERY_DIFF_SRC_MD = 130, "Gradient of the source.";
    QUERY_WEIGHTS_MD = 131, "Weights.";
    QUERY_DIFF_WEIGHTS_MD = 132, "Gradient of the weights.";
    QUERY_DST_MD = 133, "Destination.";
    QUERY_DIFF_DST_MD = 134, "Gradient of the destination.";
    QUERY_WORKSPACE_MD = 135, "What forward keeps for backward.";
    QUERY_SCRATCHPAD_MD = 136, "Scratch memory of one execution.";
    QUERY_EXEC_ARG_MD = 255, "Descriptor of an execution argument.";
    QUERY_NDIMS_S32 = 256, "Rank.";
    QUERY_DIMS = 257, "Sizes.";
    QUERY_DATA_TYPE = 258, "Data type.";
    QUERY_FORMAT_KIND = 262, "Format kind.";
    QUERY_INNER_NBLKS_S32 = 263, "Number of inner blocks.";
    QUERY_INNER_BLKS = 264, "Sizes of the inner blocks.";
    QUERY_INNER_IDXS = 265, "Dimensions of the inner blocks.";
    QUERY_STRIDES = 14, "Strides.";
}

constants! { c_int:
    ARG_SRC_0 = 1, "First source.";
    ARG_SRC_1 = 2, "Second source.";
    ARG_DST = 17, "Destination.";
    ARG_WEIGHTS = 33, "Weights.";
    ARG_BIAS = 41, "Bias.";
    ARG_MEAN = 49, "Mean.";
    ARG_VARIANCE = 50, "Variance.";
    ARG_SCALE = 51, "Scale.";
    ARG_SHIFT = 52, "Shift.";
    ARG_WORKSPACE = 64, "Workspace.";
    ARG_SCRATCHPAD = 80, "Scratchpad.";
    ARG_DIFF_SRC = 129, "Gradient of the source.";
    ARG_DIFF_DST = 145, "Gradient of the destination.";
    ARG_DIFF_WEIGHTS = 161, "Gradient of the weights.";
    ARG_DIFF_BIAS = 169, "Gradient of the bias.";
    ARG_DIFF_SCALE = 255, "Gradient of the scale.";
    ARG_DIFF_SHIFT = 256, "Gradient of the shift.";
    ARG_MULTIPLE_SRC = 1024, "Source i, added to i.";
    ARG_ATTR_MULTIPLE_POST_OP_BASE = 32_768, "Argument of post-op i, times i + 1.";
}

constants! { c_uint:
    STREAM_DEFAULT_FLAGS = 1, "In-order stream.";
    NORMALIZATION_FLAGS_NONE = 0, "Statistics computed; no scale, no shift.";
    USE_GLOBAL_STATS = 1, "Statistics are given.";
    USE_SCALE = 2, "Scale is given.";
    USE_SHIFT = 4, "Shift is given.";
    FUSE_NORM_RELU = 8, "ReLU follows; its mask is the workspace.";
    RUNTIME_SEQ = 1, "Built without threads.";
    RUNTIME_OMP = 2, "Built for OpenMP.";
}
