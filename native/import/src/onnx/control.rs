//! If, Loop and Scan: while a graph is built, branches are chosen and loops are unrolled.

use super::Error;
use super::build::Scope;
use super::node::{Made, Node};
use super::proto::GraphProto;
use super::reader::{Dim, Port};
use super::table::Row;
use super::value::Value;
use nn::ValueId;
use nn::ops::{Concat, Reshape, Slice};
use tensor::{DType, Tensor};

pub(super) const ROWS: &[Row] = &[
    super::table::row("If", 1, |n| {
        let branch =
            if n.known(0)?.get::<bool>()? == [true] { "then_branch" } else { "else_branch" };
        let graph = n.subgraph(branch)?;
        run(n, graph, Vec::new(), 0)
    }),
    super::table::row("Loop", 1, unroll),
    super::table::row("Scan", 9, scan),
];

/// Builds a subgraph with these inputs; its outputs. `turn` tells the names of repeated nodes apart.
fn run(n: &mut Node<'_, '_>, graph: &GraphProto, inputs: Vec<Value>, turn: usize) -> Made {
    let mut scope: Scope<'_> = n.scope.inner(format!("{}/{turn}/", n.name));
    let given = |name: &str| graph.initializer.iter().any(|known| known.name() == name);
    let names = graph.input.iter().map(|info| info.name()).filter(|name| !given(name));
    for (name, value) in names.zip(inputs) {
        scope.values.insert(name.into(), value);
    }
    n.builder.graph(graph, &mut scope)?;
    let made = graph.output.iter().map(|info| {
        let missing = || n.fail(format!("no node of its subgraph makes \"{}\"", info.name()));
        scope.find(info.name()).cloned().ok_or_else(missing)
    });
    made.collect()
}

/// Loop: sources are the trip count, the condition and the carried values; the body gives the
/// condition, the carried values and what is stacked over the turns.
fn unroll(n: &mut Node<'_, '_>) -> Made {
    let body = n.subgraph("body")?;
    let trips = if n.has(0) { n.known_int(0)? } else { i64::MAX };
    let mut condition = !n.has(1) || truth(n, n.input(1)?)?;
    let mut carried: Vec<Value> = n.src.get(2..).unwrap_or_default().to_vec();
    let mut stacks: Vec<Vec<ValueId>> = vec![Vec::new(); outputs(n, body, 1 + carried.len())?];
    let mut turn = 0;
    while condition && turn < trips {
        n.builder.count()?;
        let number = n.constant(Tensor::scalar(turn));
        let go = n.constant(Tensor::scalar(true));
        let mut inputs = vec![number.into(), go.into()];
        inputs.append(&mut carried);
        let mut made = run(n, body, inputs, turn as usize)?.into_iter();
        let next = tensor(n, made.next())?;
        let left = made.len() - stacks.len();
        carried = made.by_ref().take(left).collect();
        for (stack, value) in stacks.iter_mut().zip(made) {
            stack.push(tensor(n, Some(value))?);
        }
        // The last turn's condition decides nothing.
        turn += 1;
        condition = turn >= trips || truth(n, next)?;
    }
    let first = 1 + carried.len();
    for (stack, declared) in stacks.into_iter().zip(&body.output[first..]) {
        carried.push(match stack.is_empty() {
            true => nothing(n, &Port::new(declared))?.into(),
            false => stacked(n, &stack, 0)?.into(),
        });
    }
    Ok(carried)
}

/// How many outputs a body has behind the first ones.
fn outputs(n: &Node<'_, '_>, body: &GraphProto, first: usize) -> Result<usize, Error> {
    body.output.len().checked_sub(first).ok_or_else(|| {
        n.fail(format!("expected at least {first} outputs of its body, got {}", body.output.len()))
    })
}

fn tensor(n: &Node<'_, '_>, value: Option<Value>) -> Result<ValueId, Error> {
    match value {
        Some(Value::Tensor(value)) => Ok(value),
        other => {
            let got = other.as_ref().map_or("nothing", Value::kind);
            Err(n.fail(format!("expected a tensor of its body, got {got}")))
        }
    }
}

/// A condition, which must be known.
fn truth(n: &Node<'_, '_>, value: ValueId) -> Result<bool, Error> {
    match n.builder.known(value) {
        Some(tensor) => Ok(tensor.get::<bool>()? == [true]),
        None => Err(Error::NeedsValues {
            op: n.proto.op_type().into(),
            node: n.name.clone(),
            what: "its condition".into(),
        }),
    }
}

/// Values of one shape with a new axis along which they follow each other.
fn stacked(n: &mut Node<'_, '_>, values: &[ValueId], axis: i64) -> Result<ValueId, Error> {
    let mut shape: Vec<i64> = n.ty(values[0]).dims().iter().map(|&dim| dim as i64).collect();
    let axis = n.axis(axis, shape.len() + 1)?;
    shape.insert(axis, 1);
    let mut rows = Vec::with_capacity(values.len());
    for &value in values {
        rows.push(n.one(Reshape { shape: shape.clone() }, &[value])?);
    }
    n.join(&rows, axis as i64)
}

/// What a loop without a turn stacks: nothing, of the declared type.
fn nothing(n: &mut Node<'_, '_>, port: &Port) -> Result<ValueId, Error> {
    let declared = port.dims.iter().flatten();
    let dims = declared.map(|dim| if let Dim::Known(dim) = dim { *dim } else { 1 });
    let dims: Vec<usize> = [0].into_iter().chain(dims).collect();
    Ok(n.constant(Tensor::zeros(port.dtype.unwrap_or(DType::F32), dims)))
}

/// Scan: sources are the states and what is scanned; the body gives the states and what is stacked.
fn scan(n: &mut Node<'_, '_>) -> Made {
    let body = n.subgraph("body")?;
    let scanned = n.int("num_scan_inputs").and_then(|count| usize::try_from(count).ok());
    let scanned = scanned.filter(|&count| (1..=n.count()).contains(&count));
    let scanned = scanned.ok_or_else(|| n.fail("expected at least one input to scan"))?;
    let states = n.count() - scanned;
    let mut carried: Vec<Value> = n.src[..states].to_vec();
    let stacks = outputs(n, body, states)?;
    let option =
        |name: &str, i: usize| n.ints(name).and_then(|values| values.get(i).copied()).unwrap_or(0);
    let mut sources = Vec::new();
    for i in 0..scanned {
        let value = n.input(states + i)?;
        let axis = n.axis(option("scan_input_axes", i), n.ty(value).dims().len())?;
        sources.push((value, axis, option("scan_input_directions", i) == 1));
    }
    let ends: Vec<(i64, bool)> = (0..stacks)
        .map(|i| (option("scan_output_axes", i), option("scan_output_directions", i) == 1))
        .collect();
    let turns = n.ty(sources[0].0).dims().get(sources[0].1).copied().unwrap_or(0);
    let mut stacked_values: Vec<Vec<ValueId>> = vec![Vec::new(); stacks];
    for turn in 0..turns {
        n.builder.count()?;
        let mut inputs = std::mem::take(&mut carried);
        for &(value, axis, backwards) in &sources {
            let at = if backwards { turns - 1 - turn } else { turn };
            inputs.push(n.slice_at(value, axis, at)?.into());
        }
        let mut made = run(n, body, inputs, turn)?.into_iter();
        carried = made.by_ref().take(states).collect();
        for (stack, value) in stacked_values.iter_mut().zip(made) {
            stack.push(tensor(n, Some(value))?);
        }
    }
    for (i, (mut stack, (axis, backwards))) in stacked_values.into_iter().zip(ends).enumerate() {
        if backwards {
            stack.reverse();
        }
        carried.push(match stack.is_empty() {
            true => nothing(n, &Port::new(&body.output[states + i]))?.into(),
            false => stacked(n, &stack, axis)?.into(),
        });
    }
    Ok(carried)
}

impl Node<'_, '_> {
    /// Values one after the other along an axis; one alone is itself.
    pub fn join(&mut self, values: &[ValueId], axis: i64) -> Result<ValueId, Error> {
        if let [one] = values {
            return Ok(*one);
        }
        self.one(Concat { axis }, values)
    }

    /// The slice of a value at one place of an axis, without that axis.
    fn slice_at(&mut self, value: ValueId, axis: usize, at: usize) -> Result<ValueId, Error> {
        let mut shape: Vec<i64> = self.ty(value).dims().iter().map(|&dim| dim as i64).collect();
        let slice = Slice {
            starts: vec![at as i64],
            ends: vec![at as i64 + 1],
            axes: vec![axis as i64],
            steps: vec![],
        };
        let slice = self.one(slice, &[value])?;
        shape.remove(axis);
        self.one(Reshape { shape }, &[slice])
    }
}
