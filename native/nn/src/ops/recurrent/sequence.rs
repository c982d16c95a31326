//! Where the steps of the sequences of a batch are.

use crate::OpError;
use serde::{Deserialize, Serialize};
use std::ops::Range;
use tensor::Shape;
use tensor::gemm::{Matrix, gemm_rows};

/// In which direction a recurrent op goes through its sequences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the first step on.
    #[default]
    Forward,
    /// From the last step back.
    Reverse,
    /// Both, with weights of their own; results side by side.
    Bidirectional,
}

impl Direction {
    /// For each direction: does it go backwards?
    pub(super) fn reversed(self) -> &'static [bool] {
        match self {
            Direction::Forward => &[false],
            Direction::Reverse => &[true],
            Direction::Bidirectional => &[false, true],
        }
    }
}

/// Sizes of a recurrent op, and where its rows are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sequence {
    pub steps: usize,
    pub batch: usize,
    pub inputs: usize,
    pub hidden: usize,
    pub directions: usize,
    /// The batch is the first dimension.
    pub batch_first: bool,
}

impl Sequence {
    /// Sizes of x \[steps, batch, inputs\] (or batch first) and r \[directions, gates·h, h\].
    pub fn new(x: &Shape, r: &Shape, batch_first: bool, directions: usize) -> Option<Sequence> {
        let (&[a, b, inputs], &[d, _, hidden]) = (x.dims(), r.dims()) else { return None };
        let (steps, batch) = if batch_first { (b, a) } else { (a, b) };
        let sizes = Sequence { steps, batch, inputs, hidden, directions, batch_first };
        (d == directions).then_some(sizes)
    }

    /// Shape of all results, step by step.
    pub fn y(&self) -> Shape {
        let Sequence { steps, batch, hidden, directions, .. } = *self;
        if self.batch_first {
            Shape::new(&[batch, steps, directions, hidden])
        } else {
            Shape::new(&[steps, directions, batch, hidden])
        }
    }

    /// Shape of a state, such as the last result.
    pub fn state(&self) -> Shape {
        let Sequence { batch, hidden, directions, .. } = *self;
        if self.batch_first {
            Shape::new(&[batch, directions, hidden])
        } else {
            Shape::new(&[directions, batch, hidden])
        }
    }

    /// Rows of x between one step and the next, and between one sample and the next.
    pub fn row_strides(&self) -> (usize, usize) {
        if self.batch_first { (1, self.steps) } else { (self.batch, 1) }
    }

    /// The rows of x of a step.
    pub fn rows(&self, step: usize) -> Rows {
        let (per_step, apart) = self.row_strides();
        Rows { first: step * per_step, apart, batch: self.batch }
    }

    /// Where the results of a step and direction begin in y, and how far its samples are apart.
    pub fn y_rows(&self, step: usize, direction: usize) -> (usize, usize) {
        let Sequence { steps, batch, hidden: h, directions, .. } = *self;
        if self.batch_first {
            ((step * directions + direction) * h, steps * directions * h)
        } else {
            ((step * directions + direction) * batch * h, h)
        }
    }

    /// Where the rows of a direction begin in a state, and how far its samples are apart.
    pub fn state_rows(&self, direction: usize) -> (usize, usize) {
        let Sequence { batch, hidden: h, directions, .. } = *self;
        if self.batch_first { (direction * h, directions * h) } else { (direction * batch * h, h) }
    }

    /// The steps in the order in which a direction goes through them.
    pub fn order(&self, reversed: bool) -> impl DoubleEndedIterator<Item = usize> + use<> {
        let steps = self.steps;
        (0..steps).map(move |n| if reversed { steps - 1 - n } else { n })
    }
}

/// The samples of a step among the rows of x, and of whatever has a row for each of those.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows {
    pub first: usize,
    /// Rows from one sample to the next.
    pub apart: usize,
    pub batch: usize,
}

impl Rows {
    /// Where a sample's row of so many numbers is.
    pub fn of(&self, sample: usize, width: usize) -> Range<usize> {
        let begin = (self.first + sample * self.apart) * width;
        begin..begin + width
    }

    /// Some columns of the samples in rows of so many numbers.
    pub fn matrix<'a>(&self, data: &'a [f32], width: usize, columns: Range<usize>) -> Matrix<'a> {
        let data = &data[self.first * width + columns.start..];
        Matrix { row_stride: self.apart * width, ..Matrix::new(data, self.batch, columns.len()) }
    }

    /// Adds a · b to the samples, from a column on, in rows of so many numbers.
    pub fn add_product(
        &self,
        [a, b]: [Matrix<'_>; 2],
        data: &mut [f32],
        width: usize,
        column: usize,
    ) {
        let data = &mut data[self.first * width + column..];
        gemm_rows(1.0, a, b, 1.0, data, self.apart * width);
    }
}

/// The error of operands that are not those of a recurrent op.
pub(super) fn mismatch(gates: usize, direction: Direction, src: &[&Shape]) -> OpError {
    let got: Vec<String> = src.iter().map(|shape| shape.to_string()).collect();
    let d = direction.reversed().len();
    OpError::mismatch(
        format!(
            "x [steps, batch, inputs], w [{d}, {gates}·hidden, inputs], r [{d}, {gates}·hidden, \
             hidden], b [{d}, {}·hidden] and states [{d}, batch, hidden] (or batch first)",
            2 * gates
        ),
        got.join(", "),
        "Match the weights to the input and the direction.",
    )
}
