//! The ONNX node of each op: attributes, and settings that ONNX has as inputs.

use super::super::proto::{AttributeProto, attribute_proto::AttributeType};
use super::super::tensors;
use nn::ops::*;
use nn::{AutoPad, Op, TensorType};
use std::any::Any;
use tensor::{DType, Tensor};

/// How an op is written.
pub(super) struct Form {
    pub op: &'static str,
    pub attributes: Vec<AttributeProto>,
    /// Inputs behind the sources; none is one that is left out.
    pub settings: Vec<Option<Tensor>>,
    /// How many outputs ONNX knows.
    pub outputs: usize,
}

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

impl Form {
    fn new(op: &'static str) -> Form {
        Form { op, attributes: Vec::new(), settings: Vec::new(), outputs: 1 }
    }

    fn float(mut self, name: &str, value: f32) -> Form {
        self.attributes
            .push(AttributeProto { f: Some(value), ..attribute(name, AttributeType::Float) });
        self
    }

    fn int(mut self, name: &str, value: i64) -> Form {
        self.attributes
            .push(AttributeProto { i: Some(value), ..attribute(name, AttributeType::Int) });
        self
    }

    fn flag(self, name: &str, value: bool) -> Form {
        self.int(name, value.into())
    }

    fn text(mut self, name: &str, value: &'static str) -> Form {
        let s = Some(bytes::Bytes::from_static(value.as_bytes()));
        self.attributes.push(AttributeProto { s, ..attribute(name, AttributeType::String) });
        self
    }

    /// Sizes; empty ones are left to ONNX's default.
    fn sizes(mut self, name: &str, values: &[usize]) -> Form {
        if !values.is_empty() {
            let ints = values.iter().map(|&value| value as i64).collect();
            self.attributes.push(AttributeProto { ints, ..attribute(name, AttributeType::Ints) });
        }
        self
    }

    /// Who decides about the padding, if it is not given.
    fn padding(self, auto_pad: AutoPad) -> Form {
        match auto_pad {
            AutoPad::NotSet => self,
            AutoPad::SameUpper => self.text("auto_pad", "SAME_UPPER"),
            AutoPad::SameLower => self.text("auto_pad", "SAME_LOWER"),
            AutoPad::Valid => self.text("auto_pad", "VALID"),
        }
    }

    fn outputs(mut self, outputs: usize) -> Form {
        self.outputs = outputs;
        self
    }

    fn setting(mut self, tensor: Tensor) -> Form {
        self.settings.push(Some(tensor));
        self
    }

    fn ints(self, values: &[i64]) -> Form {
        self.setting(Tensor::vector(values.to_vec()))
    }

    /// Axes as input; none if they are empty.
    fn axes(mut self, axes: &[i64]) -> Form {
        let tensor = (!axes.is_empty()).then(|| Tensor::vector(axes.to_vec()));
        self.settings.push(tensor);
        self
    }
}

fn attribute(name: &str, kind: AttributeType) -> AttributeProto {
    AttributeProto {
        name: Some(name.into()),
        r#type: Some(kind as i32),
        ..AttributeProto::default()
    }
}

fn int(value: usize) -> i64 {
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
        .or_else(|| moving(any))
        .or_else(|| index(any))
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
    } else {
        return None;
    })
}

fn moving(op: &dyn Any) -> Option<Form> {
    let sizes = |sizes: &[usize]| -> Vec<i64> { sizes.iter().map(|&size| size as i64).collect() };
    Some(if let Some(op) = op.downcast_ref::<Reshape>() {
        Form::new("Reshape").ints(&op.shape)
    } else if let Some(op) = op.downcast_ref::<Flatten>() {
        Form::new("Flatten").int("axis", int(op.axis))
    } else if let Some(op) = op.downcast_ref::<Concat>() {
        Form::new("Concat").int("axis", op.axis)
    } else if let Some(op) = op.downcast_ref::<Transpose>() {
        Form::new("Transpose").sizes("perm", &op.perm)
    } else if let Some(op) = op.downcast_ref::<Slice>() {
        Form::new("Slice").ints(&op.starts).ints(&op.ends).axes(&op.axes).axes(&op.steps)
    } else if let Some(op) = op.downcast_ref::<Expand>() {
        Form::new("Expand").ints(&sizes(&op.shape))
    } else if let Some(op) = op.downcast_ref::<Tile>() {
        Form::new("Tile").ints(&sizes(&op.repeats))
    } else if let Some(op) = op.downcast_ref::<Squeeze>() {
        Form::new("Squeeze").axes(&op.axes)
    } else if let Some(op) = op.downcast_ref::<Unsqueeze>() {
        Form::new("Unsqueeze").ints(&op.axes)
    } else if let Some(op) = op.downcast_ref::<Cast>() {
        Form::new("Cast").int("to", tensors::code(op.to).into())
    } else {
        return None;
    })
}

fn index(op: &dyn Any) -> Option<Form> {
    Some(if let Some(op) = op.downcast_ref::<Gather>() {
        Form::new("Gather").int("axis", op.axis)
    } else if let Some(op) = op.downcast_ref::<GatherElements>() {
        Form::new("GatherElements").int("axis", op.axis)
    } else if let Some(op) = op.downcast_ref::<GatherNd>() {
        Form::new("GatherND").int("batch_dims", int(op.batch_dims))
    } else if let Some(op) = op.downcast_ref::<TopK>() {
        let form = Form::new("TopK").int("axis", op.axis).flag("largest", op.largest);
        form.flag("sorted", op.sorted).ints(&[int(op.k)]).outputs(2)
    } else {
        return None;
    })
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
