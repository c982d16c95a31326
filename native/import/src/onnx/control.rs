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
    super::table::between("Scan", 8, 8, scan_batch),
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

/// What a scan goes through.
struct Scanned {
    value: ValueId,
    axis: usize,
    backwards: bool,
}

/// How many of the sources are scanned.
fn scanned(n: &Node<'_, '_>, most: usize) -> Result<usize, Error> {
    let count = n.int("num_scan_inputs").and_then(|count| usize::try_from(count).ok());
    let count = count.filter(|count| (1..=most).contains(count));
    count.ok_or_else(|| n.fail("expected at least one input to scan"))
}

/// Element `i` of integers that are 0 where the node has none.
fn option(n: &Node<'_, '_>, name: &str, i: usize) -> i64 {
    n.ints(name).and_then(|values| values.get(i).copied()).unwrap_or(0)
}

/// Scan: sources are the states and what is scanned; the body gives the states and what is stacked.
fn scan(n: &mut Node<'_, '_>) -> Made {
    let body = n.subgraph("body")?;
    let states = n.count() - scanned(n, n.count())?;
    let mut sources = Vec::new();
    for i in 0..n.count() - states {
        let value = n.input(states + i)?;
        let axis = n.axis(option(n, "scan_input_axes", i), n.ty(value).dims().len())?;
        let backwards = option(n, "scan_input_directions", i) == 1;
        sources.push(Scanned { value, axis, backwards });
    }
    let ends: Vec<(i64, bool)> = (0..outputs(n, body, states)?)
        .map(|i| (option(n, "scan_output_axes", i), option(n, "scan_output_directions", i) == 1))
        .collect();
    let carried = n.src[..states].to_vec();
    turns(n, body, carried, &sources, &ends, 0)
}

/// Scan of opset 8: for each sample of a batch, which is the first dimension of everything; the
/// sequences are the second one.
fn scan_batch(n: &mut Node<'_, '_>) -> Made {
    let body = n.subgraph("body")?;
    let states = n.count().saturating_sub(1);
    let states = states - scanned(n, states)?;
    let shape = n.src_type(1)?;
    let (batch, steps) = (shape.dims().first().copied().unwrap_or(0), n.src_type(1 + states)?);
    let steps = steps.dims().get(1).copied().unwrap_or(0);
    if n.has(0) && n.known_ints(0)?.iter().any(|&length| usize::try_from(length) != Ok(steps)) {
        return Err(n.fail("sequences of different lengths are not supported"));
    }
    let ends = vec![(0, false); outputs(n, body, states)?];
    let mut samples: Vec<Vec<ValueId>> = vec![Vec::new(); body.output.len()];
    for sample in 0..batch {
        let mut carried = Vec::new();
        for i in 0..states {
            let value = n.input(1 + i)?;
            carried.push(n.slice_at(value, 0, sample)?.into());
        }
        let mut sources = Vec::new();
        for i in 0..n.count() - 1 - states {
            let value = n.input(1 + states + i)?;
            let value = n.slice_at(value, 0, sample)?;
            sources.push(Scanned { value, axis: 0, backwards: option(n, "directions", i) == 1 });
        }
        let made = turns(n, body, carried, &sources, &ends, sample * steps)?;
        for (samples, value) in samples.iter_mut().zip(made) {
            samples.push(tensor(n, Some(value))?);
        }
    }
    if batch == 0 {
        return Err(n.fail("expected at least one sample"));
    }
    samples.iter().map(|values| Ok(stacked(n, values, 0)?.into())).collect()
}

/// The turns of a scan, numbered from `first` on: the states at the end, and what is stacked.
fn turns(
    n: &mut Node<'_, '_>,
    body: &GraphProto,
    mut carried: Vec<Value>,
    sources: &[Scanned],
    ends: &[(i64, bool)],
    first: usize,
) -> Made {
    let states = carried.len();
    let turns = n.ty(sources[0].value).dims().get(sources[0].axis).copied().unwrap_or(0);
    let mut stacks: Vec<Vec<ValueId>> = vec![Vec::new(); ends.len()];
    for turn in 0..turns {
        n.builder.count()?;
        let mut inputs = std::mem::take(&mut carried);
        for &Scanned { value, axis, backwards } in sources {
            let at = if backwards { turns - 1 - turn } else { turn };
            inputs.push(n.slice_at(value, axis, at)?.into());
        }
        let mut made = run(n, body, inputs, first + turn)?.into_iter();
        carried = made.by_ref().take(states).collect();
        for (stack, value) in stacks.iter_mut().zip(made) {
            stack.push(tensor(n, Some(value))?);
        }
    }
    for (i, (mut stack, &(axis, backwards))) in stacks.into_iter().zip(ends).enumerate() {
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
