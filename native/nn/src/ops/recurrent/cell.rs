//! The cells of recurrent ops, and how much each has of everything.

use super::gate_activation::GateActivation;

/// The cell of a recurrent op.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cell {
    Rnn,
    Gru {
        linear_before_reset: bool,
    },
    /// Places of input, output, forget and cell gate among the four.
    Lstm {
        order: [usize; 4],
        input_forget: bool,
    },
}

impl Cell {
    /// Gates, which are so many times h rows of w and r.
    pub fn gates(self) -> usize {
        match self {
            Cell::Rnn => 1,
            Cell::Gru { .. } => 3,
            Cell::Lstm { .. } => 4,
        }
    }

    /// States that go from step to step.
    pub fn states(self) -> usize {
        match self {
            Cell::Rnn | Cell::Gru { .. } => 1,
            Cell::Lstm { .. } => 2,
        }
    }

    /// What backward reads of a row, in h: the gates after their activations; behind them the cell
    /// of an LSTM, or R h' + b' of a GRU whose reset gate works on that.
    pub fn kept(self) -> usize {
        match self {
            Cell::Rnn => 1,
            Cell::Gru { linear_before_reset } => 3 + usize::from(linear_before_reset),
            Cell::Lstm { .. } => 5,
        }
    }

    /// What backward gives of a row, in h: the gradients of W x + b; h'; and of a GRU the gradients
    /// of R h' + b', or r ⊙ h' where the reset gate works on h'.
    pub fn diffs(self) -> &'static [usize] {
        match self {
            Cell::Rnn => &[1, 1],
            Cell::Gru { linear_before_reset: true } => &[3, 1, 3],
            Cell::Gru { linear_before_reset: false } => &[3, 1, 1],
            Cell::Lstm { .. } => &[4, 1],
        }
    }

    /// The usual functions of a direction.
    pub fn activations(self) -> &'static [GateActivation] {
        use GateActivation::{Sigmoid, Tanh};
        match self {
            Cell::Rnn => &[Tanh],
            Cell::Gru { .. } => &[Sigmoid, Tanh],
            Cell::Lstm { .. } => &[Sigmoid, Tanh, Tanh],
        }
    }
}
