//! Cases of recurrent ops.

use super::{Case, Refusal};
use nn::TensorType;
use nn::ops::recurrent::{Direction, GateActivation, GateOrder};
use nn::ops::{GRU, LSTM, RNN};
use oracle::Array;
use oracle::ops::recurrent;
use tensor::DType;

/// Sizes: steps, batch, inputs, hidden.
type Sizes = [usize; 4];

/// Sources of a run: x, w, r, b, and the optional ones.
struct Run<'a> {
    src: &'a [Array],
    sizes: Sizes,
    backwards: Vec<bool>,
    batch_first: bool,
    lengths: Option<&'a Array>,
    h0: Option<&'a Array>,
    c0: Option<&'a Array>,
}

fn backwards(direction: Direction) -> Vec<bool> {
    match direction {
        Direction::Forward => vec![false],
        Direction::Reverse => vec![true],
        Direction::Bidirectional => vec![false, true],
    }
}

impl Run<'_> {
    /// y, the last h and the last c of a cell from (weights, x, h, c) to the new h and c.
    fn results(
        &self,
        cell: impl Fn([&Array; 3], &[f64], &[f64], &[f64]) -> [Vec<f64>; 2],
    ) -> Vec<Array> {
        let [steps, batch, inputs, hidden] = self.sizes;
        let d = self.backwards.len();
        let mut y = Array::zeros(&[steps, d, batch, hidden]);
        let mut last = [Array::zeros(&[d, batch, hidden]), Array::zeros(&[d, batch, hidden])];
        let swap =
            |dims: &[usize]| if self.batch_first { vec![dims[1], dims[0]] } else { dims.to_vec() };
        for (dir, &backwards) in self.backwards.iter().enumerate() {
            let slice = |array: &Array| {
                let len = array.data.len() / d;
                Array::new(&[len], array.data[dir * len..(dir + 1) * len].to_vec())
            };
            let weights = [slice(&self.src[1]), slice(&self.src[2]), slice(&self.src[3])];
            for sample in 0..batch {
                let start = |state: Option<&Array>| -> Vec<f64> {
                    let at = |k: usize| {
                        state.map_or(0.0, |s| s.at(&[&swap(&[dir, sample])[..], &[k]].concat()))
                    };
                    (0..hidden).map(at).collect()
                };
                let (mut h, mut c) = (start(self.h0), start(self.c0));
                let length = self.lengths.map_or(steps, |lengths| lengths.data[sample] as usize);
                for n in 0..length {
                    let step = if backwards { length - 1 - n } else { n };
                    let at =
                        |k: usize| self.src[0].at(&[&swap(&[step, sample])[..], &[k]].concat());
                    let x: Vec<f64> = (0..inputs).map(at).collect();
                    [h, c] = cell(weights.each_ref(), &x, &h, &c);
                    for (k, &value) in h.iter().enumerate() {
                        *y.at_mut(&[step, dir, sample, k]) = value;
                    }
                }
                for (last, state) in last.iter_mut().zip([&h, &c]) {
                    for (k, &value) in state.iter().enumerate() {
                        *last.at_mut(&[dir, sample, k]) = value;
                    }
                }
            }
        }
        if self.batch_first {
            let moved =
                Array::from_fn(&[batch, steps, d, hidden], |i| y.at(&[i[1], i[2], i[0], i[3]]));
            let state =
                |s: Array| Array::from_fn(&[batch, d, hidden], |i| s.at(&[i[1], i[0], i[2]]));
            let [h, c] = last;
            return vec![moved, state(h), state(c)];
        }
        let [h, c] = last;
        vec![y, h, c]
    }
}

/// x, w, r and b of so many gates.
fn operands(case: Case, gates: usize, d: usize, sizes: Sizes, batch_first: bool) -> Case {
    let [steps, batch, inputs, hidden] = sizes;
    let x = if batch_first { [batch, steps, inputs] } else { [steps, batch, inputs] };
    case.operand(&x)
        .operand(&[d, gates * hidden, inputs])
        .operand(&[d, gates * hidden, hidden])
        .operand(&[d, 2 * gates * hidden])
}

/// Shape of a state.
fn state(d: usize, [_, batch, _, hidden]: Sizes, batch_first: bool) -> [usize; 3] {
    if batch_first { [batch, d, hidden] } else { [d, batch, hidden] }
}

fn lstm(name: &str, op: LSTM, sizes: Sizes) -> Case {
    let op = LSTM { bias: true, ..op };
    let settings = op.clone();
    let d = backwards(op.direction).len();
    let oracle = move |src: &[Array]| {
        let LSTM { sequence_lens, initial_h, initial_c, direction, batch_first, .. } = settings;
        let mut rest = src[4..].iter();
        let mut next = |there: bool| if there { rest.next() } else { None };
        let (lengths, h0, c0) = (next(sequence_lens), next(initial_h), next(initial_c));
        let backwards = backwards(direction);
        let run = Run { src, sizes, backwards, batch_first, lengths, h0, c0 };
        let places = match settings.order {
            GateOrder::Iofc => [0, 1, 2, 3],
            GateOrder::Ifco => [0, 3, 1, 2],
        };
        run.results(|weights, x, h, c| recurrent::lstm(weights, places, x, h, c))
    };
    let (lens, h, c, first) = (op.sequence_lens, op.initial_h, op.initial_c, op.batch_first);
    let mut case = operands(Case::new(name, op, oracle), 4, d, sizes, first);
    if lens {
        case = case.typed(DType::I32, lengths(sizes));
        case.operands.iter_mut().for_each(|operand| operand.differentiable = false);
    }
    for there in [h, c] {
        if there {
            case = case.operand(&state(d, sizes, first));
            case.operands.last_mut().unwrap().differentiable = !lens;
        }
    }
    case
}

/// Lengths from the number of steps down to 1.
fn lengths([steps, batch, ..]: Sizes) -> Array {
    Array::from_fn(&[batch], |i| steps.saturating_sub(i[0]).max(1) as f64)
}

fn fixed(mut case: Case) -> Case {
    case.operands.iter_mut().for_each(|operand| operand.differentiable = false);
    case
}

fn gru(name: &str, op: GRU, sizes: Sizes) -> Case {
    let op = GRU { bias: true, ..op };
    let (direction, batch_first) = (op.direction, op.batch_first);
    let (linear, lens, h) = (op.linear_before_reset, op.sequence_lens, op.initial_h);
    let oracle = move |src: &[Array]| {
        let backwards = backwards(direction);
        let lengths = if lens { src.get(4) } else { None };
        let h0 = if h { src.last() } else { None };
        let run = Run { src, sizes, backwards, batch_first, lengths, h0, c0: None };
        let cell = |weights: [&Array; 3], x: &[f64], h: &[f64], _: &[f64]| {
            [recurrent::gru(weights, linear, x, h), h.to_vec()]
        };
        let mut results = run.results(cell);
        results.truncate(2);
        results
    };
    let d = backwards(direction).len();
    let mut case = operands(Case::new(name, op, oracle), 3, d, sizes, batch_first);
    if lens {
        case = case.typed(DType::I32, lengths(sizes));
    }
    if h {
        case = case.operand(&state(d, sizes, batch_first));
    }
    fixed(case)
}

fn rnn(name: &str, op: RNN, sizes: Sizes) -> Case {
    let op = RNN { bias: true, ..op };
    let (direction, batch_first, h) = (op.direction, op.batch_first, op.initial_h);
    let oracle = move |src: &[Array]| {
        let backwards = backwards(direction);
        let h0 = if h { src.last() } else { None };
        let run = Run { src, sizes, backwards, batch_first, lengths: None, h0, c0: None };
        let cell = |weights: [&Array; 3], x: &[f64], h: &[f64], _: &[f64]| {
            [recurrent::rnn(weights, x, h), h.to_vec()]
        };
        let mut results = run.results(cell);
        results.truncate(2);
        results
    };
    let d = backwards(direction).len();
    let mut case = operands(Case::new(name, op, oracle), 1, d, sizes, batch_first);
    if h {
        case = case.operand(&state(d, sizes, batch_first));
    }
    fixed(case)
}

pub fn cases() -> Vec<Case> {
    let plain = LSTM::default();
    let states = LSTM { initial_h: true, initial_c: true, ..plain.clone() };
    let both = LSTM { direction: Direction::Bidirectional, ..states.clone() };
    let first = LSTM { batch_first: true, ..both.clone() };
    let torch = LSTM { order: GateOrder::Ifco, batch_first: true, ..plain.clone() };
    vec![
        lstm("forwards", plain.clone(), [4, 3, 5, 2]),
        lstm("of one step", states.clone(), [1, 2, 3, 4]),
        lstm("backwards", LSTM { direction: Direction::Reverse, ..states }, [3, 2, 4, 3]),
        lstm("in both directions", both, [3, 2, 4, 3]),
        lstm("in both directions, batch first", first, [4, 2, 3, 3]),
        lstm("with PyTorch's gates", torch, [5, 2, 3, 4]),
        lstm("of other lengths", LSTM { sequence_lens: true, ..plain.clone() }, [4, 3, 2, 3]),
        lstm(
            "of other lengths, backwards",
            LSTM { sequence_lens: true, direction: Direction::Bidirectional, ..plain },
            [4, 3, 2, 3],
        ),
        gru("forwards", GRU::default(), [4, 3, 5, 2]),
        gru(
            "with the reset behind",
            GRU { linear_before_reset: true, ..GRU::default() },
            [3, 2, 4, 3],
        ),
        gru(
            "in both directions, batch first",
            GRU {
                direction: Direction::Bidirectional,
                batch_first: true,
                initial_h: true,
                ..GRU::default()
            },
            [3, 2, 4, 3],
        ),
        gru("of other lengths", GRU { sequence_lens: true, ..GRU::default() }, [4, 3, 2, 3]),
        rnn("forwards", RNN::default(), [4, 3, 5, 2]),
        rnn(
            "backwards with a state",
            RNN {
                direction: Direction::Reverse,
                initial_h: true,
                activations: vec![GateActivation::Tanh],
                ..RNN::default()
            },
            [3, 2, 4, 3],
        ),
    ]
}

pub fn timed() -> Vec<Case> {
    vec![lstm("50 steps 64→128 b32", LSTM::default(), [50, 32, 64, 128])]
}

pub fn refusals() -> Vec<Refusal> {
    let shapes: [&[usize]; 3] = [&[4, 2, 3], &[1, 8, 3], &[1, 8, 5]];
    let floats = TensorType::new(DType::F32, [4, 2, 3]);
    let mixed =
        [floats, TensorType::new(DType::F64, [1, 2, 3]), TensorType::new(DType::F32, [1, 2, 2])];
    vec![
        Refusal::new(
            LSTM::default(),
            &shapes,
            "LSTM \"case\": expected x [steps, batch, inputs], w [1, 4·hidden, inputs], r \
             [1, 4·hidden, hidden], b [1, 8·hidden] and states [1, batch, hidden] (or batch \
             first), got [4, 2, 3], [1, 8, 3], [1, 8, 5]. Match the weights to the input and the \
             direction.",
        ),
        Refusal::new(
            GRU::default(),
            &shapes,
            "GRU \"case\": expected x [steps, batch, inputs], w [1, 3·hidden, inputs], r \
             [1, 3·hidden, hidden], b [1, 6·hidden] and states [1, batch, hidden] (or batch \
             first), got [4, 2, 3], [1, 8, 3], [1, 8, 5]. Match the weights to the input and the \
             direction.",
        ),
        Refusal::typed(
            RNN::default(),
            &mixed,
            "RNN \"case\": expected operands of one float type, lengths of type i32, got f32 and \
             f64 and f32. Cast the inputs to one float type first.",
        ),
    ]
}
