//! Values of other types than f32, and constants.

use nn::ops::{Add, Cast, Concat, Dropout, Gather, Gemm, NonZero, Relu, Reshape, Shape};
use nn::{
    Graph, Initializer, ParameterKind, ParameterTable, Plan, PlanOptions, Prepared, RunContext,
    TensorType, ValueId, Workspace,
};
use std::sync::Arc;
use tensor::{Buffer, DType, Tensor};

fn graph() -> Graph {
    Graph::new(ParameterTable::new())
}

/// The output of a graph of one output for these inputs.
fn run(graph: &Graph, inputs: &[Tensor]) -> Tensor {
    run_with(graph, inputs, &[]).unwrap()
}

fn run_with(graph: &Graph, inputs: &[Tensor], weights: &[f32]) -> Result<Tensor, nn::Error> {
    let plan = Arc::new(Plan::compile(graph, PlanOptions::default())?);
    let mut prepared = Prepared::new(&plan)?;
    prepared.prepare(&Arc::new(Buffer::from_f32(weights)?))?;
    let mut workspace = Workspace::new(&prepared)?;
    for (i, tensor) in inputs.iter().enumerate() {
        workspace.set_input_tensor(i, tensor)?;
    }
    workspace.run(&RunContext::default(), None)?;
    workspace.output_tensor(0)
}

fn add(graph: &mut Graph, op: impl nn::Op, src: &[ValueId]) -> ValueId {
    graph.add("node", op, src).unwrap()[0]
}

#[test]
fn what_depends_on_constants_alone_is_computed_when_it_is_added() {
    let mut g = graph();
    let x = g.constant(Tensor::new([2, 2], vec![1i64, -2, 3, -4]).unwrap());
    let y = add(&mut g, Reshape { shape: vec![4] }, &[x]);
    let y = add(&mut g, Cast { to: DType::F32 }, &[y]);
    // Relu has kernels only, so that a plan of its own is run.
    let y = add(&mut g, Relu {}, &[y]);
    assert_eq!(**g.known(y).unwrap(), Tensor::vector(vec![1.0f32, 0.0, 3.0, 0.0]));
    g.output("y", y);
    assert_eq!(run(&g, &[]), Tensor::vector(vec![1.0f32, 0.0, 3.0, 0.0]));
    assert_eq!(Plan::compile(&g, PlanOptions::default()).unwrap().steps(), 1, "the copy");
}

#[test]
fn random_numbers_and_inputs_are_not_constants() {
    let mut g = graph();
    let x = g.constant(Tensor::vector(vec![1.0f32; 8]));
    let y =
        add(&mut g, Dropout { ratio: 0.5, training: true, salt: 1, ..Dropout::default() }, &[x]);
    assert!(g.known(y).is_none());
    let z = g.input("z", TensorType::new(DType::F32, [8]));
    let sum = add(&mut g, Add::default(), &[x, z]);
    assert!(g.known(sum).is_none() && g.known(z).is_none());
}

#[test]
fn a_plan_runs_steps_on_any_types() {
    let mut g = graph();
    let x = g.input("x", TensorType::new(DType::I64, [2, 1]));
    let ones = g.constant(Tensor::new([2, 2], vec![1i64; 4]).unwrap());
    let joined = add(&mut g, Concat { axis: 1 }, &[x, ones, x]);
    let y = add(&mut g, Cast { to: DType::Bool }, &[joined]);
    assert_eq!(*g.tensor_type(y), TensorType::new(DType::Bool, [2, 4]));
    g.output("y", y);
    let y = run(&g, &[Tensor::new([2, 1], vec![0i64, -7]).unwrap()]);
    let expected = vec![false, true, true, false, true, true, true, true];
    assert_eq!(y, Tensor::new([2, 4], expected).unwrap());
}

#[test]
fn floats_without_a_kernel_are_computed_as_f32() {
    for dtype in [DType::F64, DType::F16, DType::BF16] {
        let x = Tensor::new([2, 2], vec![1.0f32, -2.0, 0.5, 4.0]).unwrap();
        let eye = Tensor::new([2, 2], vec![2.0f32, 0.0, 0.0, 1.0]).unwrap();
        let mut g = graph();
        let a = g.input("a", TensorType::new(dtype, [2, 2]));
        let b = g.constant(eye.cast(dtype));
        let y = add(&mut g, Gemm::new(false, false), &[a, b]);
        let y = add(&mut g, Relu {}, &[y]);
        g.output("y", y);
        let expected = Tensor::new([2, 2], vec![2.0f32, 0.0, 1.0, 4.0]).unwrap();
        assert_eq!(run(&g, &[x.cast(dtype)]), expected.cast(dtype));
    }
}

#[test]
fn outputs_may_be_inputs_weights_or_constants() {
    let mut table = ParameterTable::new();
    table.push("w", [2].into(), ParameterKind::Trainable, Initializer::Ones).unwrap();
    let mut g = Graph::new(table);
    let w = g.parameter("w").unwrap();
    assert_eq!(g.parameter("w").unwrap(), w);
    let y = add(&mut g, Relu {}, &[w]);
    g.output("y", y);
    let y = run_with(&g, &[], &[3.0, -1.0]).unwrap();
    assert_eq!(y, Tensor::vector(vec![3.0f32, 0.0]));

    let mut g = graph();
    let x = g.input("x", TensorType::new(DType::U8, [3]));
    g.output("x", x);
    assert_eq!(run(&g, &[Tensor::vector(vec![1u8, 2, 3])]), Tensor::vector(vec![1u8, 2, 3]));
}

#[test]
fn a_tensor_of_another_type_or_shape_is_refused() {
    let mut g = graph();
    let x = g.input("x", TensorType::new(DType::I64, [2]));
    g.output("x", x);
    let error = run_with(&g, &[Tensor::vector(vec![1i32, 2])], &[]).unwrap_err();
    let expected = "input 0: expected i64 [2], got i32 [2]. Compile a plan for this type";
    assert_eq!(error.to_string(), expected);
    let error = g.add("relu", Relu {}, &[x]).unwrap_err().to_string();
    let expected = "Relu \"relu\": expected operands of one float type, got i64. Cast the inputs \
                    to one float type first.";
    assert_eq!(error, expected);
}

#[test]
fn an_index_out_of_range_is_an_error_of_the_run() {
    let mut g = graph();
    let x = g.input("x", TensorType::new(DType::F32, [3, 2]));
    let indices = g.input("indices", TensorType::new(DType::I64, [1]));
    let y = add(&mut g, Gather { axis: 0 }, &[x, indices]);
    g.output("y", y);
    let table = Tensor::zeros(DType::F32, [3, 2]);
    let result = run_with(&g, &[table, Tensor::vector(vec![3i64])], &[]);
    let expected = "Gather \"node\": expected indices of 3 positions, got index 3. Indices count \
                    from 0, or from −1 at the end.";
    assert_eq!(result.unwrap_err().to_string(), expected);
}

#[test]
fn shapes_that_depend_on_elements_are_known_for_constants_alone() {
    let mut g = graph();
    let x = g.constant(Tensor::vector(vec![0i64, 4, 0, 5]));
    let y = add(&mut g, NonZero {}, &[x]);
    assert_eq!(**g.known(y).unwrap(), Tensor::new([1, 2], vec![1i64, 3]).unwrap());
    let x = g.input("x", TensorType::new(DType::I64, [4]));
    let error = g.add("node", NonZero {}, &[x]).unwrap_err();
    assert!(matches!(error, nn::Error::Op { source: nn::OpError::DependsOnData, .. }));
}

#[test]
fn dimensions_of_an_input_are_constants() {
    let mut g = graph();
    let x = g.input("x", TensorType::new(DType::F16, [7, 3]));
    let y = add(&mut g, Shape::default(), &[x]);
    assert_eq!(**g.known(y).unwrap(), Tensor::vector(vec![7i64, 3]));
}
