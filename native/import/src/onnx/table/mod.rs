//! Which op of ours a node is, by kind and opset: the conversion between opsets is done here.

mod arithmetic;
mod attention;
mod composites;
mod constants;
mod deform_conv;
mod elementwise;
mod images;
mod index;
mod linear;
mod logic;
mod losses;
mod moving;
mod normalization;
mod pooling;
mod quantized;
mod random;
mod recurrent;
mod reduce;
mod sequences;
mod shapes;
mod spectra;
mod windows;

use super::control;
use super::node::{Made, Node};
use tensor::{Element, Tensor, Wide, for_elements};

/// Builds a node.
pub(super) type Build = fn(&mut Node<'_, '_>) -> Made;

/// How nodes of a kind are built from one opset to another, both included.
pub(super) struct Row {
    op: &'static str,
    first: i64,
    last: i64,
    build: Build,
}

/// A row for all opsets from `first` on.
pub(super) const fn row(op: &'static str, first: i64, build: Build) -> Row {
    between(op, first, i64::MAX, build)
}

/// A row for the opsets from `first` to `last`.
pub(super) const fn between(op: &'static str, first: i64, last: i64, build: Build) -> Row {
    Row { op, first, last, build }
}

/// All rows, by family.
const ROWS: [&[Row]; 22] = [
    elementwise::ROWS,
    arithmetic::ROWS,
    logic::ROWS,
    linear::ROWS,
    pooling::ROWS,
    normalization::ROWS,
    composites::ROWS,
    losses::ROWS,
    shapes::ROWS,
    moving::ROWS,
    index::ROWS,
    reduce::ROWS,
    constants::ROWS,
    attention::ROWS,
    images::ROWS,
    quantized::ROWS,
    deform_conv::ROWS,
    random::ROWS,
    spectra::ROWS,
    recurrent::ROWS,
    sequences::ROWS,
    control::ROWS,
];

/// How nodes of this kind are built, if they are known.
pub(super) fn find(domain: &str, op: &str, version: i64) -> Option<Build> {
    if !domain.is_empty() {
        return None;
    }
    let fits = |row: &&Row| row.op == op && (row.first..=row.last).contains(&version);
    ROWS.iter().copied().flatten().find(fits).map(|row| row.build)
}

/// Element `i` of a tensor.
fn wide(tensor: &Tensor, i: usize) -> Option<Wide> {
    for_elements!(View, tensor.view(), elements => elements.get(i).map(|&element| element.wide()))
}
