//! Images: resized, read at given places, cut into regions, and boxes in them.

use super::super::Error;
use super::super::node::{Made, Node};
use super::{Row, between, row};
use nn::ops::resize::{AspectRatio, Coordinates, Interpolation, Nearest};
use nn::ops::{
    AffineGrid, GridMode, GridPadding, GridSample, MaxRoiPool, NonMaxSuppression, Resize, RoiAlign,
    RoiPooling,
};

pub(super) const ROWS: &[Row] = &[
    between("Upsample", 7, 8, |n| {
        let scales = n.floats("scales").unwrap_or_default();
        scaled(n, scales)
    }),
    between("Upsample", 9, 9, |n| {
        let scales = floats(n, 1)?;
        scaled(n, scales)
    }),
    between("Resize", 10, 10, |n| {
        let scales = floats(n, 1)?;
        scaled(n, scales)
    }),
    row("Resize", 11, resize),
    row("GridSample", 16, |n| {
        let mode = match n.text("mode")?.unwrap_or("linear") {
            "linear" | "bilinear" => GridMode::Linear,
            "nearest" => GridMode::Nearest,
            "cubic" | "bicubic" => GridMode::Cubic,
            other => return Err(n.fail(format!("the mode {other} is not known"))),
        };
        let padding = match n.text("padding_mode")?.unwrap_or("zeros") {
            "zeros" => GridPadding::Zeros,
            "border" => GridPadding::Border,
            "reflection" => GridPadding::Reflection,
            other => return Err(n.fail(format!("the padding mode {other} is not known"))),
        };
        n.map(GridSample { mode, padding, align_corners: n.flag("align_corners") })
    }),
    row("AffineGrid", 20, |n| {
        let size = super::constants::sizes(n, 1)?;
        n.map_first(AffineGrid { size, align_corners: n.flag("align_corners") })
    }),
    between("RoiAlign", 10, 15, |n| roi_align(n, "output_half_pixel")),
    row("RoiAlign", 16, |n| roi_align(n, "half_pixel")),
    row("MaxRoiPool", 1, |n| {
        let shape = super::windows::list(n, "pooled_shape", 2, vec![])?;
        let spatial_scale = n.float("spatial_scale").unwrap_or(1.0);
        n.map(MaxRoiPool { pooled_shape: [shape[0], shape[1]], spatial_scale })
    }),
    row("NonMaxSuppression", 10, |n| {
        let number = |i| if n.has(i) { n.known_float(i).map(Some) } else { Ok(None) };
        let op = NonMaxSuppression {
            center_point_box: n.flag("center_point_box"),
            max_output_boxes_per_class: if n.has(2) { n.known_int(2)? } else { 0 },
            iou_threshold: number(3)?.unwrap_or(0.0) as f32,
            score_threshold: number(4)?.map(|score| score as f32),
        };
        let src = [n.input(0)?, n.input(1)?];
        Ok(n.add(op, &src)?.into_iter().map(Into::into).collect())
    }),
];

fn floats(n: &Node<'_, '_>, i: usize) -> Result<Vec<f32>, Error> {
    Ok(n.known_floats(i)?.into_iter().map(|number| number as f32).collect())
}

fn interpolation(n: &Node<'_, '_>) -> Result<Interpolation, Error> {
    Ok(match n.text("mode")?.unwrap_or("nearest") {
        "nearest" => Interpolation::Nearest,
        "linear" => Interpolation::Linear,
        "cubic" => Interpolation::Cubic,
        other => return Err(n.fail(format!("the mode {other} is not known"))),
    })
}

/// Opsets before 11: a dimension that grows takes the neighbour before, one that shrinks the one
/// behind.
fn scaled(n: &mut Node<'_, '_>, scales: Vec<f32>) -> Made {
    let op = Resize {
        mode: interpolation(n)?,
        coordinates: Coordinates::Asymmetric,
        nearest: Nearest::Floor,
        ..Resize::default()
    };
    let x = n.input(0)?;
    if scales.len() != n.rank(0)? {
        return Err(n.fail(format!("expected a scale for each dimension, got {scales:?}")));
    }
    let growing = scales.iter().map(|scale| scale.max(1.0)).collect();
    let grown = n.one(Resize { scales: growing, ..op.clone() }, &[x])?;
    if scales.iter().all(|&scale| scale >= 1.0) {
        return Ok(vec![grown.into()]);
    }
    let shrinking = scales.iter().map(|scale| scale.min(1.0)).collect();
    let op = Resize { scales: shrinking, nearest: Nearest::Ceil, ..op };
    Ok(vec![n.one(op, &[grown])?.into()])
}

fn resize(n: &mut Node<'_, '_>) -> Made {
    let coordinates = match n.text("coordinate_transformation_mode")?.unwrap_or("half_pixel") {
        "half_pixel" => Coordinates::HalfPixel,
        "half_pixel_symmetric" => Coordinates::HalfPixelSymmetric,
        "pytorch_half_pixel" => Coordinates::PytorchHalfPixel,
        "align_corners" => Coordinates::AlignCorners,
        "asymmetric" => Coordinates::Asymmetric,
        "tf_crop_and_resize" => Coordinates::TfCropAndResize,
        other => return Err(n.fail(format!("the coordinates {other} are not supported"))),
    };
    let nearest = match n.text("nearest_mode")?.unwrap_or("round_prefer_floor") {
        "round_prefer_floor" => Nearest::RoundPreferFloor,
        "round_prefer_ceil" => Nearest::RoundPreferCeil,
        "floor" => Nearest::Floor,
        "ceil" => Nearest::Ceil,
        other => return Err(n.fail(format!("the nearest mode {other} is not known"))),
    };
    let aspect_ratio = match n.text("keep_aspect_ratio_policy")?.unwrap_or("stretch") {
        "stretch" => AspectRatio::Stretch,
        "not_larger" => AspectRatio::NotLarger,
        "not_smaller" => AspectRatio::NotSmaller,
        other => return Err(n.fail(format!("the policy {other} is not known"))),
    };
    let optional = |i| if n.has(i) { floats(n, i) } else { Ok(vec![]) };
    // Of scales and sizes one is absent or empty. Only crops read the roi.
    let roi = if coordinates == Coordinates::TfCropAndResize { optional(1)? } else { vec![] };
    let scales = optional(2)?;
    let sizes = if n.has(3) { n.known_ints(3)? } else { vec![] };
    let op = Resize {
        mode: interpolation(n)?,
        coordinates,
        nearest,
        cubic_coeff_a: n.float("cubic_coeff_a").unwrap_or(-0.75),
        exclude_outside: n.flag("exclude_outside"),
        extrapolation_value: n.float("extrapolation_value").unwrap_or(0.0),
        antialias: n.flag("antialias"),
        axes: n.ints("axes").unwrap_or_default(),
        aspect_ratio,
        scales,
        sizes,
        roi,
    };
    n.map_first(op)
}

fn roi_align(n: &mut Node<'_, '_>, coordinates: &str) -> Made {
    let mode = match n.text("mode")?.unwrap_or("avg") {
        "avg" => RoiPooling::Avg,
        "max" => RoiPooling::Max,
        other => return Err(n.fail(format!("the mode {other} is not known"))),
    };
    let coordinates = n.text("coordinate_transformation_mode")?.unwrap_or(coordinates);
    let size = |name: &str, default: i64| {
        let size = usize::try_from(n.int(name).unwrap_or(default)).ok();
        size.filter(|&size| size <= 1 << 16).ok_or_else(|| n.fail(format!("{name} is no size")))
    };
    let op = RoiAlign {
        half_pixel: coordinates == "half_pixel",
        mode,
        output_height: size("output_height", 1)?,
        output_width: size("output_width", 1)?,
        sampling_ratio: size("sampling_ratio", 0)?,
        spatial_scale: n.float("spatial_scale").unwrap_or(1.0),
    };
    n.map(op)
}
