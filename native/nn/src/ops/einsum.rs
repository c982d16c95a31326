//! Sums of products by Einstein's convention.

use super::exact::{Compute, Number, compute, number_types};
use super::sum_to::SumTo;
use crate::op::{Cost, Op};
use crate::tensor_type::infer_tensors;
use crate::{Error, Gradient, OpError, TensorType};
use serde::{Deserialize, Serialize};
use tensor::{DType, Shape, Tensor};

/// y = the sum, over the letters that the output does not name, of the products of the operands'
/// elements at the places that the letters name: `"ij,jk->ik"` is the matrix product, `"ii->i"` the
/// diagonal. ONNX `Einsum`.
///
/// Without `->` the output has the letters that occur once, in alphabetical order, behind the
/// dimensions of `...`. Dimensions of size 1 are repeated. Integers wrap around.
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

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        let Some(dy) = g.diff_dst(0) else { return Ok(()) };
        let shapes: Vec<Shape> = (0..g.sources()).map(|i| g.shape(g.src(i))).collect();
        let Ok(problem) = self.problem(&shapes.iter().collect::<Vec<_>>()) else {
            return Err(g.refuse());
        };
        for i in (0..g.sources()).filter(|&i| g.needs(i)).collect::<Vec<_>>() {
            let diff = problem.gradient(i, g, dy)?;
            g.set(i, diff);
        }
        Ok(())
    }

    fn compiles(&self, _src: &[DType]) -> bool {
        false
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        let dst = infer_tensors(self, src)?.remove(0);
        let shapes: Vec<&Shape> = src.iter().map(|tensor| tensor.shape()).collect();
        Ok(vec![compute(&self.problem(&shapes)?, src, &dst)?])
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        let bytes = src.iter().chain(dst).map(|s| s.bytes() as f64).sum();
        let Ok(problem) = self.problem(&src.iter().collect::<Vec<_>>()) else {
            return Cost { flops: 0.0, bytes };
        };
        let mut labels: Labels = problem.operands.iter().flat_map(|o| o.0.clone()).collect();
        labels.sort_unstable();
        labels.dedup();
        Cost { flops: src.len() as f64 * problem.shape(&labels).len() as f64, bytes }
    }
}

impl Problem {
    /// The gradient of operand `i`: the operand's letters of dy, all other operands and, for
    /// letters that only this one has, ones in its own shape.
    fn gradient(
        &self,
        i: usize,
        g: &mut Gradient<'_>,
        dy: crate::ValueId,
    ) -> Result<crate::ValueId, Error> {
        let (labels, shape) = &self.operands[i];
        if (1..labels.len()).any(|d| labels[..d].contains(&labels[d])) {
            return Err(g.refuse());
        }
        let mut known: Labels = Vec::new();
        let mut letter = |label: &char| {
            let at = known.iter().position(|k| k == label).unwrap_or_else(|| {
                known.push(*label);
                known.len() - 1
            });
            char::from(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"[at.min(51)])
        };
        let mut term = |labels: &Labels| labels.iter().map(&mut letter).collect::<String>();
        let ones = Tensor::new(shape.clone(), vec![1.0f32; shape.len()])?;
        let ones = g.constant(ones.cast(g.tensor_type(dy).dtype));
        let (mut terms, mut src) = (vec![term(&self.output), term(labels)], vec![dy, ones]);
        for (other, (labels, _)) in self.operands.iter().enumerate().filter(|o| o.0 != i) {
            terms.push(term(labels));
            src.push(g.src(other));
        }
        let equation = format!("{}->{}", terms.join(","), term(labels));
        let diff = g.emit(Einsum { equation }, &src)?[0];
        if g.shape(diff) == *shape {
            return Ok(diff);
        }
        Ok(g.emit(SumTo { shape: shape.clone() }, &[diff])?[0])
    }

    /// Distance of neighbours along each of `along` in an operand; repeated letters add up.
    fn strides(labels: &[char], shape: &Shape, along: &[char]) -> Vec<usize> {
        let strides = shape.strides();
        let stride = |label: &char| {
            let held = labels.iter().zip(shape.dims()).zip(&strides);
            held.filter(|((l, dim), _)| *l == label && **dim != 1).map(|(_, s)| s).sum()
        };
        along.iter().map(stride).collect()
    }
}

/// Positions of all places of `shape` in row-major order, in something read with these strides.
fn positions(shape: &Shape, strides: &[usize]) -> Vec<usize> {
    let mut positions = vec![0];
    for (&dim, &stride) in shape.dims().iter().zip(strides) {
        positions = positions.iter().flat_map(|p| (0..dim).map(move |i| p + i * stride)).collect();
    }
    positions
}

impl Compute for Problem {
    fn compute<T: Number>(&self, src: &[&[T]]) -> Vec<T> {
        let one = T::from_wide(tensor::Wide::Int(1));
        let mut product = (Labels::new(), Shape::new(&[]), vec![one]);
        // One operand at a time; a letter is summed over as soon as nobody needs it any more.
        for (i, (labels, shape)) in self.operands.iter().enumerate() {
            let rest = &self.operands[i + 1..];
            let needed = |label: &char| {
                self.output.contains(label) || rest.iter().any(|(l, _)| l.contains(label))
            };
            let mut all = product.0.clone();
            all.extend(labels.iter().filter(|label| !product.0.contains(label)));
            all.dedup();
            let mut kept: Labels = Vec::new();
            let mut summed: Labels = Vec::new();
            for label in all {
                let list = if needed(&label) { &mut kept } else { &mut summed };
                if !list.contains(&label) {
                    list.push(label);
                }
            }
            if rest.is_empty() {
                kept.clone_from(&self.output);
            }
            let (to, over) = (self.shape(&kept), self.shape(&summed));
            let at = |labels: &[char], shape: &Shape| {
                [(&kept, &to), (&summed, &over)]
                    .map(|(along, size)| positions(size, &Problem::strides(labels, shape, along)))
            };
            let ([a_to, a_over], [b_to, b_over]) = (at(&product.0, &product.1), at(labels, shape));
            let made = a_to.iter().zip(&b_to).map(|(a, b)| {
                a_over.iter().zip(&b_over).fold(T::default(), |sum, (over, j)| {
                    sum.plus(product.2[a + over].times(src[i][b + j]))
                })
            });
            product = (kept.clone(), to.clone(), made.collect());
        }
        product.2
    }
}
