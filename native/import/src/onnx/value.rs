use nn::ValueId;

/// What a name of a model stands for while its graph is built.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// A value of the graph.
    Tensor(ValueId),
    /// A sequence; its length is known.
    Sequence(Vec<ValueId>),
    /// An optional that is empty, or an output that was not made.
    Nothing,
}

impl From<ValueId> for Value {
    fn from(value: ValueId) -> Value {
        Value::Tensor(value)
    }
}

impl Value {
    /// What stands here for users of the model.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Tensor(_) => "a tensor",
            Value::Sequence(_) => "a sequence",
            Value::Nothing => "nothing",
        }
    }
}
