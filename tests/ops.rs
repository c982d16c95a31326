//! Every case of every op in all modes: shapes, values against the oracle in f64, gradients against
//! finite differences, oneDNN against the plain kernels, equal bits over repeats, saved settings,
//! refused operands.

mod cases;
mod harness;

use cases::Case;
use harness::{ONEDNN, PLAIN, Session, all_options, bits, distance, distance_f32, name};
use nn::ops::MeanSquaredError;
use nn::{Graph, Initializer, ParameterKind, ParameterTable, PlanOptions, ValueId, differentiate};
use oracle::{Array, ops::loss};
use std::collections::BTreeSet;
use tensor::Shape;

/// Step of the central differences; see `oracle::gradient`.
const STEP: f64 = 1e-5;

/// How many elements of an operand are checked by differences; of larger operands every so many.
const CHECKED: usize = 64;

/// The case's op alone, all operands given at run time.
fn forward(case: &Case) -> (Graph, Vec<Vec<f32>>) {
    let mut graph = Graph::new(ParameterTable::new());
    let operand = |array: &Array| graph.input("operand", Shape::new(&array.dims));
    let src: Vec<ValueId> = case.arrays().iter().map(operand).collect();
    let dst = case.add(&mut graph, &src);
    for &value in dst.iter().take(case.expected(&case.arrays()).len()) {
        graph.output("result", value);
    }
    (graph, case.arrays().iter().map(Array::to_f32).collect())
}

/// A case with a loss behind it, differentiated by some of its operands.
struct Training {
    graph: Graph,
    weights: Vec<f32>,
    inputs: Vec<Vec<f32>>,
    target: Array,
    scale: f64,
}

/// The op, the mean squared error of its first result (unless that is a loss itself) against
/// scattered numbers, and the gradients by the operands `by`.
fn training(case: &Case, by: &[usize]) -> Training {
    let operands = case.arrays();
    let mut parameters = ParameterTable::new();
    let mut weights = Vec::new();
    for &i in by {
        let (shape, kind) = (Shape::new(&operands[i].dims), ParameterKind::Trainable);
        parameters.push(&i.to_string(), shape, kind, Initializer::Zeros).unwrap();
        weights.extend(operands[i].to_f32());
    }
    let mut graph = Graph::new(parameters);
    let mut inputs = Vec::new();
    let mut src = Vec::new();
    for (i, operand) in operands.iter().enumerate() {
        src.push(if by.contains(&i) {
            graph.parameter(&i.to_string()).unwrap()
        } else {
            inputs.push(operand.to_f32());
            graph.input("operand", Shape::new(&operand.dims))
        });
    }
    let y = case.add(&mut graph, &src)[0];
    let shape = graph.shape(y).clone();
    let target = Array::sample(shape.dims(), 99).map(|t| f64::from(t as f32));
    // So that the gradient by y is y − target.
    let scale = (shape.len() / shape.dims()[0].max(1)) as f64 / 2.0;
    let loss = if case.is_loss {
        y
    } else {
        let [t, s] = [shape, Shape::new(&[1])].map(|shape| graph.input("loss", shape));
        inputs.extend([target.to_f32(), vec![scale as f32]]);
        graph.add("loss", MeanSquaredError::default(), &[y, t, s]).unwrap()[0]
    };
    graph.output("loss", loss);
    differentiate(&mut graph, loss).unwrap();
    Training { graph, weights, inputs, target, scale }
}

impl Training {
    fn gradient(&self, options: PlanOptions) -> Vec<f32> {
        Session::new(&self.graph, &self.weights, &self.inputs, options).run().gradient()
    }

    /// The number whose gradient is tested, in f64.
    fn total(&self, case: &Case, operands: &[Array]) -> f64 {
        let y = &case.expected(operands)[0];
        if case.is_loss {
            return y.data.iter().sum::<f64>() * operands[2].data[0];
        }
        loss::mean_squared_error(y, &self.target).data.iter().sum::<f64>() * self.scale
    }
}

/// The operands that have a gradient: all of them at once, then each alone.
fn choices(case: &Case) -> Vec<Vec<usize>> {
    let all: Vec<usize> =
        (0..case.operands.len()).filter(|&i| case.operands[i].differentiable).collect();
    let mut choices: Vec<Vec<usize>> = all.iter().map(|&i| vec![i]).collect();
    if all.len() != 1 {
        choices.push(all);
    }
    choices
}

#[test]
fn every_op_has_cases_and_refusals() {
    let list = include_str!("../native/nn/src/ops/mod.rs");
    let public = list.lines().filter_map(|line| line.strip_prefix("pub use "));
    let public: BTreeSet<&str> = public
        .filter_map(|line| line.split_once("::"))
        .flat_map(|(_, ops)| ops.trim_matches(|c| "{};".contains(c)).split(", "))
        .collect();
    let cases = cases::table();
    let tested: BTreeSet<&str> = cases.iter().map(|case| case.op).collect();
    let refusals = cases::refusals();
    let refusing = refusals.iter().filter_map(|r| r.message.split_once(' ')).map(|(op, _)| op);
    assert_eq!(tested, public);
    assert_eq!(refusing.collect::<BTreeSet<_>>(), public);
}

#[test]
fn every_op_infers_the_shapes_it_computes() {
    for case in cases::table() {
        let (graph, inputs) = forward(&case);
        let expected = case.expected(&case.arrays());
        for options in all_options() {
            let mut session = Session::new(&graph, &[], &inputs, options);
            session.run();
            for (o, ((_, value), expected)) in graph.outputs().zip(&expected).enumerate() {
                let label = format!("{} by {}", case.label(), name(options));
                assert_eq!(graph.shape(value).dims(), expected.dims, "{label}");
                assert_eq!(session.plan().output_shape(o).dims(), expected.dims, "{label}");
                assert_eq!(session.output(o).len(), expected.data.len(), "{label}");
            }
        }
    }
}

#[test]
fn every_result_equals_the_oracle() {
    for case in cases::table() {
        let (graph, inputs) = forward(&case);
        let expected = case.expected(&case.arrays());
        for options in all_options() {
            let mut session = Session::new(&graph, &[], &inputs, options);
            session.run();
            for (o, expected) in expected.iter().enumerate() {
                let distance = distance(&session.output(o), &expected.data);
                assert!(
                    distance <= case.tolerance,
                    "{} by {}: result {o} is off by {distance:e}, accepted {:e} ({})",
                    case.label(),
                    name(options),
                    case.tolerance,
                    case.why
                );
            }
        }
    }
}

/// The checked elements of operand `i` and the slope of the total by each.
fn slopes(case: &Case, training: &Training, i: usize) -> Vec<(usize, f64)> {
    let mut operands = case.arrays();
    let len = operands[i].data.len();
    // Odd, so that no row or channel is left out.
    let every = (len / CHECKED) | 1;
    let slope = |j: usize| {
        let value = operands[i].data[j];
        let mut total = |value: f64| {
            operands[i].data[j] = value;
            training.total(case, &operands)
        };
        let slope = (total(value + STEP) - total(value - STEP)) / (2.0 * STEP);
        operands[i].data[j] = value;
        (j, slope)
    };
    (0..len).step_by(every).map(slope).collect()
}

#[test]
fn every_gradient_equals_finite_differences() {
    for case in cases::table() {
        let trainings = choices(&case).into_iter().map(|by| (training(&case, &by), by));
        let trainings: Vec<(Training, Vec<usize>)> = trainings.collect();
        let slopes: Vec<Vec<(usize, f64)>> = (0..case.operands.len())
            .map(|i| match case.operands[i].differentiable {
                true => slopes(&case, &trainings[0].0, i),
                false => Vec::new(),
            })
            .collect();
        for (training, by) in trainings {
            let mut at = Vec::new();
            let mut expected = Vec::new();
            let mut offset = 0;
            for &i in &by {
                at.extend(slopes[i].iter().map(|(j, _)| offset + j));
                expected.extend(slopes[i].iter().map(|(_, slope)| slope));
                offset += case.operands[i].values.data.len();
            }
            for options in all_options() {
                let gradient = training.gradient(options);
                assert!(gradient.iter().all(|g| g.is_finite()), "{}", case.label());
                let got: Vec<f32> = at.iter().map(|&i| gradient[i]).collect();
                let distance = distance(&got, &expected);
                assert!(
                    distance <= case.tolerance,
                    "{} by {}: the gradient by operands {by:?} is off by {distance:e}, accepted \
                     {:e} ({})",
                    case.label(),
                    name(options),
                    case.tolerance,
                    case.why
                );
            }
        }
    }
}

#[test]
fn onednn_and_the_plain_kernels_agree() {
    if !harness::onednn_is_here() {
        return;
    }
    for case in cases::table() {
        let check = |what: &str, got: &[f32], expected: &[f32]| {
            let distance = distance_f32(got, expected);
            let accepted = 2.0 * case.tolerance;
            let label = case.label();
            assert!(distance <= accepted, "{label}: {what} differs by {distance:e} > {accepted:e}");
        };
        let (graph, inputs) = forward(&case);
        let mut sessions =
            [ONEDNN, PLAIN].map(|options| Session::new(&graph, &[], &inputs, options));
        let [onednn, plain] = sessions.each_mut().map(Session::run);
        for o in 0..graph.outputs().len() {
            check("result", &onednn.output(o), &plain.output(o));
        }
        for by in choices(&case) {
            let training = training(&case, &by);
            check("gradient", &training.gradient(ONEDNN), &training.gradient(PLAIN));
        }
    }
}

#[test]
fn the_same_run_gives_the_same_bits() {
    for case in cases::table() {
        for by in choices(&case) {
            let Training { graph, weights, inputs, .. } = training(&case, &by);
            for options in all_options() {
                let session = || Session::new(&graph, &weights, &inputs, options);
                let result = |s: &mut Session| [bits(&s.run().output(0)), bits(&s.gradient())];
                let mut once = session();
                let first = result(&mut once);
                let label = format!("{} by {}", case.label(), name(options));
                assert_eq!(first, result(&mut once), "{label}: the second run");
                assert_eq!(first, result(&mut session()), "{label}: another plan");
                let elsewhere = std::thread::scope(|scope| {
                    let threads = [(); 2].map(|()| scope.spawn(|| result(&mut session())));
                    threads.map(|thread| thread.join().unwrap())
                });
                assert!(elsewhere.iter().all(|r| *r == first), "{label}: two threads at once");
            }
        }
    }
}

#[test]
fn settings_survive_serialization() {
    for case in cases::table() {
        assert!(case.survives_serialization(), "{}", case.label());
    }
}

#[test]
fn operands_that_do_not_fit_are_refused_with_what_to_do() {
    for refusal in cases::refusals() {
        assert_eq!(refusal.answer(), refusal.message);
    }
}

#[test]
fn timed_cases_have_gradients_and_a_cost() {
    for case in cases::timed() {
        let all = choices(&case).pop().unwrap();
        let Training { graph, .. } = training(&case, &all);
        let operands: usize = case.operands.iter().map(|o| o.values.data.len()).sum();
        // Forward and backward both touch every operand.
        assert!(graph.cost().bytes > 8.0 * operands as f64, "{}", case.label());
    }
}

mod dropout {
    use super::cases::dropout::mask;
    use nn::ops::Dropout;

    #[test]
    fn masks_differ_between_layers_and_drop_the_asked_share() {
        let masks = [1, 2].map(|salt| {
            let op = Dropout { ratio: 0.3, training: true, salt };
            mask(&op, &[100, 100])
        });
        assert_ne!(masks[0], masks[1]);
        for mask in masks {
            let dropped = mask.iter().filter(|&&m| m == 0.0).count() as f64 / 1e4;
            // Four standard deviations: √(0.3 · 0.7 / 10,000) = 0.0046.
            assert!((dropped - 0.3).abs() < 0.0184, "{dropped}");
            assert!(mask.iter().all(|&m| m == 0.0 || m == 1.0 / (1.0 - 0.3)));
        }
    }
}
