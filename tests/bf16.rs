//! Plans in bf16: each op near the oracle, the borders to f32, equal bits over repeats, and what is
//! refused.

mod cases;
mod harness;

use cases::{Case, Training};
use harness::{BF16, ONEDNN, PLAIN, Session, bf16_is_here, bits, distance};
use nn::ops::SoftmaxCrossEntropy;
use nn::{Mode, Plan, PlanOptions, Precision};
use oracle::Array;
use tensor::{DType, Shape, bf16};

/// Operands are bf16 numbers, and products are summed in f32: what remains is a rounding to 8 binary
/// digits (2⁻⁹ = 2e-3) of the result, of its gradient and of what lies between.
const TOLERANCE: f64 = 1e-2;

/// Step of the central differences; see `oracle::gradient`.
const STEP: f64 = 1e-5;

/// How many elements of an operand are checked by differences, about.
const CHECKED: usize = 32;

/// Ops whose steps in a bf16 plan are others than in an f32 plan.
const OPS: [&str; 22] = [
    "Add",
    "AveragePool",
    "BatchNormalization",
    "Concat",
    "Conv",
    "ConvTranspose",
    "Flatten",
    "Gelu",
    "Gemm",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "LayerNormalization",
    "MatMul",
    "MaxPool",
    "Mul",
    "Relu",
    "Reshape",
    "Sigmoid",
    "Softmax",
    "Squeeze",
    "Tanh",
    "Unsqueeze",
];

/// The cases with numbers that are bf16.
fn rounded() -> Vec<Case> {
    let cases = cases::table().into_iter().filter(|case| OPS.contains(&case.op));
    let mut cases: Vec<Case> = cases.filter(|case| !case.constants_only).collect();
    for operand in cases.iter_mut().flat_map(|case| &mut case.operands) {
        let round = |value: f64| f64::from(bf16::from_f64(value));
        if operand.dtype == DType::F32 {
            operand.values = operand.values.map(round);
        }
    }
    cases
}

fn differentiable(case: &Case) -> Vec<usize> {
    (0..case.operands.len()).filter(|&i| case.operands[i].differentiable).collect()
}

#[test]
fn every_result_is_near_the_oracle() {
    if !bf16_is_here() {
        return;
    }
    for case in rounded() {
        let expected = case.expected(&case.arrays());
        let (graph, inputs) = case.forward(expected.len());
        let mut session = Session::new(&graph, &[], &inputs, BF16);
        session.run();
        for (o, expected) in expected.iter().enumerate() {
            let distance = distance(&session.output(o), &expected.data);
            assert!(distance <= TOLERANCE, "{}: result {o} is off by {distance:e}", case.label());
        }
    }
}

#[test]
fn every_gradient_is_near_finite_differences_between_products() {
    if !bf16_is_here() {
        return;
    }
    for case in rounded() {
        let by = differentiable(&case);
        if by.is_empty() {
            continue;
        }
        let training = case.training_between_products(&by);
        let gradient = gradient(&training, BF16);
        assert!(gradient.iter().all(|g| g.is_finite()), "{}", case.label());
        let (mut at, mut offset) = (Vec::new(), 0);
        for &i in &by {
            at.extend(checked(&case, i).map(|j| offset + j));
            offset += case.operands[i].values.data.len();
        }
        let got: Vec<f32> = at.iter().map(|&i| gradient[i]).collect();
        let expected: Vec<f64> = by.iter().flat_map(|&i| slopes(&case, &training, i)).collect();
        let distance = distance(&got, &expected);
        assert!(distance <= TOLERANCE, "{}: the gradient is off by {distance:e}", case.label());
    }
}

fn gradient(training: &Training, options: PlanOptions) -> Vec<f32> {
    let Training { graph, weights, inputs, .. } = training;
    Session::new(graph, weights, inputs, options).run().gradient()
}

/// The elements of operand `i` that are checked by differences: all of a small one.
fn checked(case: &Case, i: usize) -> impl Iterator<Item = usize> {
    let len = case.operands[i].values.data.len();
    // Odd, so that no row or channel is left out.
    (0..len).step_by((len / CHECKED) | 1)
}

/// The slope of the total by each checked element of operand `i`.
fn slopes(case: &Case, training: &Training, i: usize) -> Vec<f64> {
    let mut operands: Vec<Array> = case.arrays();
    let slope = |j: usize| {
        let value = operands[i].data[j];
        let mut total = |value: f64| {
            operands[i].data[j] = value;
            case.total(training, &operands)
        };
        let slope = (total(value + STEP) - total(value - STEP)) / (2.0 * STEP);
        operands[i].data[j] = value;
        slope
    };
    checked(case, i).map(slope).collect()
}

#[test]
fn the_same_run_gives_the_same_bits() {
    if !bf16_is_here() {
        return;
    }
    for case in rounded() {
        let training = case.training_between_products(&differentiable(&case));
        let run = || bits(&gradient(&training, BF16));
        let first = run();
        let threads = std::thread::scope(|scope| {
            [(); 2].map(|()| scope.spawn(run)).map(|thread| thread.join().unwrap())
        });
        assert!(threads.iter().all(|bits| *bits == first), "{}", case.label());
    }
}

#[test]
fn activations_of_a_training_take_half_the_memory() {
    if !bf16_is_here() {
        return;
    }
    let conv = |name: &str, src: &str| {
        format!(
            r#"{{"class": "Conv2D", "name": "{name}", "inputs": ["{src}"],
                "config": {{"filters": 32, "kernel_size": [3, 3], "padding": "same"}}}},
               {{"class": "BatchNormalization", "name": "{name}n", "inputs": ["{name}"], "config": {{}}}},
               {{"class": "Activation", "name": "{name}r", "inputs": ["{name}n"],
                "config": {{"activation": "relu"}}}}"#
        )
    };
    let model = layers::Model::from_json(&format!(
        r#"{{"format": 1, "name": "deep", "inputs": [{{"name": "x", "shape": [3, 32, 32]}}],
            "layers": [{}, {}, {}, {},
              {{"class": "Flatten", "name": "f", "inputs": ["dr"], "config": {{}}}},
              {{"class": "Dense", "name": "fc", "inputs": ["f"], "config": {{"units": 2}}}}],
            "outputs": ["fc"]}}"#,
        conv("a", "x"),
        conv("b", "ar"),
        conv("c", "br"),
        conv("d", "cr")
    ))
    .unwrap();
    let mut graph = model.graph(16, Mode::Training).unwrap();
    let logits = graph.outputs().next().unwrap().1;
    let label = graph.input("label", Shape::new(&[16]));
    let scale = graph.input("scale", Shape::new(&[1]));
    let loss = graph.add("loss", SoftmaxCrossEntropy {}, &[logits, label, scale]).unwrap()[0];
    graph.output("loss", loss);
    nn::differentiate(&mut graph, loss).unwrap();
    let arena = |options| Plan::compile(&graph, options).unwrap().arena_bytes() as f64;
    assert!(arena(BF16) < 0.6 * arena(ONEDNN), "{} of {}", arena(BF16), arena(ONEDNN));
}

#[test]
fn bf16_without_onednn_is_refused_with_what_to_do() {
    let (graph, _) = rounded()[0].forward(1);
    let options = PlanOptions { precision: Precision::Bf16, ..PLAIN };
    let error = Plan::compile(&graph, options).map(drop).unwrap_err();
    assert_eq!(
        error.to_string(),
        "precision: expected a CPU with AVX-512 BF16 or AMX and oneDNN for bf16, got no oneDNN. Use \
         f32 on this machine"
    );
}
