//! The nodes of ops on images and signals.

use super::super::tensors;
use super::form::Form;
use super::forms::int;
use nn::ops::resize::{AspectRatio, Coordinates, Interpolation, Nearest};
use nn::ops::*;
use std::any::Any;
use tensor::Tensor;

/// The node of an op on images, or one that draws or transforms numbers.
pub(super) fn of(op: &dyn Any) -> Option<Form> {
    Some(if let Some(op) = op.downcast_ref::<Resize>() {
        resize(op)
    } else if let Some(op) = op.downcast_ref::<GridSample>() {
        let mode = match op.mode {
            GridMode::Linear => "linear",
            GridMode::Nearest => "nearest",
            GridMode::Cubic => "cubic",
        };
        let padding = match op.padding {
            GridPadding::Zeros => "zeros",
            GridPadding::Border => "border",
            GridPadding::Reflection => "reflection",
        };
        let form = Form::new("GridSample").text("mode", mode).text("padding_mode", padding);
        form.flag("align_corners", op.align_corners)
    } else if let Some(op) = op.downcast_ref::<AffineGrid>() {
        let size: Vec<i64> = op.size.iter().map(|&size| int(size)).collect();
        Form::new("AffineGrid").flag("align_corners", op.align_corners).ints(&size)
    } else if let Some(op) = op.downcast_ref::<RoiAlign>() {
        let coordinates = if op.half_pixel { "half_pixel" } else { "output_half_pixel" };
        Form::new("RoiAlign")
            .text("coordinate_transformation_mode", coordinates)
            .text("mode", if op.mode == RoiPooling::Max { "max" } else { "avg" })
            .int("output_height", int(op.output_height))
            .int("output_width", int(op.output_width))
            .int("sampling_ratio", int(op.sampling_ratio))
            .float("spatial_scale", op.spatial_scale)
    } else if let Some(op) = op.downcast_ref::<MaxRoiPool>() {
        let form = Form::new("MaxRoiPool").sizes("pooled_shape", &op.pooled_shape);
        form.float("spatial_scale", op.spatial_scale)
    } else if let Some(op) = op.downcast_ref::<Dft>() {
        let form = Form::new("DFT").flag("inverse", op.inverse).flag("onesided", op.onesided);
        let form = match op.length {
            Some(length) => form.setting(Tensor::scalar(int(length))),
            None => form.absent(),
        };
        form.setting(Tensor::scalar(op.axis))
    } else if let Some(op) = op.downcast_ref::<RandomUniform>() {
        Form::new("RandomUniform")
            .float("low", op.low)
            .float("high", op.high)
            .shape(&op.shape)
            .int("dtype", tensors::code(op.dtype).into())
    } else if let Some(op) = op.downcast_ref::<RandomNormal>() {
        Form::new("RandomNormal")
            .float("mean", op.mean)
            .float("scale", op.scale)
            .shape(&op.shape)
            .int("dtype", tensors::code(op.dtype).into())
    } else {
        return None;
    })
}

impl Form {
    /// Dimensions, which may be none.
    fn shape(self, dims: &[usize]) -> Form {
        let dims: Vec<i64> = dims.iter().map(|&dim| int(dim)).collect();
        self.integers("shape", &dims)
    }
}

fn resize(op: &Resize) -> Form {
    let mode = match op.mode {
        Interpolation::Nearest => "nearest",
        Interpolation::Linear => "linear",
        Interpolation::Cubic => "cubic",
    };
    let coordinates = match op.coordinates {
        Coordinates::HalfPixel => "half_pixel",
        Coordinates::HalfPixelSymmetric => "half_pixel_symmetric",
        Coordinates::PytorchHalfPixel => "pytorch_half_pixel",
        Coordinates::AlignCorners => "align_corners",
        Coordinates::Asymmetric => "asymmetric",
        Coordinates::TfCropAndResize => "tf_crop_and_resize",
    };
    let nearest = match op.nearest {
        Nearest::RoundPreferFloor => "round_prefer_floor",
        Nearest::RoundPreferCeil => "round_prefer_ceil",
        Nearest::Floor => "floor",
        Nearest::Ceil => "ceil",
    };
    let aspect_ratio = match op.aspect_ratio {
        AspectRatio::Stretch => "stretch",
        AspectRatio::NotLarger => "not_larger",
        AspectRatio::NotSmaller => "not_smaller",
    };
    let form = Form::new("Resize")
        .text("mode", mode)
        .text("coordinate_transformation_mode", coordinates)
        .text("nearest_mode", nearest)
        .float("cubic_coeff_a", op.cubic_coeff_a)
        .flag("exclude_outside", op.exclude_outside)
        .float("extrapolation_value", op.extrapolation_value)
        .flag("antialias", op.antialias)
        .text("keep_aspect_ratio_policy", aspect_ratio);
    let form = if op.axes.is_empty() { form } else { form.integers("axes", &op.axes) };
    let floats = |form: Form, numbers: &[f32]| match numbers {
        [] => form.absent(),
        numbers => form.setting(Tensor::vector(numbers.to_vec())),
    };
    floats(floats(form, &op.roi), &op.scales).axes(&op.sizes)
}
