//! The nodes of ops that move elements, or read them by position.

use super::super::tensors;
use super::form::Form;
use super::forms::int;
use nn::TensorType;
use nn::ops::*;
use std::any::Any;
use tensor::{DType, Element, Tensor, Wide, for_dtype};

/// Numbers as a tensor of some type.
fn wide(numbers: &[Wide], dtype: DType, dims: &[usize]) -> Option<Tensor> {
    for_dtype!(dtype, T => {
        let numbers: Vec<T> = numbers.iter().map(|&number| T::from_wide(number)).collect();
        Tensor::new(dims, numbers).ok()
    })
}

/// The node of an op that moves elements or reads them by position.
pub(super) fn of(op: &dyn Any, src: &[&TensorType]) -> Option<Form> {
    let dtype = src.first().map_or(DType::F32, |x| x.dtype);
    moving(op, dtype).or_else(|| scattering(op)).or_else(|| index(op))
}

fn moving(op: &dyn Any, dtype: DType) -> Option<Form> {
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
    } else if let Some(op) = op.downcast_ref::<Pad>() {
        let mode = match op.mode {
            PadMode::Constant => "constant",
            PadMode::Reflect => "reflect",
            PadMode::Edge => "edge",
            PadMode::Wrap => "wrap",
        };
        let form = Form::new("Pad").text("mode", mode).ints(&op.pads);
        let value = match op.mode {
            PadMode::Constant => form.setting(wide(&[op.value], dtype, &[])?),
            _ => form.absent(),
        };
        value.axes(&op.axes)
    } else if let Some(op) = op.downcast_ref::<Split>() {
        let form = Form::new("Split").int("axis", op.axis).outputs(usize::MAX);
        match op.split.is_empty() {
            true => form.int("num_outputs", int(op.num_outputs)),
            false => form.ints(&sizes(&op.split)),
        }
    } else if let Some(op) = op.downcast_ref::<CenterCropPad>() {
        let form = Form::new("CenterCropPad").ints(&sizes(&op.shape));
        if op.axes.is_empty() { form } else { form.integers("axes", &op.axes) }
    } else if let Some(op) = op.downcast_ref::<Col2Im>() {
        Form::new("Col2Im")
            .sizes("dilations", &op.dilations)
            .sizes("pads", &op.pads)
            .sizes("strides", &op.strides)
            .ints(&sizes(&op.image_shape))
            .ints(&sizes(&op.block_shape))
    } else if let Some(op) = op.downcast_ref::<DepthToSpace>() {
        let mode = if op.mode == DepthOrder::Crd { "CRD" } else { "DCR" };
        Form::new("DepthToSpace").int("blocksize", int(op.blocksize)).text("mode", mode)
    } else if let Some(op) = op.downcast_ref::<SpaceToDepth>() {
        Form::new("SpaceToDepth").int("blocksize", int(op.blocksize))
    } else if let Some(op) = op.downcast_ref::<Trilu>() {
        Form::new("Trilu").flag("upper", op.upper).setting(Tensor::scalar(op.k))
    } else if let Some(op) = op.downcast_ref::<ReverseSequence>() {
        let form = Form::new("ReverseSequence").int("batch_axis", int(op.batch_axis));
        form.int("time_axis", int(op.time_axis))
    } else if let Some(op) = op.downcast_ref::<Cast>() {
        Form::new("Cast").int("to", tensors::code(op.to).into())
    } else {
        return None;
    })
}

fn scattering(op: &dyn Any) -> Option<Form> {
    let reduction = |reduction| match reduction {
        ScatterReduction::None => "none",
        ScatterReduction::Add => "add",
        ScatterReduction::Mul => "mul",
        ScatterReduction::Min => "min",
        ScatterReduction::Max => "max",
    };
    Some(if let Some(op) = op.downcast_ref::<ScatterElements>() {
        let form = Form::new("ScatterElements").int("axis", op.axis);
        form.text("reduction", reduction(op.reduction))
    } else if let Some(op) = op.downcast_ref::<ScatterNd>().filter(|op| op.batch_dims == 0) {
        Form::new("ScatterND").text("reduction", reduction(op.reduction))
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
    } else if let Some(op) = op.downcast_ref::<ArgMax>() {
        Form::new("ArgMax")
            .int("axis", op.axis)
            .flag("keepdims", op.keepdims)
            .flag("select_last_index", op.select_last_index)
    } else if let Some(op) = op.downcast_ref::<ArgMin>() {
        Form::new("ArgMin")
            .int("axis", op.axis)
            .flag("keepdims", op.keepdims)
            .flag("select_last_index", op.select_last_index)
    } else if let Some(op) = op.downcast_ref::<CumSum>() {
        let form = Form::new("CumSum").flag("exclusive", op.exclusive).flag("reverse", op.reverse);
        form.setting(Tensor::scalar(op.axis))
    } else if let Some(op) = op.downcast_ref::<OneHot>() {
        let form = Form::new("OneHot").int("axis", op.axis);
        let values = wide(&[op.off, op.on], op.dtype, &[2])?;
        form.setting(Tensor::scalar(int(op.depth))).setting(values)
    } else if let Some(op) = op.downcast_ref::<IsInf>() {
        let form = Form::new("IsInf").flag("detect_negative", op.detect_negative);
        form.flag("detect_positive", op.detect_positive)
    } else if op.downcast_ref::<ShiftLeft>().is_some() {
        Form::new("BitShift").text("direction", "LEFT")
    } else if op.downcast_ref::<ShiftRight>().is_some() {
        Form::new("BitShift").text("direction", "RIGHT")
    } else if let Some(op) = op.downcast_ref::<Mod>() {
        Form::new("Mod").flag("fmod", op.fmod)
    } else if let Some(op) = op.downcast_ref::<TopK>() {
        let form = Form::new("TopK").int("axis", op.axis).flag("largest", op.largest);
        form.flag("sorted", op.sorted).ints(&[int(op.k)]).outputs(2)
    } else {
        return None;
    })
}
