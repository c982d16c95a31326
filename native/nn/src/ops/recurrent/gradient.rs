//! The gradients of the recurrent ops: a kernel that goes back through time, and products of what it
//! gives with what the weights were multiplied by.

use super::cell::Cell;
use super::pass::{Given, Gradients};
use super::settings::{Settings, cost};
use crate::op::{Cost, Op};
use crate::ops::sum_to::SumTo;
use crate::ops::{Add, Concat, Gather, Gemm, Reshape, Split};
use crate::{Compiler, Error, Gradient, OpError, TensorType, ValueId};
use tensor::{Shape, Tensor};

/// Adds the gradients of all sources of a recurrent op.
pub(super) fn differentiate(settings: &Settings, g: &mut Gradient<'_>) -> Result<(), Error> {
    let states = settings.cell.states();
    let given: Vec<_> = (0..=states).map(|o| g.diff_dst(o)).collect();
    if given.iter().all(Option::is_none) {
        return Ok(());
    }
    if !settings.is_usual() {
        return Err(g.refuse());
    }
    let mut src: Vec<_> = (0..g.sources()).map(|i| g.src(i)).collect();
    src.extend([g.dst(0), g.dst(1 + states)]);
    src.extend(given.iter().flatten());
    let given = given.iter().map(Option::is_some).collect();
    let diffs = g.emit(RecurrentBackward { settings: settings.clone(), given }, &src)?;
    let at = settings.optional();
    for (place, diff) in [at.h0, at.c0].into_iter().zip(&diffs) {
        place.into_iter().for_each(|place| g.set(place, *diff));
    }
    let each = diffs[states..].chunks_exact(settings.cell.diffs().len());
    let factors = each.map(|diffs| Factors::of(settings.cell, g, diffs));
    let factors = factors.collect::<Result<Vec<_>, _>>()?;
    differentiate_weights(g, at.b, &factors)
}

/// What the gradients of a direction's weights are made of.
struct Factors {
    /// Gradient of W x + b \[rows, gates\].
    inputs: ValueId,
    /// Gradient of R h' + b' \[rows, gates\].
    state: ValueId,
    /// Its parts, gate after gate, with what R was multiplied by there \[rows, h\].
    products: Vec<[ValueId; 2]>,
}

impl Factors {
    /// From what [`Cell::diffs`] says.
    fn of(cell: Cell, g: &mut Gradient<'_>, diffs: &[ValueId]) -> Result<Factors, Error> {
        let (inputs, before) = (diffs[0], diffs[1]);
        let (state, products) = match cell {
            Cell::Rnn | Cell::Lstm { .. } => (inputs, vec![[inputs, before]]),
            Cell::Gru { linear_before_reset: true } => (diffs[2], vec![[diffs[2], before]]),
            Cell::Gru { linear_before_reset: false } => {
                let h = g.shape(before).dims()[1];
                let split = Split { axis: 1, split: vec![2 * h, h], ..Split::default() };
                let parts = g.emit(split, &[inputs])?;
                (inputs, vec![[parts[0], before], [parts[1], diffs[2]]])
            }
        };
        Ok(Factors { inputs, state, products })
    }
}

/// Adds the gradients of x, w, r and b.
fn differentiate_weights(
    g: &mut Gradient<'_>,
    b: Option<usize>,
    directions: &[Factors],
) -> Result<(), Error> {
    let shapes = [0, 1].map(|i| g.shape(g.src(i)));
    let [rows, gates, inputs] = {
        let (x, w) = (shapes[0].dims(), shapes[1].dims());
        [x[0] * x[1], w[1], w[2]]
    };
    let x = reshape(g, g.src(0), &[rows, inputs])?;
    let mut dx: Option<ValueId> = None;
    let (mut dw, mut dr, mut db) = (Vec::new(), Vec::new(), Vec::new());
    for (direction, factors) in directions.iter().enumerate() {
        if g.needs(0) {
            let index = g.constant(Tensor::scalar(direction as i64));
            let w = match directions.len() {
                1 => reshape(g, g.src(1), &[gates, inputs])?,
                _ => g.emit(Gather { axis: 0 }, &[g.src(1), index])?[0],
            };
            let part = g.emit(Gemm::default(), &[factors.inputs, w])?[0];
            dx = Some(match dx {
                Some(sum) => g.emit(Add::default(), &[sum, part])?[0],
                None => part,
            });
        }
        if g.needs(1) {
            dw.push(g.emit(Gemm::new(true, false), &[factors.inputs, x])?[0]);
        }
        if g.needs(2) {
            for pair in &factors.products {
                dr.push(g.emit(Gemm::new(true, false), pair)?[0]);
            }
        }
        if b.is_some_and(|b| g.needs(b)) {
            let shape = Shape::new(&[gates]);
            let sum = g.emit(SumTo { shape: shape.clone() }, &[factors.inputs])?[0];
            db.push(sum);
            db.push(match factors.state == factors.inputs {
                true => sum,
                false => g.emit(SumTo { shape }, &[factors.state])?[0],
            });
        }
    }
    if let Some(dx) = dx {
        let dx = reshape(g, dx, shapes[0].dims())?;
        g.set(0, dx);
    }
    for (place, parts) in [(Some(1), dw), (Some(2), dr), (b, db)] {
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

fn reshape(g: &mut Gradient<'_>, value: ValueId, dims: &[usize]) -> Result<ValueId, Error> {
    let shape = dims.iter().map(|&dim| dim as i64).collect();
    Ok(g.emit(Reshape { shape }, &[value])?[0])
}

/// The gradients of the initial states; then for each direction what [`Cell::diffs`] says, in rows as
/// those of x. Sources: those of the op, y, what forward kept, the gradients of y and of the last
/// states that there are.
#[derive(Clone, Debug)]
struct RecurrentBackward {
    settings: Settings,
    /// Which gradients of results there are.
    given: Vec<bool>,
}

impl Op for RecurrentBackward {
    fn name(&self) -> &'static str {
        match self.settings.cell {
            Cell::Rnn => "RNNBackward",
            Cell::Gru { .. } => "GRUBackward",
            Cell::Lstm { .. } => "LSTMBackward",
        }
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        let Settings { cell, .. } = self.settings;
        let count = self.settings.optional().count;
        let shapes: Vec<&Shape> = src[..count].iter().map(|ty| &ty.shape).collect();
        let sizes = self.settings.sizes(&shapes)?;
        let rows = sizes.steps * sizes.batch;
        let diffs = cell.diffs().repeat(sizes.directions);
        let states = (0..cell.states()).map(|_| sizes.state());
        let diffs = diffs.into_iter().map(|width| Shape::new(&[rows, width * sizes.hidden]));
        Ok(states.chain(diffs).map(|shape| src[0].with_shape(shape)).collect())
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let Self { settings, given } = self.clone();
        let count = settings.optional().count;
        let src: Vec<&Shape> = (0..count).map(|i| compiler.src_shape(i)).collect();
        let sizes = settings.sizes(&src).expect("checked by infer");
        let passes = settings.passes(sizes);
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            let cell = settings.cell;
            let (y, kept, mut diffs) = (src[count], src[count + 1], src[count + 2..].iter());
            let mut next = |o: usize| match given.get(o) {
                Some(true) => diffs.next().copied(),
                _ => None,
            };
            let given = Given { y: next(0), h: next(1), c: next(2) };
            let (states, parts) = dst.split_at_mut(cell.states());
            let [h0, c0 @ ..] = states else { return };
            let kept = kept.chunks_exact(kept.len() / passes.len());
            let parts = parts.chunks_exact_mut(cell.diffs().len());
            for ((pass, kept), part) in passes.iter().zip(kept).zip(parts) {
                let [gates, before, more @ ..] = part else { return };
                let more = more.first_mut().map_or(&mut [][..], |more| more);
                let c0 = c0.first_mut().map(|c0| &mut **c0);
                let dst = Gradients { h0, c0, gates, before, more };
                pass.backward(settings.weights(src, pass), [y, kept], given, dst);
            }
        })
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        cost(src, dst, &[2])
    }
}
