//! Where the steps of the sequences of a batch are.

use crate::OpError;
use serde::{Deserialize, Serialize};
use tensor::Shape;

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
