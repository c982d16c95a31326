//! A node of ONNX before it has names.

use super::super::proto::{AttributeProto, attribute_proto::AttributeType};
use nn::AutoPad;
use tensor::Tensor;

/// How an op is written.
pub(super) struct Form {
    pub op: &'static str,
    pub attributes: Vec<AttributeProto>,
    /// Number of the source that each input is; none is one that is left out. Empty takes all
    /// sources in their order.
    pub inputs: Vec<Option<usize>>,
    /// Inputs behind the sources; none is one that is left out.
    pub settings: Vec<Option<Tensor>>,
    /// How many outputs ONNX knows.
    pub outputs: usize,
    /// Nodes that change a source (by number) before this one takes it.
    pub before: Vec<(usize, Form)>,
    /// Nodes that change an output (by number) of this one.
    pub after: Vec<(usize, Form)>,
}

impl Form {
    pub fn new(op: &'static str) -> Form {
        Form {
            op,
            attributes: Vec::new(),
            inputs: Vec::new(),
            settings: Vec::new(),
            outputs: 1,
            before: Vec::new(),
            after: Vec::new(),
        }
    }

    pub fn float(mut self, name: &str, value: f32) -> Form {
        self.attributes
            .push(AttributeProto { f: Some(value), ..attribute(name, AttributeType::Float) });
        self
    }

    pub fn int(mut self, name: &str, value: i64) -> Form {
        self.attributes
            .push(AttributeProto { i: Some(value), ..attribute(name, AttributeType::Int) });
        self
    }

    pub fn flag(self, name: &str, value: bool) -> Form {
        self.int(name, value.into())
    }

    pub fn text(mut self, name: &str, value: &str) -> Form {
        let s = Some(bytes::Bytes::copy_from_slice(value.as_bytes()));
        self.attributes.push(AttributeProto { s, ..attribute(name, AttributeType::String) });
        self
    }

    /// Sizes; empty ones are left to ONNX's default.
    pub fn sizes(mut self, name: &str, values: &[usize]) -> Form {
        if !values.is_empty() {
            let ints = values.iter().map(|&value| value as i64).collect();
            self.attributes.push(AttributeProto { ints, ..attribute(name, AttributeType::Ints) });
        }
        self
    }

    /// Integers.
    pub fn integers(mut self, name: &str, values: &[i64]) -> Form {
        let ints = values.to_vec();
        self.attributes.push(AttributeProto { ints, ..attribute(name, AttributeType::Ints) });
        self
    }

    /// Floats.
    pub fn floats(mut self, name: &str, values: Vec<f32>) -> Form {
        let floats = values;
        self.attributes.push(AttributeProto { floats, ..attribute(name, AttributeType::Floats) });
        self
    }

    /// Texts.
    pub fn texts(mut self, name: &str, values: &[&str]) -> Form {
        let strings = values.iter().map(|v| bytes::Bytes::copy_from_slice(v.as_bytes())).collect();
        self.attributes.push(AttributeProto { strings, ..attribute(name, AttributeType::Strings) });
        self
    }

    /// Who decides about the padding, if it is not given.
    pub fn padding(self, auto_pad: AutoPad) -> Form {
        match auto_pad {
            AutoPad::NotSet => self,
            AutoPad::SameUpper => self.text("auto_pad", "SAME_UPPER"),
            AutoPad::SameLower => self.text("auto_pad", "SAME_LOWER"),
            AutoPad::Valid => self.text("auto_pad", "VALID"),
        }
    }

    pub fn outputs(mut self, outputs: usize) -> Form {
        self.outputs = outputs;
        self
    }

    /// A setting that ONNX has as an input.
    pub fn setting(mut self, tensor: Tensor) -> Form {
        self.settings.push(Some(tensor));
        self
    }

    /// Integers as input.
    pub fn ints(self, values: &[i64]) -> Form {
        self.setting(Tensor::vector(values.to_vec()))
    }

    /// A setting that is left out.
    pub fn absent(mut self) -> Form {
        self.settings.push(None);
        self
    }

    /// Axes as input; none if they are empty.
    pub fn axes(mut self, axes: &[i64]) -> Form {
        let tensor = (!axes.is_empty()).then(|| Tensor::vector(axes.to_vec()));
        self.settings.push(tensor);
        self
    }
}

fn attribute(name: &str, kind: AttributeType) -> AttributeProto {
    AttributeProto {
        name: Some(name.into()),
        r#type: Some(kind as i32),
        ..AttributeProto::default()
    }
}
