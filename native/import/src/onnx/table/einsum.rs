//! Einsum, made of transpositions and products.

use super::super::Error;
use super::super::node::{Made, Node};
use super::{Row, row};
use nn::ValueId;
use nn::ops::{MatMul, ReduceSum, Reshape, Slice, Transpose};

pub(super) const ROWS: &[Row] = &[row("Einsum", 12, einsum)];

/// A value and the label of each of its dimensions.
struct Term {
    value: ValueId,
    labels: Vec<char>,
}

/// First label that stands for a dimension of an ellipsis; no equation spells it.
const ELLIPSIS: u32 = 0xE000;

fn einsum(n: &mut Node<'_, '_>) -> Made {
    let equation = n.text("equation")?.unwrap_or_default().replace(' ', "");
    let (left, right) = match equation.split_once("->") {
        Some((left, right)) => (left, Some(right)),
        None => (equation.as_str(), None),
    };
    let inputs = n.inputs()?;
    let parts: Vec<&str> = left.split(',').collect();
    if parts.len() != inputs.len() {
        return Err(n.fail(format!("expected {} inputs for {equation}", parts.len())));
    }
    let mut terms = Vec::new();
    let mut widest = 0;
    for (&value, part) in inputs.iter().zip(&parts) {
        let rank = n.ty(value).dims().len();
        let spelled = part.replace("...", "").chars().count();
        let hidden = rank.checked_sub(spelled).filter(|&h| h == 0 || part.contains("..."));
        let hidden =
            hidden.ok_or_else(|| n.fail(format!("{part} does not fit {rank} dimensions")))?;
        widest = widest.max(hidden);
        terms.push((value, *part, hidden));
    }
    let output = match right {
        Some(right) => labels(right, widest, widest),
        None => implicit(left, widest),
    };
    let terms: Vec<Term> = terms
        .into_iter()
        .map(|(value, part, hidden)| Term { value, labels: labels(part, hidden, widest) })
        .collect();
    let mut rest = Vec::new();
    for term in terms {
        rest.push(diagonal(n, term)?);
    }
    let mut rest = rest.into_iter();
    let mut whole = rest.next().ok_or_else(|| n.fail("expected at least one input"))?;
    let later: Vec<Term> = rest.collect();
    for i in 0..=later.len() {
        let kept: Vec<char> =
            later[i..].iter().flat_map(|term| &term.labels).chain(&output).copied().collect();
        whole = summed(n, whole, &kept)?;
        let Some(next) = later.get(i) else { break };
        let kept: Vec<char> =
            later[i + 1..].iter().flat_map(|term| &term.labels).chain(&output).copied().collect();
        let known: Vec<char> = kept.iter().chain(&whole.labels).copied().collect();
        let next = Term { value: next.value, labels: next.labels.clone() };
        let next = summed(n, next, &known)?;
        whole = product(n, &whole, &next, &kept)?;
    }
    let perm: Option<Vec<usize>> =
        output.iter().map(|label| whole.labels.iter().position(|l| l == label)).collect();
    let perm = perm.filter(|perm| perm.len() == whole.labels.len());
    let perm = perm.ok_or_else(|| n.fail(format!("{equation} names an output of no input")))?;
    Ok(vec![transposed(n, whole.value, perm)?.into()])
}

/// Labels of a term; those of an ellipsis are aligned at the last.
fn labels(part: &str, hidden: usize, widest: usize) -> Vec<char> {
    let dots = (widest - hidden..widest).filter_map(|i| char::from_u32(ELLIPSIS + i as u32));
    match part.split_once("...") {
        Some((before, behind)) => before.chars().chain(dots).chain(behind.chars()).collect(),
        None => part.chars().collect(),
    }
}

/// The ellipsis, then the labels that stand once, in their order.
fn implicit(left: &str, widest: usize) -> Vec<char> {
    let mut once: Vec<char> = left
        .chars()
        .filter(|label| label.is_alphabetic() && left.matches(*label).count() == 1)
        .collect();
    once.sort_unstable();
    let dots = if left.contains("...") { widest } else { 0 };
    (0..dots as u32).filter_map(|i| char::from_u32(ELLIPSIS + i)).chain(once).collect()
}

fn dims(n: &Node<'_, '_>, value: ValueId) -> Vec<i64> {
    n.ty(value).dims().iter().map(|&dim| dim as i64).collect()
}

fn transposed(n: &mut Node<'_, '_>, value: ValueId, perm: Vec<usize>) -> Result<ValueId, Error> {
    if perm.is_sorted() { Ok(value) } else { n.one(Transpose { perm }, &[value]) }
}

/// Takes the diagonal of dimensions with the same label.
fn diagonal(n: &mut Node<'_, '_>, mut term: Term) -> Result<Term, Error> {
    loop {
        let pairs = (0..term.labels.len()).flat_map(|j| (0..j).map(move |i| (i, j)));
        let labels = &term.labels;
        let Some((i, j)) = pairs.into_iter().find(|&(i, j)| labels[i] == labels[j]) else {
            return Ok(term);
        };
        let shape = dims(n, term.value);
        let size = shape[i];
        if size != shape[j] {
            return Err(n.fail(format!("a label has the extents {size} and {}", shape[j])));
        }
        let others: Vec<usize> = (0..shape.len()).filter(|&d| d != i && d != j).collect();
        let perm = others.iter().copied().chain([i, j]).collect();
        let value = transposed(n, term.value, perm)?;
        let mut square: Vec<i64> = others.iter().map(|&d| shape[d]).collect();
        let axis = square.len() as i64;
        square.push(size * size);
        let value = n.one(Reshape { shape: square }, &[value])?;
        let (starts, ends) = (vec![0], vec![i64::MAX]);
        let op = Slice { starts, ends, axes: vec![axis], steps: vec![size + 1] };
        let value = n.one(op, &[value])?;
        let label = term.labels[i];
        let labels = others.iter().map(|&d| term.labels[d]).chain([label]).collect();
        term = Term { value, labels };
    }
}

/// Sums over the labels that nothing else needs.
fn summed(n: &mut Node<'_, '_>, term: Term, kept: &[char]) -> Result<Term, Error> {
    let gone = |label: &char| !kept.contains(label);
    let axes: Vec<i64> =
        (0..term.labels.len()).filter(|&i| gone(&term.labels[i])).map(|i| i as i64).collect();
    if axes.is_empty() {
        return Ok(term);
    }
    let op = ReduceSum { axes, keepdims: false, noop_with_empty_axes: true };
    let value = n.one(op, &[term.value])?;
    Ok(Term { value, labels: term.labels.into_iter().filter(|label| !gone(label)).collect() })
}

/// The product of two terms, summed over the labels that they share and nothing else needs.
fn product(n: &mut Node<'_, '_>, a: &Term, b: &Term, kept: &[char]) -> Result<Term, Error> {
    let shared = |label: &char| a.labels.contains(label) && b.labels.contains(label);
    let pick = |from: &Term, f: &dyn Fn(&char) -> bool| -> Vec<char> {
        from.labels.iter().copied().filter(|label| f(label)).collect()
    };
    let batch = pick(a, &|label| shared(label) && kept.contains(label));
    let inner = pick(a, &|label| shared(label) && !kept.contains(label));
    let rows = pick(a, &|label| !shared(label));
    let columns = pick(b, &|label| !shared(label));
    let (left, a_sizes) = matrix(n, a, [&batch, &rows, &inner])?;
    let (right, b_sizes) = matrix(n, b, [&batch, &inner, &columns])?;
    let value = n.one(MatMul::default(), &[left, right])?;
    let mut shape = dims(n, value)[..batch.len()].to_vec();
    shape.extend(&a_sizes[1]);
    shape.extend(&b_sizes[2]);
    let value = n.one(Reshape { shape }, &[value])?;
    Ok(Term { value, labels: [batch, rows, columns].concat() })
}

/// A term as [batch …, Π first, Π second], and the extents of the three groups.
fn matrix(
    n: &mut Node<'_, '_>,
    term: &Term,
    groups: [&[char]; 3],
) -> Result<(ValueId, [Vec<i64>; 3]), Error> {
    let place = |label: &char| term.labels.iter().position(|l| l == label).unwrap_or(0);
    let all = dims(n, term.value);
    let sizes = groups.map(|group| group.iter().map(|l| all[place(l)]).collect::<Vec<i64>>());
    let perm = groups.iter().flat_map(|group| group.iter().map(place)).collect();
    let value = transposed(n, term.value, perm)?;
    let mut shape = sizes[0].clone();
    shape.push(sizes[1].iter().product());
    shape.push(sizes[2].iter().product());
    Ok((n.one(Reshape { shape }, &[value])?, sizes))
}
