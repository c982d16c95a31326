//! A recurrent op and the run of its cell by the oracle.

use super::Case;
use nn::Op;
use nn::ops::recurrent::Direction;
use oracle::Array;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tensor::DType;

/// Sizes: steps, batch, inputs, hidden.
pub type Sizes = [usize; 4];

/// What all recurrent cases tell.
#[derive(Clone, Copy)]
pub struct Setup {
    pub sizes: Sizes,
    pub gates: usize,
    pub direction: Direction,
    pub batch_first: bool,
    pub bias: bool,
    pub lengths: bool,
    pub h0: bool,
    pub c0: bool,
    /// There is a gradient.
    pub differentiable: bool,
}

/// A run and its sources.
struct Run<'a> {
    src: &'a [Array],
    sizes: Sizes,
    backwards: Vec<bool>,
    batch_first: bool,
    b: Array,
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
    /// y, the last h and the last c of a cell.
    fn results(&self, cell: &impl Cell) -> Vec<Array> {
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
            let weights = [slice(&self.src[1]), slice(&self.src[2]), slice(&self.b)];
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
                    [h, c] = cell(dir, weights.each_ref(), [&x, &h, &c]);
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

/// A cell from direction, weights, and x, h, c to the new h and c.
pub trait Cell: Fn(usize, [&Array; 3], [&[f64]; 3]) -> [Vec<f64>; 2] {}

impl<F: Fn(usize, [&Array; 3], [&[f64]; 3]) -> [Vec<f64>; 2]> Cell for F {}

impl Setup {
    /// The case of an op with so many states and such a cell.
    pub fn case<O>(self, name: &str, op: O, states: usize, cell: impl Cell + 'static) -> Case
    where
        O: Op + Clone + PartialEq + Serialize + DeserializeOwned,
    {
        let Setup { sizes, gates, batch_first, bias, lengths, h0, c0, .. } = self;
        let [steps, batch, inputs, hidden] = sizes;
        let d = backwards(self.direction).len();
        let oracle = move |src: &[Array]| {
            let mut rest = src[3..].iter();
            let mut next = |there: bool| if there { rest.next() } else { None };
            let b = next(bias).cloned();
            let b = b.unwrap_or_else(|| Array::zeros(&[d, 2 * gates * hidden]));
            let (lengths, h0, c0) = (next(lengths), next(h0), next(c0));
            let backwards = backwards(self.direction);
            let run = Run { src, sizes, backwards, batch_first, b, lengths, h0, c0 };
            let mut results = run.results(&cell);
            results.truncate(1 + states);
            results
        };
        let x = if batch_first { [batch, steps, inputs] } else { [steps, batch, inputs] };
        let state = if batch_first { [batch, d, hidden] } else { [d, batch, hidden] };
        let mut case = Case::new(name, op, oracle)
            .operand(&x)
            .operand(&[d, gates * hidden, inputs])
            .operand(&[d, gates * hidden, hidden]);
        if bias {
            case = case.operand(&[d, 2 * gates * hidden]);
        }
        if lengths {
            // From the number of steps down to 1.
            let length = |i: &[usize]| steps.saturating_sub(i[0]).max(1) as f64;
            case = case.typed(DType::I32, Array::from_fn(&[batch], length));
        }
        for there in [h0, c0] {
            if there {
                case = case.operand(&state);
            }
        }
        for operand in &mut case.operands {
            operand.differentiable &= self.differentiable;
        }
        case
    }
}
