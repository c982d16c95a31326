//! Cases of recurrent ops.

mod setup;

use super::{Case, Refusal};
use nn::TensorType;
use nn::ops::recurrent::{Direction, GateActivation, GateOrder};
use nn::ops::{GRU, LSTM, RNN};
use oracle::ops::recurrent;
use setup::{Setup, Sizes};
use tensor::DType;

fn lstm(name: &str, op: LSTM, sizes: Sizes) -> Case {
    let places = match op.order {
        GateOrder::Iofc => [0, 1, 2, 3],
        GateOrder::Ifco => [0, 3, 1, 2],
    };
    let setup = Setup {
        sizes,
        gates: 4,
        direction: op.direction,
        batch_first: op.batch_first,
        bias: op.bias,
        lengths: op.sequence_lens,
        h0: op.initial_h,
        c0: op.initial_c,
        differentiable: !op.sequence_lens,
    };
    setup.case(name, op, 2, move |_, weights, [x, h, c]| recurrent::lstm(weights, places, x, h, c))
}

fn gru(name: &str, op: GRU, sizes: Sizes) -> Case {
    let linear = op.linear_before_reset;
    let setup = Setup {
        sizes,
        gates: 3,
        direction: op.direction,
        batch_first: op.batch_first,
        bias: op.bias,
        lengths: op.sequence_lens,
        h0: op.initial_h,
        c0: false,
        differentiable: !op.sequence_lens,
    };
    setup.case(name, op, 1, move |_, weights, [x, h, _]| {
        [recurrent::gru(weights, linear, x, h), h.to_vec()]
    })
}

fn rnn(name: &str, op: RNN, sizes: Sizes) -> Case {
    let functions = op.activations.clone();
    let setup = Setup {
        sizes,
        gates: 1,
        direction: op.direction,
        batch_first: op.batch_first,
        bias: op.bias,
        lengths: op.sequence_lens,
        h0: op.initial_h,
        c0: false,
        differentiable: !op.sequence_lens && !functions.contains(&GateActivation::Softsign),
    };
    setup.case(name, op, 1, move |dir, weights, [x, h, _]| {
        let function = match functions.get(dir) {
            Some(GateActivation::Relu) => |x: f64| x.max(0.0),
            Some(GateActivation::Softsign) => |x: f64| x / (1.0 + x.abs()),
            _ => f64::tanh,
        };
        [recurrent::rnn(weights, function, x, h), h.to_vec()]
    })
}

pub fn cases() -> Vec<Case> {
    let (lstms, grus, rnns) = (lstms(), grus(), rnns());
    [lstms, grus, rnns].into_iter().flatten().collect()
}

fn lstms() -> Vec<Case> {
    let plain = LSTM { bias: true, ..LSTM::default() };
    let states = LSTM { initial_h: true, initial_c: true, ..plain.clone() };
    let both = LSTM { direction: Direction::Bidirectional, ..states.clone() };
    let first = LSTM { batch_first: true, ..both.clone() };
    let torch = LSTM { order: GateOrder::Ifco, batch_first: true, ..plain.clone() };
    vec![
        lstm("forwards", plain.clone(), [4, 3, 5, 2]),
        lstm("without biases", LSTM::default(), [3, 2, 4, 3]),
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
    ]
}

fn grus() -> Vec<Case> {
    let plain = GRU { bias: true, ..GRU::default() };
    let mut cases =
        vec![gru("of other lengths", GRU { sequence_lens: true, ..plain.clone() }, [4, 3, 2, 3])];
    for (linear_before_reset, reset) in [(false, "before"), (true, "behind")] {
        let plain = GRU { linear_before_reset, ..plain.clone() };
        let state = GRU { initial_h: true, ..plain.clone() };
        let reverse = GRU { direction: Direction::Reverse, ..state.clone() };
        let both = GRU { direction: Direction::Bidirectional, ..state.clone() };
        let first = GRU { batch_first: true, ..both.clone() };
        for (name, op, sizes) in [
            ("forwards", plain.clone(), [4, 3, 5, 2]),
            ("without biases", GRU { bias: false, ..plain.clone() }, [3, 2, 4, 3]),
            ("batch first", GRU { batch_first: true, ..plain }, [5, 2, 3, 4]),
            ("of one step", state, [1, 2, 3, 4]),
            ("backwards", reverse, [3, 2, 4, 3]),
            ("in both directions", both, [3, 2, 4, 3]),
            ("in both directions, batch first", first, [4, 2, 3, 3]),
        ] {
            cases.push(gru(&format!("with the reset {reset}, {name}"), op, sizes));
        }
    }
    cases
}

fn rnns() -> Vec<Case> {
    use GateActivation::{Relu, Softsign, Tanh};
    let plain = RNN { bias: true, ..RNN::default() };
    let state = RNN { initial_h: true, ..plain.clone() };
    let both = RNN { direction: Direction::Bidirectional, ..state.clone() };
    let relu = RNN { activations: vec![Relu], ..state.clone() };
    let mixed = RNN { activations: vec![Tanh, Relu], batch_first: true, ..both.clone() };
    vec![
        rnn("forwards", plain.clone(), [4, 3, 5, 2]),
        rnn("without biases", RNN::default(), [3, 2, 4, 3]),
        rnn("of one step", state.clone(), [1, 2, 3, 4]),
        rnn(
            "backwards with a state",
            RNN { direction: Direction::Reverse, activations: vec![Tanh], ..state },
            [3, 2, 4, 3],
        ),
        rnn("in both directions", both, [3, 2, 4, 3]),
        rnn("with ReLU", relu, [4, 3, 5, 2]),
        rnn("with tanh and ReLU, batch first", mixed, [4, 2, 3, 3]),
        rnn("with softsign", RNN { activations: vec![Softsign], ..plain.clone() }, [3, 2, 4, 3]),
        rnn("of other lengths", RNN { sequence_lens: true, ..plain }, [4, 3, 2, 3]),
    ]
}

pub fn timed() -> Vec<Case> {
    let sizes = [50, 32, 64, 128];
    let behind = GRU { linear_before_reset: true, bias: true, ..GRU::default() };
    vec![
        lstm("50 steps 64→128 b32", LSTM { bias: true, ..LSTM::default() }, sizes),
        gru("50 steps 64→128 b32", GRU { bias: true, ..GRU::default() }, sizes),
        gru("50 steps 64→128 b32, reset behind", behind, sizes),
        rnn("50 steps 64→128 b32", RNN { bias: true, ..RNN::default() }, sizes),
    ]
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
