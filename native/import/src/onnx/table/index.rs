//! Elements by position: gathering, scattering, finding.

use super::super::Error;
use super::super::node::Node;
use super::super::value::Value;
use super::constants::MOST_ELEMENTS;
use super::{Row, between, row};
use nn::ops::{
    Cast, Compress, Gather, GatherElements, GatherNd, NonZero, OneHot, ReverseSequence,
    ScatterElements, ScatterNd, ScatterReduction, TensorScatter, Unique,
};
use tensor::DType;

pub(super) const ROWS: &[Row] = &[
    row("Gather", 1, |n| n.map(Gather { axis: n.int("axis").unwrap_or(0) })),
    row("GatherElements", 11, |n| n.map(GatherElements { axis: n.int("axis").unwrap_or(0) })),
    row("GatherND", 11, |n| {
        let batch_dims = n.int("batch_dims").unwrap_or(0);
        let batch_dims = usize::try_from(batch_dims).map_err(|_| n.fail("negative batch_dims"))?;
        n.map(GatherNd { batch_dims })
    }),
    between("Scatter", 9, 10, |n| {
        let axis = n.int("axis").unwrap_or(0);
        n.map(ScatterElements { axis, reduction: ScatterReduction::None })
    }),
    row("ScatterElements", 11, |n| {
        let (axis, reduction) = (n.int("axis").unwrap_or(0), reduction(n)?);
        n.map(ScatterElements { axis, reduction })
    }),
    row("ScatterND", 11, |n| {
        let reduction = reduction(n)?;
        n.map(ScatterNd { reduction, batch_dims: 0 })
    }),
    row("TensorScatter", 24, |n| {
        let circular = n.text("mode")? == Some("circular");
        n.map(TensorScatter { axis: n.int("axis").unwrap_or(-2), circular })
    }),
    row("Compress", 9, |n| n.map(Compress { axis: n.int("axis") })),
    row("NonZero", 9, |n| n.map(NonZero {})),
    row("Unique", 11, |n| {
        n.map(Unique { axis: n.int("axis"), sorted: n.int("sorted") != Some(0) })
    }),
    row("OneHot", 9, |n| {
        let depth = n.known_float(1)?;
        if !(0.0..=MOST_ELEMENTS as f64).contains(&depth) {
            return Err(n.fail(format!("expected a depth up to {MOST_ELEMENTS}, got {depth}")));
        }
        let values = n.known(2)?;
        let [off, on] = [0, 1].map(|i| super::wide(values, i));
        let op = OneHot {
            axis: n.int("axis").unwrap_or(-1),
            depth: depth as usize,
            off: off.ok_or_else(|| n.fail("expected two values"))?,
            on: on.ok_or_else(|| n.fail("expected two values"))?,
            dtype: values.dtype(),
        };
        n.map_first(op)
    }),
    row("ReverseSequence", 10, |n| {
        let axis = |name: &str, default: i64| {
            usize::try_from(n.int(name).unwrap_or(default)).map_err(|_| n.fail("a negative axis"))
        };
        let op = ReverseSequence {
            batch_axis: axis("batch_axis", 1)?,
            time_axis: axis("time_axis", 0)?,
        };
        let (x, lengths) = (n.input(0)?, n.input(1)?);
        let lengths = n.one(Cast { to: DType::I64 }, &[lengths])?;
        Ok(n.add(op, &[x, lengths])?.into_iter().map(Value::from).collect())
    }),
];

fn reduction(n: &Node<'_, '_>) -> Result<ScatterReduction, Error> {
    Ok(match n.text("reduction")?.unwrap_or("none") {
        "none" => ScatterReduction::None,
        "add" => ScatterReduction::Add,
        "mul" => ScatterReduction::Mul,
        "min" => ScatterReduction::Min,
        "max" => ScatterReduction::Max,
        other => return Err(n.fail(format!("the reduction {other} is not known"))),
    })
}
