//! Every case of every op in all modes: shapes, values against the oracle in f64, gradients against
//! finite differences, oneDNN against the plain kernels, equal bits over repeats, saved settings,
//! refused operands.

mod cases;
mod harness;

use cases::{Case, Training};
use harness::{ONEDNN, PLAIN, Session, all_options, bits, distance, distance_f32, name};
use nn::{PlanOptions, TensorType};
use std::collections::BTreeSet;
use tensor::DType;

/// Public names that are settings of ops.
const SETTINGS: [&str; 6] =
    ["DepthOrder", "GridMode", "GridPadding", "PadMode", "RoiPooling", "ScatterReduction"];

/// Step of the central differences; see `oracle::gradient`.
const STEP: f64 = 1e-5;

/// How many elements of an operand are checked by differences; of larger operands every so many.
const CHECKED: usize = 64;

/// The cases that can be compiled.
fn planned() -> impl Iterator<Item = Case> {
    cases::table().into_iter().filter(|case| !case.constants_only)
}

/// The operands that have a gradient: all of them at once, then each alone.
fn choices(case: &Case) -> Vec<Vec<usize>> {
    let all: Vec<usize> =
        (0..case.operands.len()).filter(|&i| case.operands[i].differentiable).collect();
    if all.is_empty() {
        return Vec::new();
    }
    let mut choices: Vec<Vec<usize>> = all.iter().map(|&i| vec![i]).collect();
    if all.len() != 1 {
        choices.push(all);
    }
    choices
}

#[test]
fn every_op_has_cases_and_refusals() {
    let list = include_str!("../native/nn/src/ops/mod.rs");
    let public = list.split("pub use ").skip(1).filter_map(|rest| rest.split(';').next());
    let public: BTreeSet<&str> = public
        .filter_map(|statement| statement.split_once("::"))
        .flat_map(|(_, ops)| ops.split(|c: char| !c.is_alphanumeric()).filter(|op| !op.is_empty()))
        .collect();
    let public: BTreeSet<String> = public
        .into_iter()
        .filter(|name| !SETTINGS.contains(name))
        .map(|name| name.replace("Nd", "ND"))
        .collect();
    let public: BTreeSet<&str> = public.iter().map(String::as_str).collect();
    let cases = cases::table();
    let tested: BTreeSet<&str> = cases.iter().map(|case| case.op).collect();
    let refusals = cases::refusals();
    let refusing = refusals.iter().filter_map(|r| r.message.split_once(' ')).map(|(op, _)| op);
    assert_eq!(tested, public);
    assert_eq!(refusing.collect::<BTreeSet<_>>(), public);
}

#[test]
fn every_op_infers_the_shapes_it_computes() {
    for case in planned() {
        let expected = case.expected(&case.arrays());
        let (graph, inputs) = case.forward(expected.len());
        for options in all_options() {
            let mut session = Session::new(&graph, &[], &inputs, options);
            session.run();
            for (o, ((_, value), expected)) in graph.outputs().zip(&expected).enumerate() {
                let label = format!("{} by {}", case.label(), name(options));
                assert_eq!(graph.shape(value).dims(), expected.dims, "{label}");
                let made = TensorType::of(&session.tensor(o));
                assert_eq!(made.dims(), expected.dims, "{label}");
                assert_eq!(*graph.tensor_type(value), made, "{label}");
            }
        }
    }
}

#[test]
fn every_result_equals_the_oracle() {
    for case in planned() {
        let expected = case.expected(&case.arrays());
        let (graph, inputs) = case.forward(expected.len());
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

#[test]
fn evaluating_gives_what_a_plan_gives() {
    harness::onednn_is_here();
    for case in cases::table() {
        let (graph, results) = case.constant();
        for (o, (expected, &result)) in
            case.expected(&case.arrays()).iter().zip(&results).enumerate()
        {
            // What is random is no constant.
            let Some(tensor) = graph.known(result) else { continue };
            let label = case.label();
            assert_eq!(tensor.dims(), expected.dims, "{label}: result {o}");
            let got: Vec<f32> = tensor.cast(DType::F32).into_vec().unwrap();
            let distance = distance(&got, &expected.data);
            assert!(distance <= case.tolerance, "{label}: result {o} is off by {distance:e}");
        }
    }
}

fn gradient(training: &Training, options: PlanOptions) -> Vec<f32> {
    let Training { graph, weights, inputs, .. } = training;
    Session::new(graph, weights, inputs, options).run().gradient()
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
            case.total(training, &operands)
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
        let trainings = choices(&case).into_iter().map(|by| (case.training(&by), by));
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
                let gradient = gradient(&training, options);
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
    for case in planned() {
        let check = |what: &str, got: &[f32], expected: &[f32]| {
            let distance = distance_f32(got, expected);
            let accepted = 2.0 * case.tolerance;
            let label = case.label();
            assert!(distance <= accepted, "{label}: {what} differs by {distance:e} > {accepted:e}");
        };
        let (graph, inputs) = case.forward(case.expected(&case.arrays()).len());
        let mut sessions =
            [ONEDNN, PLAIN].map(|options| Session::new(&graph, &[], &inputs, options));
        let [onednn, plain] = sessions.each_mut().map(Session::run);
        for o in 0..graph.outputs().len() {
            check("result", &onednn.output(o), &plain.output(o));
        }
        for by in choices(&case) {
            let training = case.training(&by);
            check("gradient", &gradient(&training, ONEDNN), &gradient(&training, PLAIN));
        }
    }
}

#[test]
fn the_same_run_gives_the_same_bits() {
    for case in cases::table() {
        for by in choices(&case) {
            let Training { graph, weights, inputs, .. } = case.training(&by);
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
        let Training { graph, .. } = case.training(&all);
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
            let op = Dropout { ratio: 0.3, training: true, salt, ..Dropout::default() };
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

mod random {
    use super::cases::random::drawn;
    use nn::ops::{RandomNormal, RandomUniform};

    /// Mean and variance.
    fn moments(numbers: &[f32]) -> (f64, f64) {
        let n = numbers.len() as f64;
        let mean = numbers.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
        (mean, numbers.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / n)
    }

    #[test]
    fn numbers_have_the_asked_mean_and_variance_and_differ_by_salt() {
        let (shape, low, high) = (vec![10_000], -1.0, 3.0);
        let uniform = [1, 2].map(|salt| {
            drawn(RandomUniform { low, high, shape: shape.clone(), salt, ..Default::default() })
        });
        assert_ne!(uniform[0], uniform[1]);
        assert!(uniform[0].iter().all(|x| (low..high).contains(x)));
        // Four standard deviations each: of the mean √(σ² / n), of the variance √((κ − 1) σ⁴ / n).
        let (mean, variance) = moments(&uniform[0]);
        assert!((mean - 1.0).abs() < 0.0462, "{mean}");
        assert!((variance - 16.0 / 12.0).abs() < 0.0478, "{variance}");
        let normal = drawn(RandomNormal { mean: 2.0, scale: 3.0, shape, ..Default::default() });
        let (mean, variance) = moments(&normal);
        assert!((mean - 2.0).abs() < 0.12, "{mean}");
        assert!((variance - 9.0).abs() < 0.51, "{variance}");
    }
}
