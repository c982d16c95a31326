//! Ops that move, repeat and cut elements.

use super::super::Error;
use super::super::node::{Made, Node};
use super::constants::MOST_ELEMENTS;
use super::{Row, between, row};
use nn::ops::{
    CenterCropPad, Col2Im, DepthOrder, DepthToSpace, Expand, Pad, PadMode, SpaceToDepth, Tile,
    Trilu,
};
use tensor::Wide;

pub(super) const ROWS: &[Row] = &[
    row("Expand", 8, |n| {
        let shape = super::constants::sizes(n, 1)?;
        n.map_first(Expand { shape })
    }),
    row("Tile", 6, |n| {
        let repeats = super::constants::sizes(n, 1)?;
        n.map_first(Tile { repeats })
    }),
    between("Pad", 1, 1, |n| {
        let pads = n.ints("paddings").unwrap_or_default();
        pad(n, pads, vec![], Wide::Float(n.float("value").unwrap_or(0.0).into()))
    }),
    between("Pad", 2, 10, |n| {
        let pads = n.ints("pads").unwrap_or_default();
        pad(n, pads, vec![], Wide::Float(n.float("value").unwrap_or(0.0).into()))
    }),
    row("Pad", 11, |n| {
        let pads = n.known_ints(1)?;
        let zero = if n.src_type(0)?.dtype.is_float() { Wide::Float(0.0) } else { Wide::Int(0) };
        let value = if n.has(2) { super::wide(n.known(2)?, 0).unwrap_or(zero) } else { zero };
        let axes = if n.has(3) { n.known_ints(3)? } else { vec![] };
        pad(n, pads, axes, value)
    }),
    row("CenterCropPad", 18, |n| {
        let shape = super::constants::sizes(n, 1)?;
        let axes = n.ints("axes").unwrap_or_default();
        n.map_first(CenterCropPad { shape, axes })
    }),
    row("Col2Im", 18, |n| {
        let op = Col2Im {
            image_shape: super::constants::sizes(n, 1)?,
            block_shape: super::constants::sizes(n, 2)?,
            dilations: n.sizes("dilations")?.unwrap_or_default(),
            pads: n.sizes("pads")?.unwrap_or_default(),
            strides: n.sizes("strides")?.unwrap_or_default(),
        };
        n.map_first(op)
    }),
    row("DepthToSpace", 1, |n| {
        let mode = if n.text("mode")? == Some("CRD") { DepthOrder::Crd } else { DepthOrder::Dcr };
        let blocksize = block(n)?;
        n.map(DepthToSpace { blocksize, mode })
    }),
    row("SpaceToDepth", 1, |n| {
        let blocksize = block(n)?;
        n.map(SpaceToDepth { blocksize })
    }),
    row("Trilu", 14, |n| {
        let k = if n.has(1) { n.known_int(1)? } else { 0 };
        n.map_first(Trilu { upper: n.int("upper") != Some(0), k })
    }),
];

fn block(n: &Node<'_, '_>) -> Result<usize, Error> {
    let size = n.int("blocksize").and_then(|size| usize::try_from(size).ok());
    size.ok_or_else(|| n.fail("expected a blocksize"))
}

fn pad(n: &mut Node<'_, '_>, pads: Vec<i64>, axes: Vec<i64>, value: Wide) -> Made {
    let mode = match n.text("mode")?.unwrap_or("constant") {
        "constant" => PadMode::Constant,
        "reflect" => PadMode::Reflect,
        "edge" => PadMode::Edge,
        "wrap" => PadMode::Wrap,
        other => return Err(n.fail(format!("the mode {other} is not known"))),
    };
    // A border is at most as large as any tensor that a model may ask for by a few numbers.
    if let Some(pad) = pads.iter().find(|pad| pad.unsigned_abs() > MOST_ELEMENTS as u64) {
        return Err(n.fail(format!("expected pads up to {MOST_ELEMENTS}, got {pad}")));
    }
    n.map_first(Pad { pads, axes, mode, value })
}
