use crate::TensorType;
/// Why an op refuses its operands or settings; the graph adds which node it was.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum OpError {
    /// Operands or settings that do not fit each other.
    #[error("expected {expected}, got {got}. {remedy}")]
    Mismatch {
        /// What the op takes.
        expected: String,
        /// What it was given.
        got: String,
        /// What to do about it.
        remedy: String,
    },
    /// The shape of a result depends on the content of the operands, which is not known.
    #[error(
        "the shape of the result depends on values that are not known yet. Give them as constants"
    )]
    DependsOnData,
    /// An op without plain code for tensors of these types.
    #[error("has no code for operands of these types. Cast the inputs to f32 first")]
    NotEvaluated,
    /// Shapes or elements that do not fit.
    #[error(transparent)]
    Tensor(#[from] tensor::Error),
    /// A plan that was made for this op alone.
    #[error(transparent)]
    Plan(Box<Error>),
}

impl OpError {
    /// A mismatch: what was expected, what came, what to do.
    pub fn mismatch(
        expected: impl Into<String>,
        got: impl Into<String>,
        remedy: impl Into<String>,
    ) -> OpError {
        OpError::Mismatch { expected: expected.into(), got: got.into(), remedy: remedy.into() }
    }
}

/// What can go wrong when a graph is built, differentiated, compiled or run.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// An op refused its operands or settings.
    #[error("{op} \"{node}\": {source}")]
    Op {
        /// Kind of the op.
        op: &'static str,
        /// Name of the node.
        node: String,
        /// Its reason.
        source: OpError,
    },
    /// A gradient was asked of an op that has none.
    #[error("{op} \"{node}\": has no gradient. Freeze the weights below it or leave it out")]
    NotDifferentiable {
        /// Kind of the op.
        op: &'static str,
        /// Name of the node.
        node: String,
    },
    /// A parameter that the table does not hold.
    #[error("parameter \"{name}\" is not in the table of {count} parameters")]
    UnknownParameter {
        /// Name asked for.
        name: String,
        /// Number of parameters in the table.
        count: usize,
    },
    /// A parameter that is in the table already.
    #[error("parameter \"{name}\" is defined twice. Give the layers different names")]
    DuplicateParameter {
        /// The name.
        name: String,
    },
    /// Numbers handed to a plan that do not have the size it was compiled for.
    #[error("{what}: expected {expected} numbers, got {got}. Compile a plan for this shape")]
    Size {
        /// Which numbers.
        what: String,
        /// Count of the plan.
        expected: usize,
        /// Count given.
        got: usize,
    },
    /// A tensor of another type or shape than the plan was compiled for.
    #[error("{what}: expected {expected}, got {got}. Compile a plan for this type")]
    Type {
        /// Which tensor.
        what: String,
        /// Type of the plan.
        expected: TensorType,
        /// Type given.
        got: TensorType,
    },
    /// A plan that the prepared weights do not serve.
    #[error(
        "workspace: expected a plan that its weights were prepared for. Call Prepared::add first"
    )]
    ForeignPlan,
    /// oneDNN refused or failed.
    #[error("{node}: {source}")]
    Onednn {
        /// Node being compiled or run.
        node: String,
        /// The library's error.
        source: onednn::Error,
    },
    /// A precision for which there are no instructions here.
    #[error(
        "precision: expected a CPU with AVX-512 BF16 or AMX and oneDNN for {precision}, got {got}. \
         Use f32 on this machine"
    )]
    Precision {
        /// What was asked for.
        precision: crate::Precision,
        /// oneDNN's instruction set here, or that there is no oneDNN.
        got: String,
    },
    /// Memory could not be had.
    #[error(transparent)]
    Tensor(#[from] tensor::Error),
}

/// Error unless exactly `count` operands were given.
pub(crate) fn expect_operands<T>(
    src: &[T],
    count: std::ops::RangeInclusive<usize>,
) -> Result<(), OpError> {
    if count.contains(&src.len()) {
        return Ok(());
    }
    let expected = match (count.start(), count.end()) {
        (1, 1) => "1 operand".to_string(),
        (least, &usize::MAX) => format!("at least {least}"),
        (least, most) if least == most => format!("{most} operands"),
        (least, most) => format!("{least} to {most} operands"),
    };
    Err(OpError::mismatch(expected, src.len().to_string(), "Connect the missing inputs."))
}
