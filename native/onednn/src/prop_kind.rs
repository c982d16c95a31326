//! Direction of a primitive.

use onednn_sys::constants as c;

/// What a primitive computes, and for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PropKind {
    /// Forward, keeping what backward needs (workspace, statistics).
    ForwardTraining,
    /// Forward only.
    ForwardInference,
    /// Gradients of the data and of the parameters.
    Backward,
    /// Gradient of the data only.
    BackwardData,
}

impl PropKind {
    pub(crate) const fn raw(self) -> i32 {
        match self {
            PropKind::ForwardTraining => c::FORWARD_TRAINING,
            PropKind::ForwardInference => c::FORWARD_INFERENCE,
            PropKind::Backward => c::BACKWARD,
            PropKind::BackwardData => c::BACKWARD_DATA,
        }
    }
}
