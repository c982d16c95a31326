//! What the recurrent ops have in common: sources, shapes, results, and when there are kernels.

use super::cell::Cell;
use super::gate_activation::GateActivation;
use super::general::General;
use super::pass::{Pass, Results, Weights};
use super::sequence::{Direction, Sequence, mismatch};
use crate::op::Cost;
use crate::tensor_type::infer_tensors;
use crate::{Compiler, Error, Op, OpError, TensorType};
use tensor::{DType, Shape, Tensor};

/// The settings of a recurrent op.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub cell: Cell,
    pub direction: Direction,
    pub batch_first: bool,
    /// Those of all directions; empty means the usual ones.
    pub activations: Vec<GateActivation>,
    pub clip: Option<f32>,
    /// Which sources there are behind the third: biases, lengths, first results, first cells,
    /// peepholes.
    pub there: [bool; 5],
}

/// Numbers of the optional sources.
#[derive(Clone, Copy, Debug)]
pub(super) struct Optional {
    pub b: Option<usize>,
    pub lengths: Option<usize>,
    pub h0: Option<usize>,
    pub c0: Option<usize>,
    pub p: Option<usize>,
    /// Number of all sources.
    pub count: usize,
}

impl Settings {
    pub fn optional(&self) -> Optional {
        let mut count = 3;
        let [b, lengths, h0, c0, p] = self.there.map(|there| {
            count += usize::from(there);
            there.then(|| count - 1)
        });
        Optional { b, lengths, h0, c0, p, count }
    }

    /// The functions of all directions.
    fn activations(&self) -> Vec<GateActivation> {
        match &self.activations[..] {
            [] => self.cell.activations().repeat(self.direction.reversed().len()),
            given => given.to_vec(),
        }
    }

    /// True if there are kernels and gradients.
    pub fn is_usual(&self) -> bool {
        let [_, lengths, _, _, peepholes] = self.there;
        let coupled = matches!(self.cell, Cell::Lstm { input_forget: true, .. });
        let known = match self.cell {
            Cell::Rnn => self
                .activations
                .iter()
                .all(|function| matches!(function, GateActivation::Tanh | GateActivation::Relu)),
            Cell::Gru { .. } | Cell::Lstm { .. } => self.activations.is_empty(),
        };
        known && self.clip.is_none() && !lengths && !peepholes && !coupled
    }

    pub fn sizes(&self, src: &[&Shape]) -> Result<Sequence, OpError> {
        let n = self.cell.gates();
        let refuse = || mismatch(n, self.direction, src);
        let (at, d) = (self.optional(), self.direction.reversed().len());
        if src.len() != at.count {
            return Err(refuse());
        }
        let sizes = Sequence::new(src[0], src[2], self.batch_first, d).ok_or_else(refuse)?;
        let (h, state) = (sizes.hidden, sizes.state());
        let wanted = [
            (Some(1), Shape::new(&[d, n * h, sizes.inputs])),
            (Some(2), Shape::new(&[d, n * h, h])),
            (at.b, Shape::new(&[d, 2 * n * h])),
            (at.lengths, Shape::new(&[sizes.batch])),
            (at.h0, state.clone()),
            (at.c0, state),
            (at.p, Shape::new(&[d, 3 * h])),
        ];
        let fits = wanted.iter().all(|(at, shape)| at.is_none_or(|at| src[at] == shape));
        let functions = self.activations().len() == d * self.cell.activations().len();
        if fits && functions { Ok(sizes) } else { Err(refuse()) }
    }

    /// The results: y, the last states, what backward reads.
    pub fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        let shapes: Vec<&Shape> = src.iter().map(|ty| &ty.shape).collect();
        let sizes = self.sizes(&shapes)?;
        expect_floats(src, self.optional().lengths)?;
        let rows = sizes.directions * sizes.steps * sizes.batch;
        let mut shapes = vec![sizes.y()];
        shapes.resize(1 + self.cell.states(), sizes.state());
        shapes.push(Shape::new(&[rows, self.cell.kept() * sizes.hidden]));
        Ok(shapes.into_iter().map(|shape| src[0].with_shape(shape)).collect())
    }

    /// The results of `op`, whose settings these are, with every option.
    pub fn evaluate(&self, op: &dyn Op, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        let types = infer_tensors(op, src)?;
        let sizes = self.sizes(&src.iter().map(|tensor| tensor.shape()).collect::<Vec<_>>())?;
        let wide = |tensor: &&Tensor| Ok(tensor.cast(DType::F64).into_vec::<f64>()?);
        let wide = src.iter().map(wide).collect::<Result<Vec<_>, OpError>>()?;
        let at = self.optional();
        let lengths = at.lengths.map(|i| src[i].to_i64s()).transpose()?;
        let optional = |i: Option<usize>| i.map(|i| &wide[i][..]);
        let general = General {
            cell: self.cell,
            sizes,
            reversed: self.direction.reversed(),
            activations: &self.activations(),
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
        let results = general.run();
        let mut all = vec![results.y, results.h, results.c];
        all.truncate(1 + self.cell.states());
        all.push(results.kept);
        let tensors = all.into_iter().zip(types);
        tensors.map(|(data, ty)| Ok(Tensor::new(ty.shape, data)?.cast(ty.dtype))).collect()
    }

    pub fn passes(&self, sizes: Sequence) -> Vec<Pass> {
        let activations = self.activations();
        let each = activations.chunks_exact(self.cell.activations().len());
        let directions = self.direction.reversed().iter().zip(each).enumerate();
        let pass = |(direction, (&reversed, functions)): (usize, (&bool, &[GateActivation]))| {
            let activation = functions[0];
            Pass { sizes, direction, reversed, cell: self.cell, activation }
        };
        directions.map(pass).collect()
    }

    /// What a direction reads of the sources.
    pub fn weights<'a>(&self, src: &[&'a [f32]], pass: &Pass) -> Weights<'a> {
        let (at, d, sizes) = (self.optional(), pass.direction, pass.sizes);
        let part = |i: usize, len: usize| &src[i][d * len..(d + 1) * len];
        let gates = self.cell.gates() * sizes.hidden;
        Weights {
            x: src[0],
            w: part(1, gates * sizes.inputs),
            r: part(2, gates * sizes.hidden),
            b: at.b.map(|b| part(b, 2 * gates)),
            h0: at.h0.map(|h0| src[h0]),
            c0: at.c0.map(|c0| src[c0]),
        }
    }

    pub fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        if !self.is_usual() {
            return compiler.evaluate();
        }
        let src: Vec<&Shape> = (0..compiler.sources()).map(|i| compiler.src_shape(i)).collect();
        let sizes = self.sizes(&src).expect("checked by infer");
        let (settings, passes) = (self.clone(), self.passes(sizes));
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            let [y, h, c @ .., kept] = dst else { return };
            let kept = kept.chunks_exact_mut(kept.len() / passes.len());
            for (pass, kept) in passes.iter().zip(kept) {
                let c = c.first_mut().map(|c| &mut **c);
                pass.forward(settings.weights(src, pass), Results { y, h, c, kept });
            }
        })
    }

    pub fn compiles(&self, src: &[DType]) -> bool {
        self.is_usual() && src.iter().all(|&dtype| dtype == DType::F32)
    }
}

/// Arithmetic of products of each row of x with the matrices among the sources that `with` names.
pub(super) fn cost(src: &[Shape], dst: &[Shape], with: &[usize]) -> Cost {
    let rows: usize = src[0].dims()[..2].iter().product();
    let bytes = src.iter().chain(dst).map(|s| s.bytes() as f64).sum();
    let weights: usize = with.iter().map(|&i| src[i].len()).sum();
    Cost { flops: 2.0 * (rows * weights) as f64, bytes }
}

/// Error unless all sources but the lengths have one float type, and those are i32.
fn expect_floats(src: &[&TensorType], lengths: Option<usize>) -> Result<(), OpError> {
    let dtype = src[0].dtype;
    let fits = |(i, ty): (usize, &&TensorType)| {
        if Some(i) == lengths { ty.dtype == DType::I32 } else { ty.dtype == dtype }
    };
    if dtype.is_float() && src.iter().enumerate().all(fits) {
        return Ok(());
    }
    let got: Vec<&str> = src.iter().map(|ty| ty.dtype.name()).collect();
    let remedy = "Cast the inputs to one float type first.";
    let expected = "operands of one float type, lengths of type i32";
    Err(OpError::mismatch(expected, got.join(" and "), remedy))
}
