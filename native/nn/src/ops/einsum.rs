//! Sums of products by Einstein's convention.

use super::exact::number_types;
use super::{MatMul, ReduceSum, Reshape, Slice, Transpose};
use crate::op::Op;
use crate::{Error, Graph, OpError, TensorType, ValueId};
use serde::{Deserialize, Serialize};
use tensor::{DType, Shape};

/// y = the sum, over the letters that the output does not name, of the products of the operands'
/// elements at the places that the letters name: `"ij,jk->ik"` is the matrix product, `"ii->i"` the
/// diagonal. ONNX `Einsum`.
///
/// Without `->` the output has the letters that occur once, in alphabetical order, behind the
/// dimensions of `...`. Dimensions of size 1 are repeated. Integers wrap around.
///
/// In a graph it is a chain of transpositions and matrix products, one operand at a time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Einsum {
    /// Letters of each operand, and of the output.
    pub equation: String,
}

/// The letters; dimensions of an ellipsis have numbers, counted from the last.
type Labels = Vec<char>;

/// An equation for operands of known shapes.
#[derive(Clone, Debug)]
struct Problem {
    operands: Vec<(Labels, Shape)>,
    output: Labels,
}

/// What stands for dimension `i`, counted from the last, of an ellipsis.
fn unnamed(i: usize) -> char {
    char::from_u32(0x100 + i as u32).unwrap_or('?')
}

impl Einsum {
    fn refuse(&self, expected: &str, got: String) -> OpError {
        OpError::mismatch(
            format!("{expected} in the equation \"{}\"", self.equation),
            got,
            "Name each dimension of each operand by a letter, or by ....",
        )
    }

    fn problem(&self, shapes: &[&Shape]) -> Result<Problem, OpError> {
        let equation: String = self.equation.chars().filter(|c| !c.is_whitespace()).collect();
        let (left, right) = match equation.split_once("->") {
            Some((left, right)) => (left, Some(right)),
            None => (&equation[..], None),
        };
        let terms: Vec<&str> = left.split(',').collect();
        if terms.len() != shapes.len() {
            let got = format!("{} operands", shapes.len());
            return Err(self.refuse("as many operands as terms", got));
        }
        let mut operands = Vec::new();
        let mut widest = 0;
        for (term, shape) in terms.into_iter().zip(shapes) {
            let named = term.replace("...", "").chars().count();
            let free = shape.rank().checked_sub(named);
            let Some(free) = free.filter(|&free| free == 0 || term.contains("...")) else {
                return Err(self.refuse(&format!("{} dimensions", named), shape.to_string()));
            };
            widest = widest.max(free);
            operands.push((self.labels(term, free)?, (*shape).clone()));
        }
        let output = match right {
            Some(term) => self.labels(term, widest)?,
            None => {
                let mut all: Labels = operands.iter().flat_map(|o| o.0.clone()).collect();
                all.sort_unstable();
                let once = |c: &char| c.is_ascii() && all.iter().filter(|a| *a == c).count() == 1;
                let named = all.iter().copied().filter(once);
                (0..widest).rev().map(unnamed).chain(named).collect()
            }
        };
        let problem = Problem { operands, output };
        for (i, label) in problem.output.iter().enumerate() {
            let known = problem.operands.iter().any(|(labels, _)| labels.contains(label));
            if !known || problem.output[..i].contains(label) {
                return Err(self.refuse("an output of different letters", format!("{label}")));
            }
        }
        for (labels, shape) in &problem.operands {
            for (label, &dim) in labels.iter().zip(shape.dims()) {
                let size = problem.size(*label);
                if dim != size && dim != 1 {
                    return Err(self.refuse(&format!("{label} of size {size}"), dim.to_string()));
                }
            }
        }
        Ok(problem)
    }

    /// The labels of a term whose ellipsis has `free` dimensions.
    fn labels(&self, term: &str, free: usize) -> Result<Labels, OpError> {
        let (before, behind) = term.split_once("...").unwrap_or((term, ""));
        let ellipsis = if term.contains("...") { free } else { 0 };
        let mut labels: Labels = before.chars().collect();
        labels.extend((0..ellipsis).rev().map(unnamed));
        labels.extend(behind.chars());
        match labels.iter().find(|c| c.is_ascii() && !c.is_ascii_alphabetic()) {
            Some(other) => Err(self.refuse("letters", format!("'{other}'"))),
            None => Ok(labels),
        }
    }
}

impl Problem {
    /// Size of a label; 1 gives way to any other.
    fn size(&self, label: char) -> usize {
        let all = self.operands.iter().flat_map(|(labels, shape)| labels.iter().zip(shape.dims()));
        let mut sizes = all.filter(|(l, _)| **l == label).map(|(_, &dim)| dim);
        let first = sizes.next().unwrap_or(1);
        if first != 1 { first } else { sizes.find(|&dim| dim != 1).unwrap_or(1) }
    }

    fn shape(&self, labels: &[char]) -> Shape {
        labels.iter().map(|&label| self.size(label)).collect::<Vec<_>>().into()
    }
}

impl Op for Einsum {
    fn name(&self) -> &'static str {
        "Einsum"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        number_types(src, |src| {
            let problem = self.problem(src)?;
            Ok(vec![problem.shape(&problem.output)])
        })
    }

    fn compiles(&self, _: &[DType]) -> bool {
        true
    }

    fn compose(
        &self,
        graph: &mut Graph,
        name: &str,
        src: &[ValueId],
    ) -> Result<Option<Vec<ValueId>>, Error> {
        let shapes: Vec<Shape> = src.iter().map(|&value| graph.shape(value).clone()).collect();
        let problem = self.problem(&shapes.iter().collect::<Vec<_>>());
        let problem =
            problem.map_err(|source| Error::Op { op: "Einsum", node: name.into(), source })?;
        Parts { graph, name }.compose(&problem, src).map(|value| Some(vec![value]))
    }
}

/// A value and the label of each of its dimensions.
struct Term {
    value: ValueId,
    labels: Labels,
}

/// Where the parts of a sum of products are added.
struct Parts<'g> {
    graph: &'g mut Graph,
    name: &'g str,
}

impl Parts<'_> {
    fn compose(&mut self, problem: &Problem, src: &[ValueId]) -> Result<ValueId, Error> {
        let mut terms = Vec::new();
        for (&value, (labels, _)) in src.iter().zip(&problem.operands) {
            let term = self.without_repeated(value, labels, problem)?;
            terms.push(self.diagonal(term)?);
        }
        let mut terms = terms.into_iter();
        let mut whole = terms.next();
        // A letter is summed over as soon as nobody needs it any more.
        let mut rest: Vec<Term> = terms.rev().collect();
        while let Some(term) = whole.take() {
            let needed = |rest: &[Term]| -> Labels {
                rest.iter().flat_map(|term| &term.labels).chain(&problem.output).copied().collect()
            };
            let term = self.summed(term, &needed(&rest))?;
            let Some(next) = rest.pop() else {
                let place = |label| term.labels.iter().position(|l| l == label).unwrap_or(0);
                let perm = problem.output.iter().map(place).collect();
                return self.transposed(term.value, perm);
            };
            let kept = needed(&rest);
            let next = self.summed(next, &[&kept[..], &term.labels].concat())?;
            whole = Some(self.product(&term, &next, &kept)?);
        }
        Err(Error::Op { op: "Einsum", node: self.name.into(), source: OpError::NotEvaluated })
    }

    fn one(&mut self, op: impl Op, src: &[ValueId]) -> Result<ValueId, Error> {
        Ok(self.graph.add(self.name, op, src)?[0])
    }

    fn dims(&self, value: ValueId) -> Vec<i64> {
        self.graph.shape(value).dims().iter().map(|&dim| dim as i64).collect()
    }

    fn reshaped(&mut self, value: ValueId, shape: Vec<i64>) -> Result<ValueId, Error> {
        if self.dims(value) == shape { Ok(value) } else { self.one(Reshape { shape }, &[value]) }
    }

    fn transposed(&mut self, value: ValueId, perm: Vec<usize>) -> Result<ValueId, Error> {
        if perm.is_sorted() { Ok(value) } else { self.one(Transpose { perm }, &[value]) }
    }

    /// An operand without its dimensions of size 1 where the letter's size is another.
    fn without_repeated(
        &mut self,
        value: ValueId,
        labels: &[char],
        problem: &Problem,
    ) -> Result<Term, Error> {
        let dims = self.dims(value);
        let kept = |i: &usize| dims[*i] == problem.size(labels[*i]) as i64;
        let kept: Vec<usize> = (0..dims.len()).filter(kept).collect();
        let value = self.reshaped(value, kept.iter().map(|&i| dims[i]).collect())?;
        Ok(Term { value, labels: kept.iter().map(|&i| labels[i]).collect() })
    }

    /// The diagonal of dimensions with the same label.
    fn diagonal(&mut self, mut term: Term) -> Result<Term, Error> {
        loop {
            let mut pairs = (0..term.labels.len()).flat_map(|j| (0..j).map(move |i| (i, j)));
            let labels = &term.labels;
            let Some((i, j)) = pairs.find(|&(i, j)| labels[i] == labels[j]) else {
                return Ok(term);
            };
            let dims = self.dims(term.value);
            let others: Vec<usize> = (0..dims.len()).filter(|&d| d != i && d != j).collect();
            let value =
                self.transposed(term.value, others.iter().copied().chain([i, j]).collect())?;
            // The diagonal of a matrix, written row by row, is every (size + 1)-th number.
            let mut square: Vec<i64> = others.iter().map(|&d| dims[d]).collect();
            let axis = square.len() as i64;
            square.push(dims[i] * dims[i]);
            let value = self.reshaped(value, square)?;
            let (starts, ends) = (vec![0], vec![i64::MAX]);
            let op = Slice { starts, ends, axes: vec![axis], steps: vec![dims[i] + 1] };
            let value = self.one(op, &[value])?;
            let labels = others.iter().map(|&d| labels[d]).chain([labels[i]]).collect();
            term = Term { value, labels };
        }
    }

    /// Sums over the labels that are not needed.
    fn summed(&mut self, term: Term, needed: &[char]) -> Result<Term, Error> {
        let (kept, gone): (Vec<usize>, Vec<usize>) =
            (0..term.labels.len()).partition(|&i| needed.contains(&term.labels[i]));
        if gone.is_empty() {
            return Ok(term);
        }
        let axes = gone.iter().map(|&i| i as i64).collect();
        let op = ReduceSum { axes, keepdims: false, noop_with_empty_axes: true };
        let value = self.one(op, &[term.value])?;
        Ok(Term { value, labels: kept.iter().map(|&i| term.labels[i]).collect() })
    }

    /// The product of two terms, summed over the labels that they share and nothing else needs.
    fn product(&mut self, a: &Term, b: &Term, needed: &[char]) -> Result<Term, Error> {
        let shared = |label: &char| a.labels.contains(label) && b.labels.contains(label);
        let pick = |from: &Term, f: &dyn Fn(&char) -> bool| -> Labels {
            from.labels.iter().copied().filter(|label| f(label)).collect()
        };
        let batch = pick(a, &|label| shared(label) && needed.contains(label));
        let inner = pick(a, &|label| shared(label) && !needed.contains(label));
        let rows = pick(a, &|label| !shared(label));
        let columns = pick(b, &|label| !shared(label));
        let (left, a_sizes) = self.matrix(a, [&batch, &rows, &inner])?;
        let (right, b_sizes) = self.matrix(b, [&batch, &inner, &columns])?;
        let value = self.one(MatMul::default(), &[left, right])?;
        let shape = [&a_sizes[0][..], &a_sizes[1], &b_sizes[2]].concat();
        let value = self.reshaped(value, shape)?;
        Ok(Term { value, labels: [batch, rows, columns].concat() })
    }

    /// A term as \[batch …, Π first, Π second\], and the extents of the three groups.
    fn matrix(
        &mut self,
        term: &Term,
        groups: [&[char]; 3],
    ) -> Result<(ValueId, [Vec<i64>; 3]), Error> {
        let place = |label: &char| term.labels.iter().position(|l| l == label).unwrap_or(0);
        let dims = self.dims(term.value);
        let sizes = groups.map(|group| group.iter().map(|l| dims[place(l)]).collect::<Vec<i64>>());
        let perm = groups.iter().flat_map(|group| group.iter().map(place)).collect();
        let value = self.transposed(term.value, perm)?;
        let mut shape = sizes[0].clone();
        shape.extend([sizes[1].iter().product::<i64>(), sizes[2].iter().product()]);
        Ok((self.reshaped(value, shape)?, sizes))
    }
}
