//! The ONNX node of each op: attributes, and settings that ONNX has as inputs.

use super::form::Form;
use super::{images, moves, recurrent};
use nn::ops::*;
use nn::{Op, TensorType};
use std::any::Any;
use tensor::{DType, Tensor};

/// Ops without settings that have ONNX's name.
const PLAIN: &[&str] = &[
    "Abs",
    "Acos",
    "Acosh",
    "Add",
    "And",
    "Asin",
    "Asinh",
    "Atan",
    "Atanh",
    "BitwiseAnd",
    "BitwiseNot",
    "BitwiseOr",
    "BitwiseXor",
    "Ceil",
    "Cos",
    "Cosh",
    "Det",
    "Div",
    "Equal",
    "Erf",
    "Exp",
    "Floor",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "Greater",
    "GreaterOrEqual",
    "HardSwish",
    "Identity",
    "IsNaN",
    "Less",
    "LessOrEqual",
    "Log",
    "MatMul",
    "Max",
    "Min",
    "Mish",
    "Mul",
    "Neg",
    "NonZero",
    "Not",
    "Or",
    "PRelu",
    "Pow",
    "Reciprocal",
    "Relu",
    "Round",
    "Sigmoid",
    "Sign",
    "Sin",
    "Sinh",
    "Softplus",
    "Softsign",
    "Sqrt",
    "Sub",
    "Tan",
    "Tanh",
    "Where",
    "Xor",
];

pub(super) fn int(value: usize) -> i64 {
    value as i64
}

/// The node of an op on sources of these types, or why there is none.
pub(super) fn of(op: &dyn Op, src: &[&TensorType]) -> Result<Form, String> {
    let any: &dyn Any = op;
    if let Some(plain) = PLAIN.iter().copied().find(|&name| name == op.name()) {
        return Ok(Form::new(plain));
    }
    let found = activation(any)
        .or_else(|| layer(any))
        .or_else(|| normalization(any))
        .or_else(|| loss(any))
        .or_else(|| images::of(any))
        .or_else(|| recurrent::of(any, src))
        .or_else(|| moves::of(any, src))
        .or_else(|| reduction(any))
        .or_else(|| limit(any, src));
    found.ok_or_else(|| "write another op".into())
}

fn activation(op: &dyn Any) -> Option<Form> {
    Some(if let Some(op) = op.downcast_ref::<LeakyRelu>() {
        Form::new("LeakyRelu").float("alpha", op.alpha)
    } else if let Some(op) = op.downcast_ref::<Elu>() {
        Form::new("Elu").float("alpha", op.alpha)
    } else if let Some(op) = op.downcast_ref::<Celu>() {
        Form::new("Celu").float("alpha", op.alpha)
    } else if let Some(op) = op.downcast_ref::<Selu>() {
        Form::new("Selu").float("alpha", op.alpha).float("gamma", op.gamma)
    } else if let Some(op) = op.downcast_ref::<ThresholdedRelu>() {
        Form::new("ThresholdedRelu").float("alpha", op.alpha)
    } else if let Some(op) = op.downcast_ref::<HardSigmoid>() {
        Form::new("HardSigmoid").float("alpha", op.alpha).float("beta", op.beta)
    } else if let Some(op) = op.downcast_ref::<Shrink>() {
        Form::new("Shrink").float("lambd", op.lambd).float("bias", op.bias)
    } else if let Some(op) = op.downcast_ref::<Gelu>() {
        Form::new("Gelu").text("approximate", if op.tanh { "tanh" } else { "none" })
    } else if let Some(op) = op.downcast_ref::<Softmax>() {
        Form::new("Softmax").int("axis", op.axis)
    } else if let Some(op) = op.downcast_ref::<LogSoftmax>() {
        Form::new("LogSoftmax").int("axis", op.axis)
    } else if let Some(op) = op.downcast_ref::<Dropout>() {
        // In inference it passes through; training is not what is written here.
        return (!op.training).then(|| Form::new("Identity"));
    } else {
        return None;
    })
}

fn layer(op: &dyn Any) -> Option<Form> {
    Some(if let Some(op) = op.downcast_ref::<Conv>() {
        Form::new("Conv")
            .sizes("kernel_shape", &op.kernel_shape)
            .sizes("strides", &op.strides)
            .sizes("pads", &op.pads)
            .sizes("dilations", &op.dilations)
            .padding(op.auto_pad)
            .int("group", int(op.group))
    } else if let Some(op) = op.downcast_ref::<MaxPool>() {
        Form::new("MaxPool")
            .sizes("kernel_shape", &op.kernel_shape)
            .sizes("strides", &op.strides)
            .sizes("pads", &op.pads)
            .sizes("dilations", &op.dilations)
            .padding(op.auto_pad)
            .flag("ceil_mode", op.ceil_mode)
            .flag("storage_order", op.column_major)
            .outputs(1 + usize::from(op.indices))
    } else if let Some(op) = op.downcast_ref::<AveragePool>() {
        Form::new("AveragePool")
            .sizes("kernel_shape", &op.kernel_shape)
            .sizes("strides", &op.strides)
            .sizes("pads", &op.pads)
            .sizes("dilations", &op.dilations)
            .padding(op.auto_pad)
            .flag("ceil_mode", op.ceil_mode)
            .flag("count_include_pad", op.count_include_pad)
    } else if let Some(op) = op.downcast_ref::<ConvTranspose>() {
        Form::new("ConvTranspose")
            .sizes("kernel_shape", &op.kernel_shape)
            .sizes("strides", &op.strides)
            .sizes("pads", &op.pads)
            .sizes("dilations", &op.dilations)
            .sizes("output_padding", &op.output_padding)
            .sizes("output_shape", &op.output_shape)
            .padding(op.auto_pad)
            .int("group", int(op.group))
    } else if let Some(op) = op.downcast_ref::<LpPool>() {
        Form::new("LpPool")
            .int("p", op.p.into())
            .sizes("kernel_shape", &op.kernel_shape)
            .sizes("strides", &op.strides)
            .sizes("pads", &op.pads)
            .sizes("dilations", &op.dilations)
            .padding(op.auto_pad)
            .flag("ceil_mode", op.ceil_mode)
    } else if let Some(op) = op.downcast_ref::<GlobalLpPool>() {
        Form::new("GlobalLpPool").int("p", op.p.into())
    } else if let Some(op) = op.downcast_ref::<MaxUnpool>() {
        let form = Form::new("MaxUnpool")
            .sizes("kernel_shape", &op.kernel_shape)
            .sizes("strides", &op.strides)
            .sizes("pads", &op.pads);
        let shape: Vec<i64> = op.output_shape.iter().map(|&dim| int(dim)).collect();
        if shape.is_empty() { form } else { form.ints(&shape) }
    } else if let Some(op) = op.downcast_ref::<Gemm>() {
        Form::new("Gemm")
            .flag("transA", op.trans_a)
            .flag("transB", op.trans_b)
            .float("alpha", op.alpha)
            .float("beta", op.beta)
    } else if let Some(op) = op.downcast_ref::<BatchNormalization>() {
        if op.training {
            return None;
        }
        Form::new("BatchNormalization").float("epsilon", op.epsilon).float("momentum", op.momentum)
    } else {
        return None;
    })
}

fn normalization(op: &dyn Any) -> Option<Form> {
    Some(if let Some(op) = op.downcast_ref::<LayerNormalization>() {
        Form::new("LayerNormalization").int("axis", op.axis).float("epsilon", op.epsilon).outputs(3)
    } else if let Some(op) = op.downcast_ref::<InstanceNormalization>() {
        Form::new("InstanceNormalization").float("epsilon", op.epsilon)
    } else if let Some(op) = op.downcast_ref::<GroupNormalization>() {
        let form = Form::new("GroupNormalization").float("epsilon", op.epsilon);
        form.int("num_groups", int(op.num_groups))
    } else if let Some(op) = op.downcast_ref::<LpNormalization>() {
        Form::new("LpNormalization").int("axis", op.axis).int("p", op.p.into())
    } else if let Some(op) = op.downcast_ref::<LRN>() {
        Form::new("LRN")
            .int("size", int(op.size))
            .float("alpha", op.alpha)
            .float("beta", op.beta)
            .float("bias", op.bias)
    } else if let Some(op) = op.downcast_ref::<Hardmax>() {
        Form::new("Hardmax").int("axis", op.axis)
    } else if let Some(op) = op.downcast_ref::<MeanVarianceNormalization>() {
        Form::new("MeanVarianceNormalization").integers("axes", &op.axes)
    } else {
        return None;
    })
}

fn loss(op: &dyn Any) -> Option<Form> {
    use negative_log_likelihood_loss::Reduction;
    let form = |name, reduction, ignore: Option<i64>| {
        let form = Form::new(name).text(
            "reduction",
            match reduction {
                Reduction::None => "none",
                Reduction::Sum => "sum",
                Reduction::Mean => "mean",
            },
        );
        match ignore {
            Some(class) => form.int("ignore_index", class),
            None => form,
        }
    };
    if let Some(op) = op.downcast_ref::<NegativeLogLikelihoodLoss>() {
        return Some(form("NegativeLogLikelihoodLoss", op.reduction, op.ignore_index));
    }
    let op = op.downcast_ref::<SoftmaxCrossEntropyLoss>()?;
    Some(form("SoftmaxCrossEntropyLoss", op.reduction, op.ignore_index).outputs(2))
}

fn reduction(op: &dyn Any) -> Option<Form> {
    macro_rules! reduce {
        ($($op:ident),*) => {
            $(if let Some(op) = op.downcast_ref::<$op>() {
                let form = Form::new(stringify!($op)).flag("keepdims", op.keepdims);
                return Some(
                    form.flag("noop_with_empty_axes", op.noop_with_empty_axes).axes(&op.axes),
                );
            })*
        };
    }
    reduce!(
        ReduceL1,
        ReduceL2,
        ReduceLogSum,
        ReduceLogSumExp,
        ReduceMax,
        ReduceMean,
        ReduceMin,
        ReduceProd,
        ReduceSum,
        ReduceSumSquare
    );
    None
}

/// Limits have the type of what they limit.
fn limit(op: &dyn Any, src: &[&TensorType]) -> Option<Form> {
    let op = op.downcast_ref::<Clip>()?;
    let dtype = src.first().map_or(DType::F32, |x| x.dtype);
    let mut form = Form::new("Clip");
    for limit in [op.min, op.max] {
        form.settings.push(limit.map(|limit| Tensor::scalar(limit).cast(dtype)));
    }
    Some(form)
}
