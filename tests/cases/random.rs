//! Cases of random numbers.

use super::{Case, Refusal};
use crate::harness::{PLAIN, Session};
use nn::ops::{RandomNormal, RandomUniform};
use nn::{Graph, Op, ParameterTable};
use oracle::Array;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tensor::DType;

/// What an op without sources draws.
pub fn drawn(op: impl Op) -> Vec<f32> {
    let mut graph = Graph::new(ParameterTable::new());
    let y = graph.add("random", op, &[]).unwrap()[0];
    graph.output("y", y);
    Session::new(&graph, &[], &[], PLAIN).run().output(0)
}

/// The same numbers must come in every mode; how they are spread is a test of its own.
fn same<O>(name: &str, dims: &'static [usize], op: O) -> Case
where
    O: Op + Clone + PartialEq + Serialize + DeserializeOwned,
{
    let expected = Array::from_f32(dims, &drawn(op.clone()));
    Case::new(name, op, move |_: &[Array]| vec![expected.clone()])
}

pub fn cases() -> Vec<Case> {
    vec![
        same("numbers", &[3, 5], RandomUniform { shape: vec![3, 5], ..RandomUniform::default() }),
        same(
            "in f64",
            &[7],
            RandomUniform { low: -2.0, high: 3.0, shape: vec![7], dtype: DType::F64, salt: 4 },
        ),
        same("numbers", &[4, 4], RandomNormal { shape: vec![4, 4], ..RandomNormal::default() }),
        same(
            "in f64",
            &[9],
            RandomNormal { mean: 1.0, scale: 0.1, shape: vec![9], dtype: DType::F64, salt: 2 },
        ),
    ]
}

pub fn refusals() -> Vec<Refusal> {
    vec![
        Refusal::new(
            RandomUniform { dtype: DType::I32, ..RandomUniform::default() },
            &[],
            "RandomUniform \"case\": expected a float type, got i32. Cast the numbers later.",
        ),
        Refusal::new(
            RandomNormal { dtype: DType::I32, ..RandomNormal::default() },
            &[],
            "RandomNormal \"case\": expected a float type, got i32. Cast the numbers later.",
        ),
    ]
}
