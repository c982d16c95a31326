use crate::layer::{Layer, Scope, Weight, layer, single};
use crate::settings::Fan;
use crate::{Initializer, Misfit};
use nn::{ParameterKind, ValueId, ops};
use tensor::Shape;

layer! {
    /// Long short-term memory (Hochreiter and Schmidhuber, 1997).
    ///
    /// `i, f, o = sigmoid(weight_ih · src[t] + bias_ih + weight_hh · h + bias_hh)`, `g` the same with
    /// tanh; then `c = f · c + i · g` and `h = o · tanh(c)`, where `h` and `c` start as zeros. Names,
    /// shapes and the order of the gates (i, f, g, o) are those of PyTorch.
    ///
    /// Shapes: src `[steps, inputs]`; dst the last h `[units]`, or all of them `[steps, units]`;
    /// weight_ih_l0 `[4 · units, inputs]`, weight_hh_l0 `[4 · units, units]`, bias_ih_l0 and bias_hh_l0
    /// `[4 · units]`.
    LSTM(
        /// Length of h; at least 1.
        units: usize,
    ) {
        /// Whether all results are given instead of the last one.
        return_sequences: bool = false,
        /// Whether the sequence is read from its end.
        go_backwards: bool = false,
        /// Initial values of the weights of the inputs.
        kernel_initializer: Initializer = Initializer::GlorotUniform,
        /// Initial values of the weights of h.
        recurrent_initializer: Initializer = Initializer::GlorotUniform,
        /// Initial values of both biases.
        bias_initializer: Initializer = Initializer::Zeros,
    }
}

impl Layer for LSTM {
    fn output_shape(&self, src: &[Shape]) -> Result<Shape, Misfit> {
        match *single(src)?.dims() {
            [steps, _] if self.return_sequences => Ok(Shape::new(&[steps, self.units])),
            [_, _] => Ok(Shape::new(&[self.units])),
            _ => Err(Misfit::new(
                format!("expected a sequence [steps, inputs], got {}", src[0]),
                "Put an Embedding or a Reshape before it.",
            )),
        }
    }

    fn weights(&self, src: &[Shape]) -> Vec<Weight> {
        let (inputs, units) = (src[0].dims()[1], self.units);
        let weight = |name, dims: &[usize], fan_in: usize, initializer: Initializer| Weight {
            name,
            shape: Shape::new(dims),
            kind: ParameterKind::Trainable,
            initializer: initializer.with(Fan { fan_in, fan_out: 4 * units }),
        };
        let bias = self.bias_initializer;
        vec![
            weight("weight_ih_l0", &[4 * units, inputs], inputs, self.kernel_initializer),
            weight("weight_hh_l0", &[4 * units, units], units, self.recurrent_initializer),
            weight("bias_ih_l0", &[4 * units], units, bias),
            weight("bias_hh_l0", &[4 * units], units, bias),
        ]
    }

    fn build(&self, scope: &mut Scope, src: &[ValueId]) -> Result<ValueId, nn::Error> {
        let dims = scope.shape(src[0]).dims().to_vec();
        let names = ["weight_ih_l0", "weight_hh_l0"];
        let mut operands = vec![src[0]];
        for name in names {
            let weight = scope.parameter(name)?;
            let shape = [&[1], scope.shape(weight).dims()].concat();
            operands.push(reshape(scope, weight, &shape)?);
        }
        let biases = [scope.parameter("bias_ih_l0")?, scope.parameter("bias_hh_l0")?];
        let biases = scope.add(ops::Concat { axis: 0 }, &biases)?;
        operands.push(reshape(scope, biases, &[1, 8 * self.units])?);
        let backwards = [ops::recurrent::Direction::Forward, ops::recurrent::Direction::Reverse];
        let lstm = ops::LSTM {
            direction: backwards[usize::from(self.go_backwards)],
            batch_first: true,
            order: ops::recurrent::GateOrder::Ifco,
            bias: true,
            ..ops::LSTM::default()
        };
        let results = scope.add_all(lstm, &operands)?;
        if self.return_sequences {
            reshape(scope, results[0], &[dims[0], dims[1], self.units])
        } else {
            reshape(scope, results[1], &[dims[0], self.units])
        }
    }
}

fn reshape(scope: &mut Scope, value: ValueId, dims: &[usize]) -> Result<ValueId, nn::Error> {
    let shape = dims.iter().map(|&dim| dim as i64).collect();
    scope.add(ops::Reshape { shape }, &[value])
}
