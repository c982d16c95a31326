//! What plans for inference do otherwise: threads within an op, attention and LSTM in one step each,
//! products with weights that stay.

mod harness;

use harness::{ONEDNN, PLAIN, Session, all_options, distance_f32, name, onednn_is_here};
use nn::ops::recurrent::{Direction, LSTM};
use nn::ops::{
    Add, Attention, Conv, Div, Erf, Gather, Gelu, Gemm, LayerNormalization, MatMul, Mul, Reshape,
    Softmax, Split, Squeeze, Transpose,
};
use nn::{Graph, Initializer, Op, ParameterKind, ParameterTable, PlanOptions, TensorType, ValueId};
use oracle::Array;
use tensor::{DType, Shape, Tensor};

/// A graph with numbers for its weights and inputs.
struct Net {
    graph: Graph,
    weights: Vec<f32>,
    inputs: Vec<Tensor>,
}

impl Net {
    fn new(parameters: &[(&str, &[usize])]) -> Net {
        let mut table = ParameterTable::new();
        let mut weights = Vec::new();
        for (i, (name, dims)) in parameters.iter().enumerate() {
            let kind = ParameterKind::Trainable;
            table.push(name, Shape::new(dims), kind, Initializer::Zeros).unwrap();
            weights.extend(Array::sample(dims, 10 + i as u64).to_f32());
        }
        Net { graph: Graph::new(table), weights, inputs: Vec::new() }
    }

    fn input(&mut self, dims: &[usize], seed: u64) -> ValueId {
        self.given(Array::sample(dims, seed))
    }

    fn given(&mut self, values: Array) -> ValueId {
        self.inputs.push(Tensor::new(&values.dims[..], values.to_f32()).unwrap());
        self.graph.input("input", Shape::new(&values.dims))
    }

    fn indices(&mut self, dims: &[usize], below: i64) -> ValueId {
        let count: usize = dims.iter().product();
        let indices: Vec<i64> = (0..count as i64).map(|i| i * 7 % below).collect();
        self.inputs.push(Tensor::new(dims, indices).unwrap());
        self.graph.input("indices", TensorType::new(DType::I64, dims.to_vec()))
    }

    fn weight(&mut self, name: &str) -> ValueId {
        self.graph.parameter(name).unwrap()
    }

    fn all(&mut self, op: impl Op, src: &[ValueId]) -> Vec<ValueId> {
        self.graph.add("node", op, src).unwrap()
    }

    fn add(&mut self, op: impl Op, src: &[ValueId]) -> ValueId {
        self.all(op, src)[0]
    }

    fn reshape(&mut self, x: ValueId, dims: &[i64]) -> ValueId {
        self.add(Reshape { shape: dims.to_vec() }, &[x])
    }

    fn transpose(&mut self, x: ValueId, perm: &[usize]) -> ValueId {
        self.add(Transpose { perm: perm.to_vec() }, &[x])
    }

    fn session(&self, options: PlanOptions) -> Session {
        Session::new(&self.graph, &self.weights, &self.inputs, options)
    }
}

/// Builds the net as it is, and with a value within as one more output, which keeps its steps apart.
fn assert_equal_apart(steps_saved: usize, build: impl Fn(bool) -> Net) {
    for options in all_options() {
        for threads in [1, 2] {
            let options = PlanOptions { threads, ..options };
            let [mut one, mut apart] = [false, true].map(|apart| build(apart).session(options));
            let what = format!("{}, {threads} threads", name(options));
            let (few, many) = (one.plan().steps(), apart.plan().steps());
            assert!(few + steps_saved <= many, "{what}: {few} steps against {many}");
            let distance = distance_f32(&one.run().output(0), &apart.run().output(0));
            assert!(distance < 1e-5, "{what}: results differ by {distance:e}");
        }
    }
}

/// Scores of [batch, heads, words, words] from one product for queries, keys and values.
fn exported_attention(apart: bool, mask: bool, last: bool) -> Net {
    let (batch, heads, words, e) = (2, 3, 70, 8);
    let d = heads * e;
    let mut net = Net::new(&[]);
    let x = net.input(&[batch, words, 3 * d], 1);
    let x = net.reshape(x, &[batch as i64, words as i64, 3, heads as i64, e as i64]);
    let x = net.transpose(x, &[2, 0, 3, 1, 4]);
    let parts = net.all(Split { axis: 0, num_outputs: 3, ..Split::default() }, &[x]);
    let [q, k, v] = [0, 1, 2].map(|i: usize| net.add(Squeeze { axes: vec![0] }, &[parts[i]]));
    let root = net.graph.constant(Tensor::scalar(0.6f32));
    let q = net.add(Mul {}, &[q, root]);
    let k = net.transpose(k, &[0, 1, 3, 2]);
    let k = net.add(Mul {}, &[k, root]);
    let mut scores = net.add(MatMul::default(), &[q, k]);
    if mask {
        let mask = net.input(&[batch, 1, 1, words], 2);
        scores = net.add(Add::default(), &[scores, mask]);
    }
    let p = net.add(Softmax::default(), &[scores]);
    let mut y = net.add(MatMul::default(), &[p, v]);
    if last {
        y = net.transpose(y, &[0, 2, 1, 3]);
        y = net.reshape(y, &[batch as i64, words as i64, d as i64]);
    }
    net.graph.output("y", y);
    if apart {
        net.graph.output("p", p);
    }
    net
}

#[test]
fn attention_as_exporters_write_it_runs_as_one_step() {
    for (mask, last) in [(false, true), (true, true), (true, false)] {
        assert_equal_apart(6, |apart| exported_attention(apart, mask, last));
    }
    assert_eq!(exported_attention(false, false, true).session(PLAIN).plan().steps(), 1);
}

#[test]
fn a_factor_behind_the_mask_keeps_attention_apart() {
    assert_equal_apart(0, |apart| {
        let mut net = Net::new(&[]);
        let [q, v] = [1, 2].map(|seed| net.input(&[1, 2, 5, 4], seed));
        let k = net.input(&[1, 2, 4, 5], 3);
        let mask = net.input(&[5, 5], 4);
        let scores = net.add(MatMul::default(), &[q, k]);
        let scores = net.add(Add::default(), &[scores, mask]);
        let half = net.graph.constant(Tensor::scalar(0.5f32));
        let scores = net.add(Mul {}, &[scores, half]);
        let p = net.add(Softmax::default(), &[scores]);
        let y = net.add(MatMul::default(), &[p, v]);
        net.graph.output("y", y);
        if apart {
            net.graph.output("p", p);
        }
        net
    });
}

#[test]
fn an_lstm_with_packed_weights_equals_the_one_that_trains() {
    let directions = [Direction::Forward, Direction::Reverse, Direction::Bidirectional];
    for (direction, batch_first) in directions.into_iter().flat_map(|d| [(d, false), (d, true)]) {
        let (steps, batch, inputs, h) = (4, 13, 5, 9);
        let d = if direction == Direction::Bidirectional { 2 } else { 1 };
        let parameters: [(&str, &[usize]); 3] =
            [("w", &[d, 4 * h, inputs]), ("r", &[d, 4 * h, h]), ("b", &[d, 8 * h])];
        let build = |states: bool, apart: bool| {
            let mut net = Net::new(&parameters);
            let dims = if batch_first { [batch, steps, inputs] } else { [steps, batch, inputs] };
            let mut src = vec![net.input(&dims, 1)];
            src.extend(["w", "r", "b"].map(|name| net.weight(name)));
            if states {
                let state = if batch_first { [batch, d, h] } else { [d, batch, h] };
                src.extend([2, 3].map(|seed| net.input(&state, seed)));
            }
            let op = LSTM {
                direction,
                batch_first,
                bias: true,
                initial_h: states,
                initial_c: states,
                ..LSTM::default()
            };
            let made = net.all(op, &src);
            let count = if apart { 4 } else { 3 };
            made[..count].iter().for_each(|&value| net.graph.output("out", value));
            net
        };
        for (states, threads) in [(false, 1), (true, 1), (true, 2), (false, 3)] {
            let options = PlanOptions { threads, ..if onednn_is_here() { ONEDNN } else { PLAIN } };
            let [mut packed, mut trains] =
                [false, true].map(|apart| build(states, apart).session(options));
            packed.run();
            trains.run();
            for o in 0..3 {
                let distance = distance_f32(&packed.output(o), &trains.output(o));
                assert!(distance < 1e-6, "{direction:?}, output {o}: {distance:e}");
            }
        }
    }
}

#[test]
fn a_product_with_a_matrix_and_its_bias_run_as_one_step() {
    assert_equal_apart(1, |apart| {
        let mut net = Net::new(&[("w", &[6, 9]), ("b", &[9])]);
        let x = net.input(&[2, 5, 6], 1);
        let (w, b) = (net.weight("w"), net.weight("b"));
        let product = net.add(MatMul::default(), &[x, w]);
        let y = net.add(Add::default(), &[b, product]);
        net.graph.output("y", y);
        if apart {
            net.graph.output("product", product);
        }
        net
    });
}

#[test]
fn an_activation_behind_a_product_with_a_matrix_runs_inside_it() {
    assert_equal_apart(1, |apart| {
        let mut net = Net::new(&[("w", &[6, 9]), ("b", &[9])]);
        let x = net.input(&[2, 5, 6], 1);
        let (w, b) = (net.weight("w"), net.weight("b"));
        let product = net.add(MatMul::default(), &[x, w]);
        let sum = net.add(Add::default(), &[b, product]);
        let y = net.add(Gelu::default(), &[sum]);
        net.graph.output("y", y);
        if apart {
            net.graph.output("sum", sum);
        }
        net
    });
}

#[test]
fn a_gelu_runs_inside_the_product_or_convolution_before_it() {
    for (convolution, tanh) in [(false, false), (false, true), (true, false), (true, true)] {
        let dims: [&[usize]; 2] =
            if convolution { [&[2, 3, 5, 5], &[16, 3, 3, 3]] } else { [&[5, 7], &[7, 9]] };
        assert_equal_apart(1, |apart| {
            let mut net = Net::new(&[("w", dims[1])]);
            let x = net.given(Array::sample(dims[0], 1).map(|x| 3.0 * x));
            let w = net.weight("w");
            let y = match convolution {
                true => net.add(Conv::new(&[3, 3], &[1, 1], &[1; 4], &[], 1), &[x, w]),
                false => net.add(Gemm::default(), &[x, w]),
            };
            let z = net.add(Gelu { tanh }, &[y]);
            net.graph.output("z", z);
            if apart {
                net.graph.output("y", y);
            }
            net
        });
    }
}

/// Where ½ stands in an exact Gelu that is written as its parts.
const HALVES: [&str; 4] = ["behind", "with the sum", "with x", "divided by 2"];

/// ½ · x · (1 + erf(x / √2)) in parts, on numbers from −3 to 3; one of the values between may be an
/// output. Constants are those of √2, of the sum and of the half.
fn gelu_in_parts(
    (multiply, swapped, half_at): (bool, bool, usize),
    [root, one, half]: [f32; 3],
    output: Option<usize>,
) -> Net {
    let mut net = Net::new(&[]);
    let x = net.given(Array::from_fn(&[3, 67], |i| (i[0] * 67 + i[1]) as f64 / 33.0 - 3.0));
    let pair = |a, b| if swapped { [b, a] } else { [a, b] };
    let [by_root, of_root, one, half, two] = [root, 1.0 / root, one, half, 1.0 / half]
        .map(|number| net.graph.constant(Tensor::scalar(number)));
    let scaled = match multiply {
        true => net.add(Mul {}, &pair(x, of_root)),
        false => net.add(Div {}, &[x, by_root]),
    };
    let erf = net.add(Erf {}, &[scaled]);
    let sum = net.add(Add::default(), &pair(erf, one));
    let mut mul = |a, b| net.add(Mul {}, &pair(a, b));
    let mut between = vec![scaled, erf, sum];
    let y = match half_at {
        1 => {
            between.push(mul(sum, half));
            mul(x, between[3])
        }
        2 => {
            between.push(mul(x, half));
            mul(between[3], sum)
        }
        _ => {
            between.push(mul(x, sum));
            let product = between[3];
            match half_at {
                3 => net.add(Div {}, &[product, two]),
                _ => mul(product, half),
            }
        }
    };
    net.graph.output("y", y);
    if let Some(output) = output {
        net.graph.output("between", between[output]);
    }
    net
}

#[test]
fn a_gelu_in_parts_runs_as_one_step() {
    let numbers = [2f32.sqrt(), 1.0, 0.5];
    for (multiply, swapped) in [(false, false), (false, true), (true, false), (true, true)] {
        for (half_at, form) in HALVES.iter().enumerate() {
            let build = |output| gelu_in_parts((multiply, swapped, half_at), numbers, output);
            for options in all_options() {
                let what = format!("{}, half {form}", name(options));
                let mut fused = build(None).session(options);
                assert_eq!(fused.plan().steps(), 1, "{what}");
                let fused = fused.run().output(0);
                for output in 0..4 {
                    // Somebody else needs a value between.
                    let mut apart = build(Some(output)).session(options);
                    assert_eq!(apart.plan().steps(), 5, "{what}, output {output}");
                    let distance = distance_f32(&fused, &apart.run().output(0));
                    assert!(distance < 1e-6, "{what}: results differ by {distance:e}");
                }
            }
        }
    }
}

#[test]
fn what_is_only_like_a_gelu_stays_as_it_is() {
    let others = [[1.414, 1.0, 0.5], [2f32.sqrt(), 1.0001, 0.5], [2f32.sqrt(), 1.0, 0.501]];
    for numbers in others {
        let net = gelu_in_parts((false, false, 0), numbers, None);
        assert_eq!(net.session(PLAIN).plan().steps(), 5, "{numbers:?}");
    }
}

/// Steps of each kind that threads share, large enough to be shared.
fn shared_steps() -> Net {
    let (batch, words, d) = (3, 40, 48);
    let mut net =
        Net::new(&[("table", &[50, d]), ("scale", &[d]), ("bias", &[d]), ("w", &[d, 3 * d])]);
    let ids = net.indices(&[batch, words], 50);
    let [table, scale, bias, w] = ["table", "scale", "bias", "w"].map(|name| net.weight(name));
    let x = net.add(Gather { axis: 0 }, &[table, ids]);
    let x = net.add(LayerNormalization::default(), &[x, scale, bias]);
    let qkv = net.add(MatMul::default(), &[x, w]);
    let qkv = net.add(Gelu::default(), &[qkv]);
    let attention = Attention { q_num_heads: 4, packed: true, ..Attention::default() };
    let y = net.add(attention, &[qkv]);
    let y = net.reshape(y, &[batch as i64, words as i64, 4, d as i64 / 4]);
    let y = net.transpose(y, &[0, 2, 3, 1]);
    net.graph.output("y", y);
    net
}

#[test]
fn plain_kernels_give_the_same_bits_on_any_number_of_threads() {
    let net = shared_steps();
    let expected = net.session(PLAIN).run().output(0);
    if !onednn_is_here() {
        return;
    }
    for threads in [1, 2, 3, 7] {
        let mut session = net.session(PlanOptions { threads, ..PLAIN });
        for _ in 0..20 {
            assert_eq!(session.run().output(0), expected, "{threads} threads");
        }
    }
}

#[test]
fn primitives_on_several_threads_give_the_same_results() {
    if !onednn_is_here() {
        return;
    }
    let net = shared_steps();
    let expected = net.session(PLAIN).run().output(0);
    for threads in [1, 2, 5] {
        let options = PlanOptions { threads, ..ONEDNN };
        let mut session = net.session(options);
        let distance = distance_f32(&session.run().output(0), &expected);
        assert!(distance < 1e-5, "{threads} threads: {distance:e}");
        // A plan runs on any thread, whatever that one ran before.
        let moved = std::thread::spawn(move || session.run().output(0)).join().unwrap();
        assert!(distance_f32(&moved, &expected) < 1e-5, "{threads} threads");
    }
}

#[test]
fn an_index_out_of_range_is_an_error_on_several_threads_too() {
    if !onednn_is_here() {
        return;
    }
    let mut net = Net::new(&[("table", &[5, 64])]);
    let ids = net.indices(&[500], 8);
    let table = net.weight("table");
    let y = net.add(Gather { axis: 0 }, &[table, ids]);
    net.graph.output("y", y);
    let message = |threads| {
        let plan = nn::Plan::compile(&net.graph, PlanOptions { threads, ..PLAIN }).unwrap();
        let mut prepared = nn::Prepared::new(&plan.into()).unwrap();
        let weights = tensor::Buffer::from_f32(&net.weights).unwrap();
        prepared.prepare(&weights.into()).unwrap();
        let mut workspace = nn::Workspace::new(&prepared).unwrap();
        workspace.set_input_tensor(0, &net.inputs[0]).unwrap();
        workspace.run(&harness::CONTEXT, None).unwrap_err().to_string()
    };
    assert_eq!(message(1), message(3));
}
