//! Recurrent ops beyond the table of cases: gradients of the last states, and what has no gradient.

use nn::ops::recurrent::GateActivation;
use nn::ops::{GRU, LSTM, MeanSquaredError, RNN, Reshape, Slice};
use nn::{
    Graph, Initializer, Op, ParameterKind, ParameterTable, Plan, PlanOptions, Prepared, RunContext,
    TensorType, ValueId, Workspace, differentiate,
};
use std::sync::Arc;
use tensor::{Buffer, DType, Shape, Tensor};

const STEPS: usize = 4;
const BATCH: usize = 3;
const INPUTS: usize = 5;
const HIDDEN: usize = 2;

/// Scattered numbers in (−1, 1).
fn numbers(count: usize) -> Vec<f32> {
    (0..count).map(|i| (i as f32 * 0.7 + 0.3).sin()).collect()
}

/// A graph of an op with so many gates and states, whose sources are parameters but the lengths.
struct Net {
    graph: Graph,
    shapes: Vec<Shape>,
    inputs: Vec<Tensor>,
    dst: Vec<ValueId>,
}

impl Net {
    fn new(op: impl Op, gates: usize, states: usize, lengths: bool) -> Net {
        let mut table = ParameterTable::new();
        let mut shapes = vec![
            Shape::new(&[STEPS, BATCH, INPUTS]),
            Shape::new(&[1, gates * HIDDEN, INPUTS]),
            Shape::new(&[1, gates * HIDDEN, HIDDEN]),
            Shape::new(&[1, 2 * gates * HIDDEN]),
        ];
        shapes.resize(4 + states, Shape::new(&[1, BATCH, HIDDEN]));
        for (i, shape) in shapes.iter().enumerate() {
            let kind = ParameterKind::Trainable;
            table.push(&i.to_string(), shape.clone(), kind, Initializer::Zeros).unwrap();
        }
        let mut graph = Graph::new(table);
        let parameter = |i: usize| graph.parameter(&i.to_string()).unwrap();
        let mut src: Vec<ValueId> = (0..shapes.len()).map(parameter).collect();
        let mut inputs = Vec::new();
        if lengths {
            src.insert(4, graph.input("lengths", TensorType::new(DType::I32, [BATCH])));
            inputs.push(Tensor::vector(vec![STEPS as i32; BATCH]));
        }
        let dst = graph.add("recurrent", op, &src).unwrap();
        Net { graph, shapes, inputs, dst }
    }

    /// Adds the gradients of a loss of this value.
    fn differentiate(&mut self, y: ValueId) -> Result<(), nn::Error> {
        let dims = vec![BATCH as i64, HIDDEN as i64];
        let y = self.graph.add("flat", Reshape { shape: dims }, &[y])?[0];
        let shapes = [Shape::new(&[BATCH, HIDDEN]), Shape::new(&[1])];
        let [target, scale] = shapes.map(|shape| self.graph.input("loss", shape));
        let target_numbers = Tensor::new([BATCH, HIDDEN], vec![0.25f32; BATCH * HIDDEN]).unwrap();
        self.inputs.extend([target_numbers, Tensor::vector(vec![1.0f32])]);
        let loss = MeanSquaredError::default();
        let loss = self.graph.add("loss", loss, &[y, target, scale])?[0];
        self.graph.output("loss", loss);
        differentiate(&mut self.graph, loss)
    }

    fn run(&self, gradient: Option<&Arc<Buffer>>) -> Workspace {
        let plan = Arc::new(Plan::compile(&self.graph, PlanOptions::default()).unwrap());
        let weights = numbers(self.graph.parameters().len());
        let mut prepared = Prepared::new(&plan).unwrap();
        prepared.prepare(&Arc::new(Buffer::from_f32(&weights).unwrap())).unwrap();
        let mut workspace = Workspace::new(&prepared).unwrap();
        for (i, tensor) in self.inputs.iter().enumerate() {
            workspace.set_input_tensor(i, tensor).unwrap();
        }
        workspace.run(&RunContext::default(), gradient).unwrap();
        workspace
    }

    fn gradient(&self) -> Vec<f32> {
        let count = self.graph.parameters().len();
        let gradient = Arc::new(Buffer::new(count * size_of::<f32>()).unwrap());
        self.run(Some(&gradient));
        gradient.f32().to_vec()
    }
}

/// The gradients of all sources by a loss of the last result, or of its place in y.
fn gradients(op: impl Op, gates: usize, states: usize, of_y: bool) -> Vec<f32> {
    let mut net = Net::new(op, gates, states, false);
    let last = Slice { starts: vec![-1], ends: vec![STEPS as i64], ..Slice::default() };
    let value = match of_y {
        true => net.graph.add("last", last, &[net.dst[0]]).unwrap()[0],
        false => net.dst[1],
    };
    net.differentiate(value).unwrap();
    net.gradient()
}

#[test]
fn the_gradients_by_the_last_result_and_by_its_place_in_y_are_equal() {
    for linear_before_reset in [false, true] {
        let op = || GRU { linear_before_reset, bias: true, initial_h: true, ..GRU::default() };
        let [of_y, of_h] = [true, false].map(|of_y| gradients(op(), 3, 1, of_y));
        assert_eq!(of_y, of_h);
        assert!(of_h.iter().all(|&g| g != 0.0));
    }
    let op = || RNN { bias: true, initial_h: true, ..RNN::default() };
    assert_eq!(gradients(op(), 1, 1, true), gradients(op(), 1, 1, false));
    let op = || LSTM { bias: true, initial_h: true, initial_c: true, ..LSTM::default() };
    assert_eq!(gradients(op(), 4, 2, true), gradients(op(), 4, 2, false));
}

/// What kernels keep for backward and what `evaluate` says, which serves other types than f32.
fn kept(op: impl Op + Clone, gates: usize, states: usize) -> [Vec<f32>; 2] {
    let mut net = Net::new(op.clone(), gates, states, false);
    let kept = net.dst[1 + states];
    net.graph.output("kept", kept);
    let numbers = numbers(net.graph.parameters().len());
    let mut offset = 0;
    let constants: Vec<Tensor> = net
        .shapes
        .iter()
        .map(|shape| {
            let part = numbers[offset..offset + shape.len()].to_vec();
            offset += shape.len();
            Tensor::new(shape.clone(), part).unwrap()
        })
        .collect();
    let evaluated = op.evaluate(&constants.iter().collect::<Vec<_>>()).unwrap();
    let evaluated = evaluated[1 + states].clone().into_vec().unwrap();
    [net.run(None).output(0, |kept| kept.to_vec()).unwrap(), evaluated]
}

#[test]
fn kernels_and_evaluation_keep_the_same_for_backward() {
    let gru = GRU { bias: true, initial_h: true, ..GRU::default() };
    let behind = GRU { linear_before_reset: true, ..gru.clone() };
    let relu = vec![GateActivation::Relu];
    let rnn = RNN { bias: true, initial_h: true, activations: relu, ..RNN::default() };
    let lstm = LSTM { bias: true, initial_h: true, initial_c: true, ..LSTM::default() };
    for [kernels, evaluated] in
        [kept(gru, 3, 1), kept(behind, 3, 1), kept(rnn, 1, 1), kept(lstm, 4, 2)]
    {
        assert_eq!(kernels.len(), evaluated.len());
        for (a, b) in kernels.iter().zip(&evaluated) {
            assert!((a - b).abs() < 1e-6, "{a} and {b}");
        }
    }
}

#[test]
fn unusual_settings_have_no_gradient() {
    let refused = |mut net: Net| {
        let error = net.differentiate(net.dst[1]).unwrap_err();
        assert!(matches!(error, nn::Error::NotDifferentiable { .. }), "{error}");
    };
    let gru = GRU { bias: true, initial_h: true, ..GRU::default() };
    let rnn = RNN { bias: true, initial_h: true, ..RNN::default() };
    let softsign = vec![GateActivation::Softsign];
    let functions = vec![GateActivation::Sigmoid, GateActivation::Softsign];
    for op in [
        GRU { clip: Some(1.0), ..gru.clone() },
        GRU { activations: functions, ..gru.clone() },
        GRU { sequence_lens: true, ..gru },
    ] {
        refused(Net::new(op.clone(), 3, 1, op.sequence_lens));
    }
    for op in [
        RNN { clip: Some(1.0), ..rnn.clone() },
        RNN { activations: softsign, ..rnn.clone() },
        RNN { sequence_lens: true, ..rnn },
    ] {
        refused(Net::new(op.clone(), 1, 1, op.sequence_lens));
    }
}
