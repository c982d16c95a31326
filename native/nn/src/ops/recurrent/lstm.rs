//! Long short-term memory.

use super::general::{Cell, GateActivation, General};
use super::lstm_inference::{PackLstm, PackedLstm};
use super::lstm_kernel::{Gradients, Pass, Results, Weights};
use super::sequence::{Direction, Sequence, mismatch};
use super::simple::{expect_floats, wide};
use crate::op::{Cost, Op};
use crate::ops::sum_to::SumTo;
use crate::ops::{Add, Concat, Gather, Gemm, Reshape};
use crate::tensor_type::infer_tensors;
use crate::{Compiler, Error, Gradient, OpError, TensorType, ValueId};
use serde::{Deserialize, Serialize};
use tensor::{DType, Shape, Tensor};

/// In which order the four gates lie in the weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateOrder {
    /// Input, output, forget, cell: ONNX.
    #[default]
    Iofc,
    /// Input, forget, cell, output: PyTorch and Keras.
    Ifco,
}

/// Long short-term memory, with c' and h' of the step before and ⊙ element by element:
///
/// i, o, f = σ(W x + R h' + b), g = tanh(W x + R h' + b), c = f ⊙ c' + i ⊙ g, h = o ⊙ tanh c. ONNX
/// `LSTM`.
///
/// Sources: x \[steps, batch, inputs\], w \[d, 4h, inputs\], r \[d, 4h, h\] for d directions; then those
/// that the settings name: b \[d, 8h\] (of w, then of r), sequence_lens \[batch\] (i32), initial_h and
/// initial_c \[d, batch, h\], peepholes p \[d, 3h\] (of i, o, f). Results: y \[steps, d, batch, h\], the
/// last h and c \[d, batch, h\]; two more that only the gradient needs. With `batch_first` (ONNX's
/// `layout` 1): x \[batch, steps, inputs\], y \[batch, steps, d, h\], states \[batch, d, h\].
///
/// There is no gradient with peepholes, sequence_lens, coupled gates, a clip or other activations.
///
/// S. Hochreiter, J. Schmidhuber: "Long short-term memory", Neural Computation 1997.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LSTM {
    /// Through the sequences forwards, backwards or both.
    pub direction: Direction,
    /// The batch is the first dimension.
    pub batch_first: bool,
    /// Order of the gates in the weights.
    pub order: GateOrder,
    /// For each direction those of gates, cell and result; empty means sigmoid, tanh, tanh.
    pub activations: Vec<GateActivation>,
    /// Bound of what goes into an activation.
    pub clip: Option<f32>,
    /// The forget gate is 1 − the input gate.
    pub input_forget: bool,
    /// There are biases.
    pub bias: bool,
    /// There are lengths of the sequences.
    pub sequence_lens: bool,
    /// There are first results.
    pub initial_h: bool,
    /// There are first cells.
    pub initial_c: bool,
    /// There are peepholes.
    pub peepholes: bool,
}

/// Numbers of the optional sources.
#[derive(Clone, Copy, Debug)]
struct Optional {
    b: Option<usize>,
    lengths: Option<usize>,
    h0: Option<usize>,
    c0: Option<usize>,
    p: Option<usize>,
    count: usize,
}

impl LSTM {
    fn optional(&self) -> Optional {
        let mut count = 3;
        let mut next = |there: bool| {
            count += usize::from(there);
            there.then(|| count - 1)
        };
        let (b, lengths) = (next(self.bias), next(self.sequence_lens));
        let (h0, c0, p) = (next(self.initial_h), next(self.initial_c), next(self.peepholes));
        Optional { b, lengths, h0, c0, p, count }
    }

    /// The usual LSTM, for which there are kernels and gradients.
    fn is_usual(&self) -> bool {
        let odd = self.input_forget || self.sequence_lens || self.peepholes;
        self.activations.is_empty() && self.clip.is_none() && !odd
    }

    /// Places of input, output, forget and cell gate.
    fn places(&self) -> [usize; 4] {
        match self.order {
            GateOrder::Iofc => [0, 1, 2, 3],
            GateOrder::Ifco => [0, 3, 1, 2],
        }
    }

    fn sizes(&self, src: &[&Shape]) -> Result<Sequence, OpError> {
        let refuse = || mismatch(4, self.direction, src);
        let (at, d) = (self.optional(), self.direction.reversed().len());
        if src.len() != at.count {
            return Err(refuse());
        }
        let sizes = Sequence::new(src[0], src[2], self.batch_first, d).ok_or_else(refuse)?;
        let (h, state) = (sizes.hidden, sizes.state());
        let wanted = [
            (Some(1), Shape::new(&[d, 4 * h, sizes.inputs])),
            (Some(2), Shape::new(&[d, 4 * h, h])),
            (at.b, Shape::new(&[d, 8 * h])),
            (at.lengths, Shape::new(&[sizes.batch])),
            (at.h0, state.clone()),
            (at.c0, state),
            (at.p, Shape::new(&[d, 3 * h])),
        ];
        let fits = wanted.iter().all(|(at, shape)| at.is_none_or(|at| src[at] == shape));
        let functions = [0, 3 * d].contains(&self.activations.len());
        if fits && functions { Ok(sizes) } else { Err(refuse()) }
    }

    /// The two ops that make the first three results with weights that are prepared, and which
    /// sources those are; none for an LSTM that is not the usual one.
    pub(crate) fn packed(&self, src: &[&TensorType]) -> Option<(PackLstm, PackedLstm, Vec<usize>)> {
        let f32 = src.iter().all(|ty| ty.dtype == DType::F32);
        let shapes: Vec<&Shape> = src.iter().map(|ty| &ty.shape).collect();
        let sizes = self.sizes(&shapes).ok()?;
        let some = shapes.iter().all(|shape| !shape.is_empty());
        let pack = PackLstm { places: self.places(), sizes };
        let weights = [Some(1), Some(2), self.optional().b].into_iter().flatten().collect();
        let packed = PackedLstm { lstm: self.clone(), sizes };
        (self.is_usual() && f32 && some).then_some((pack, packed, weights))
    }

    fn passes(&self, sizes: Sequence) -> Vec<Pass> {
        let reversed = self.direction.reversed().iter().enumerate();
        let order = self.places();
        reversed.map(|(direction, &reversed)| Pass { sizes, direction, reversed, order }).collect()
    }

    /// What a direction reads of the sources.
    fn weights<'a>(&self, src: &[&'a [f32]], pass: &Pass) -> Weights<'a> {
        let (at, d, sizes) = (self.optional(), pass.direction, pass.sizes);
        let part = |i: usize, len: usize| &src[i][d * len..(d + 1) * len];
        let gates = 4 * sizes.hidden;
        Weights {
            x: src[0],
            w: part(1, gates * sizes.inputs),
            r: part(2, gates * sizes.hidden),
            b: at.b.map(|b| part(b, 2 * gates)),
            h0: at.h0.map(|h0| src[h0]),
            c0: at.c0.map(|c0| src[c0]),
        }
    }
}

impl Op for LSTM {
    fn name(&self) -> &'static str {
        "LSTM"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        let shapes: Vec<&Shape> = src.iter().map(|ty| &ty.shape).collect();
        let sizes = self.sizes(&shapes)?;
        expect_floats(src, self.optional().lengths)?;
        let Sequence { steps, batch, hidden: h, directions, .. } = sizes;
        let rows = directions * steps * batch;
        let kept = [Shape::new(&[rows, 4 * h]), Shape::new(&[rows, h])];
        let shapes = [sizes.y(), sizes.state(), sizes.state()].into_iter().chain(kept);
        Ok(shapes.map(|shape| src[0].with_shape(shape)).collect())
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        let types = infer_tensors(self, src)?;
        let sizes = self.sizes(&src.iter().map(|tensor| tensor.shape()).collect::<Vec<_>>())?;
        let wide = wide(src)?;
        let at = self.optional();
        let lengths = at.lengths.map(|i| src[i].to_i64s()).transpose()?;
        let optional = |i: Option<usize>| i.map(|i| &wide[i][..]);
        let usual = [GateActivation::Sigmoid, GateActivation::Tanh, GateActivation::Tanh];
        let activations = match &self.activations[..] {
            [] => usual.repeat(sizes.directions),
            given => given.to_vec(),
        };
        let results = General {
            cell: Cell::Lstm { order: self.places(), input_forget: self.input_forget },
            sizes,
            reversed: self.direction.reversed(),
            activations: &activations,
            clip: self.clip,
            x: &wide[0],
            w: &wide[1],
            r: &wide[2],
            b: optional(at.b),
            lengths: lengths.as_deref(),
            h0: optional(at.h0),
            c0: optional(at.c0),
            p: optional(at.p),
        };
        let results = results.run();
        let all = [results.y, results.h, results.c, results.gates, results.cells];
        let tensors = all.into_iter().zip(types);
        tensors.map(|(data, ty)| Ok(Tensor::new(ty.shape, data)?.cast(ty.dtype))).collect()
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        let given: Vec<_> = (0..3).map(|o| g.diff_dst(o)).collect();
        if given.iter().all(Option::is_none) {
            return Ok(());
        }
        if !self.is_usual() {
            return Err(g.refuse());
        }
        let mut src: Vec<_> = (0..g.sources()).map(|i| g.src(i)).collect();
        src.extend([g.dst(0), g.dst(3), g.dst(4)]);
        src.extend(given.iter().flatten());
        let given = [given[0].is_some(), given[1].is_some(), given[2].is_some()];
        let backward = LSTMBackward { lstm: self.clone(), given };
        let diffs = g.emit(backward, &src)?;
        let at = self.optional();
        for (place, diff) in [at.h0, at.c0].into_iter().zip(&diffs) {
            place.into_iter().for_each(|place| g.set(place, *diff));
        }
        self.differentiate_weights(g, &diffs[2..])
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        if !self.is_usual() {
            return compiler.evaluate();
        }
        let src: Vec<&Shape> = (0..compiler.sources()).map(|i| compiler.src_shape(i)).collect();
        let sizes = self.sizes(&src).expect("checked by infer");
        let (lstm, passes) = (self.clone(), self.passes(sizes));
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            let [y, h, c, gates, cells] = dst else { return };
            for pass in &passes {
                let rows = sizes.steps * sizes.batch;
                let part = |len: usize| pass.direction * len..(pass.direction + 1) * len;
                let dst = Results {
                    y,
                    h,
                    c,
                    gates: &mut gates[part(rows * 4 * sizes.hidden)],
                    cells: &mut cells[part(rows * sizes.hidden)],
                };
                pass.forward(lstm.weights(src, pass), dst);
            }
        })
    }

    fn compiles(&self, src: &[DType]) -> bool {
        self.is_usual() && src.iter().all(|&dtype| dtype == DType::F32)
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        let rows: usize = src[0].dims()[..2].iter().product();
        let bytes = src.iter().chain(dst).map(|s| s.bytes() as f64).sum();
        Cost { flops: 2.0 * (rows * (src[1].len() + src[2].len())) as f64, bytes }
    }
}

impl LSTM {
    /// Adds the gradients of x, w, r and b: products with those of the gates, of which `diffs` has
    /// one of each direction, and behind it the results before each step.
    fn differentiate_weights(&self, g: &mut Gradient<'_>, diffs: &[ValueId]) -> Result<(), Error> {
        let shapes = [0, 1, 2].map(|i| g.shape(g.src(i)));
        let [rows, gates, inputs] = {
            let (x, w) = (shapes[0].dims(), shapes[1].dims());
            [x[0] * x[1], w[1], w[2]]
        };
        let x = reshape(g, g.src(0), &[rows, inputs])?;
        let mut dx: Option<ValueId> = None;
        let (mut dw, mut dr, mut db) = (Vec::new(), Vec::new(), Vec::new());
        for (direction, pair) in diffs.chunks_exact(2).enumerate() {
            let (diff, before) = (pair[0], pair[1]);
            if g.needs(0) {
                let index = g.constant(Tensor::scalar(direction as i64));
                let w = match diffs.len() {
                    2 => reshape(g, g.src(1), &[gates, inputs])?,
                    _ => g.emit(Gather { axis: 0 }, &[g.src(1), index])?[0],
                };
                let part = g.emit(Gemm::default(), &[diff, w])?[0];
                dx = Some(match dx {
                    Some(sum) => g.emit(Add::default(), &[sum, part])?[0],
                    None => part,
                });
            }
            for (i, with, to) in [(1, x, &mut dw), (2, before, &mut dr)] {
                if g.needs(i) {
                    to.push(g.emit(Gemm::new(true, false), &[diff, with])?[0]);
                }
            }
            if let Some(b) = self.optional().b
                && g.needs(b)
            {
                let sum = g.emit(SumTo { shape: Shape::new(&[gates]) }, &[diff])?[0];
                // Both biases of a gate have its gradient.
                db.extend([sum, sum]);
            }
        }
        if let Some(dx) = dx {
            let dx = reshape(g, dx, shapes[0].dims())?;
            g.set(0, dx);
        }
        for (place, parts) in [(Some(1), dw), (Some(2), dr), (self.optional().b, db)] {
            let (Some(place), false) = (place, parts.is_empty()) else { continue };
            let all = match parts[..] {
                [part] => part,
                _ => g.emit(Concat { axis: 0 }, &parts)?[0],
            };
            let dims = g.shape(g.src(place));
            let all = reshape(g, all, dims.dims())?;
            g.set(place, all);
        }
        Ok(())
    }
}

fn reshape(g: &mut Gradient<'_>, value: ValueId, dims: &[usize]) -> Result<ValueId, Error> {
    let shape = dims.iter().map(|&dim| dim as i64).collect();
    Ok(g.emit(Reshape { shape }, &[value])?[0])
}

/// The gradients of initial_h and initial_c; then for each direction those of the gates
/// \[rows, 4h\] and the results before each step \[rows, h\]. Sources: those of [`LSTM`], y, gates and
/// cells, the gradients of y, h and c that there are.
#[derive(Clone, Debug)]
struct LSTMBackward {
    lstm: LSTM,
    given: [bool; 3],
}

impl Op for LSTMBackward {
    fn name(&self) -> &'static str {
        "LSTMBackward"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        let count = self.lstm.optional().count;
        let shapes: Vec<&Shape> = src[..count].iter().map(|ty| &ty.shape).collect();
        let sizes = self.lstm.sizes(&shapes)?;
        let rows = sizes.steps * sizes.batch;
        let kept = [4 * sizes.hidden, sizes.hidden].map(|cols| Shape::new(&[rows, cols]));
        let states = [sizes.state(), sizes.state()].into_iter();
        let all = states.chain((0..sizes.directions).flat_map(|_| kept.clone()));
        Ok(all.map(|shape| src[0].with_shape(shape)).collect())
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let Self { lstm, given } = self.clone();
        let count = lstm.optional().count;
        let src: Vec<&Shape> = (0..count).map(|i| compiler.src_shape(i)).collect();
        let sizes = lstm.sizes(&src).expect("checked by infer");
        let passes = lstm.passes(sizes);
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            let [h0, c0, kept @ ..] = dst else { return };
            let mut diffs = src[count + 3..].iter().copied();
            let given = given.map(|given| if given { diffs.next() } else { None });
            for (pass, to) in passes.iter().zip(kept.chunks_exact_mut(2)) {
                let [gates, before] = to else { return };
                let part = |len: usize| pass.direction * len..(pass.direction + 1) * len;
                let rows = sizes.steps * sizes.batch;
                let kept = [
                    src[count],
                    &src[count + 1][part(rows * 4 * sizes.hidden)],
                    &src[count + 2][part(rows * sizes.hidden)],
                ];
                pass.backward(
                    lstm.weights(src, pass),
                    kept,
                    given,
                    Gradients { gates, before, h0, c0 },
                );
            }
        })
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        let rows: usize = src[0].dims()[..2].iter().product();
        let bytes = src.iter().chain(dst).map(|s| s.bytes() as f64).sum();
        Cost { flops: 2.0 * (rows * src[2].len()) as f64, bytes }
    }
}
