//! Reverse-mode differentiation: gradients become nodes of the same graph.

use crate::graph::{Graph, Source, ValueId};
use crate::op::Op;
use crate::ops::Add;
use crate::{Error, ParameterKind, TensorType};
use std::sync::Arc;
use tensor::{Shape, Tensor};

/// What an op sees when it adds the nodes of its gradient.
pub struct Gradient<'g> {
    graph: &'g mut Graph,
    node: usize,
    diff_dst: Vec<Option<ValueId>>,
    needs: Vec<bool>,
    diff_src: Vec<Option<ValueId>>,
}

impl Gradient<'_> {
    /// Source `i` of the node.
    pub fn src(&self, i: usize) -> ValueId {
        self.graph.nodes[self.node].src[i]
    }

    /// Number of sources.
    pub fn sources(&self) -> usize {
        self.graph.nodes[self.node].src.len()
    }

    /// Output `o` of the node.
    pub fn dst(&self, o: usize) -> ValueId {
        self.graph.nodes[self.node].dst[o]
    }

    /// Gradient of output `o`; none if nothing depends on it or if it is the loss itself.
    pub fn diff_dst(&self, o: usize) -> Option<ValueId> {
        self.diff_dst[o]
    }

    /// True if the gradient of source `i` is wanted.
    pub fn needs(&self, i: usize) -> bool {
        self.needs.get(i).copied().unwrap_or(false)
    }

    /// Shape of a value.
    pub fn shape(&self, value: ValueId) -> Shape {
        self.graph.shape(value).clone()
    }

    /// Element type and shape of a value.
    pub fn tensor_type(&self, value: ValueId) -> TensorType {
        self.graph.tensor_type(value).clone()
    }

    /// A value that is the same in each run.
    pub fn constant(&mut self, tensor: Tensor) -> ValueId {
        self.graph.constant(tensor)
    }

    /// The content of a constant.
    pub fn known(&self, value: ValueId) -> Option<&Arc<Tensor>> {
        self.graph.known(value)
    }

    /// Adds a node named after this one.
    ///
    /// # Errors
    /// [`Error::Op`] if the shapes do not fit.
    pub fn emit(&mut self, op: impl Op, src: &[ValueId]) -> Result<Vec<ValueId>, Error> {
        let name = format!("{}/{}", self.graph.nodes[self.node].name, op.name());
        self.graph.add(&name, op, src)
    }

    /// Gives the gradient of source `i`.
    pub fn set(&mut self, i: usize, diff: ValueId) {
        self.diff_src[i] = Some(diff);
    }

    /// The error of an op without gradient.
    pub fn refuse(&self) -> Error {
        let node = &self.graph.nodes[self.node];
        Error::NotDifferentiable { op: node.op.name(), node: node.name.clone() }
    }
}

/// Adds to `graph` the gradients of `loss` by every trainable parameter, as results.
///
/// `loss` is the output of a loss op, which scales its own gradient. Contributions to one value
/// are added in the reverse order of the nodes that use it.
///
/// # Errors
/// [`Error::NotDifferentiable`] if an op between a parameter and the loss has no gradient.
pub fn differentiate(graph: &mut Graph, loss: ValueId) -> Result<(), Error> {
    let Source::Node(last) = graph.values[loss.0].source else { return Ok(()) };
    let needs = depends_on_trainable(graph);
    let mut diffs: Vec<Option<ValueId>> = vec![None; graph.values.len()];
    for node in (0..=last).rev() {
        let dst = graph.nodes[node].dst.clone();
        let diff_dst: Vec<_> = dst.iter().map(|v| diffs[v.0]).collect();
        let is_loss = dst.contains(&loss);
        if !is_loss && diff_dst.iter().all(Option::is_none) {
            continue;
        }
        let src = graph.nodes[node].src.clone();
        let wanted: Vec<bool> = src.iter().map(|v| needs[v.0]).collect();
        if !wanted.iter().any(|&w| w) {
            continue;
        }
        let op = graph.nodes[node].op.clone();
        let diff_src = vec![None; src.len()];
        let mut gradient = Gradient { graph, node, diff_dst, needs: wanted, diff_src };
        op.differentiate(&mut gradient)?;
        for (value, diff) in src.iter().zip(gradient.diff_src) {
            let Some(diff) = diff else { continue };
            diffs[value.0] = Some(match diffs[value.0] {
                Some(sum) => {
                    let name = format!("{}/accumulate", graph.nodes[node].name);
                    graph.add(&name, Add::default(), &[sum, diff])?[0]
                }
                None => diff,
            });
        }
    }
    for (value, diff) in diffs.iter().enumerate() {
        if let (&Source::Parameter(index), Some(diff)) = (&graph.values[value].source, diff) {
            graph.results.push((index, *diff));
        }
    }
    Ok(())
}

/// For each value: is it a float below which a trainable parameter lies?
fn depends_on_trainable(graph: &Graph) -> Vec<bool> {
    let mut depends: Vec<bool> = graph
        .values
        .iter()
        .map(|v| match v.source {
            Source::Parameter(i) => graph.parameters.at(i).kind == ParameterKind::Trainable,
            _ => false,
        })
        .collect();
    for node in &graph.nodes {
        if node.src.iter().any(|v| depends[v.0]) {
            for v in &node.dst {
                depends[v.0] = graph.values[v.0].ty.dtype.is_float();
            }
        }
    }
    depends
}
