//! Ops that run in one pass compute what they compute apart, and layouts that are kept from op to
//! op change nothing.

mod harness;

use ParameterKind::{Statistic, Trainable};
use harness::{ONEDNN, PLAIN, Session, all_options, distance_f32, name};
use nn::ops::{
    Add, AveragePool, BatchNormalization, Concat, Conv, Dropout, Flatten, Gelu, Gemm, MaxPool,
    Relu, SoftmaxCrossEntropy, Tanh,
};
use nn::{Graph, Initializer, Op, ParameterKind, ParameterTable, ValueId, differentiate};
use oracle::Array;
use tensor::{Shape, Tensor};

/// A graph under construction with numbers for its weights and inputs.
struct Net {
    graph: Graph,
    weights: Vec<f32>,
    inputs: Vec<Tensor>,
}

impl Net {
    /// Parameters by name, shape and kind; each gets scattered numbers, statistics positive ones.
    fn new(parameters: &[(&str, &[usize], ParameterKind)]) -> Net {
        let mut table = ParameterTable::new();
        let mut weights = Vec::new();
        for (i, (name, dims, kind)) in parameters.iter().enumerate() {
            table.push(name, Shape::new(dims), *kind, Initializer::Zeros).unwrap();
            let values = Array::sample(dims, 10 + i as u64);
            let positive = *kind == Statistic;
            weights.extend(values.map(|v| if positive { 1.5 + v } else { v }).to_f32());
        }
        Net { graph: Graph::new(table), weights, inputs: Vec::new() }
    }

    fn input(&mut self, values: Array) -> ValueId {
        self.inputs.push(Tensor::new(&values.dims[..], values.to_f32()).unwrap());
        self.graph.input("input", Shape::new(&values.dims))
    }

    /// Adds an op to a value and parameters.
    fn add(&mut self, name: &str, op: impl Op, src: &[ValueId], parameters: &[&str]) -> ValueId {
        self.all(name, op, src, parameters)[0]
    }

    fn all(
        &mut self,
        name: &str,
        op: impl Op,
        src: &[ValueId],
        parameters: &[&str],
    ) -> Vec<ValueId> {
        let mut operands = src.to_vec();
        operands.extend(parameters.iter().map(|p| self.graph.parameter(p).unwrap()));
        self.graph.add(name, op, &operands).unwrap()
    }

    /// Ends in a classifier's loss and differentiates.
    fn train(&mut self, logits: ValueId) {
        let [n, classes] = [0, 1].map(|d| self.graph.shape(logits).dims()[d]);
        let labels = self.input(Array::from_fn(&[n], |i| (i[0] % classes) as f64));
        let scale = self.input(Array::new(&[1], vec![1.0 / n as f64]));
        let op = SoftmaxCrossEntropy::default();
        let loss = self.add("loss", op, &[logits, labels, scale], &[]);
        self.graph.output("loss", loss);
        differentiate(&mut self.graph, loss).unwrap();
    }

    fn session(&self, options: nn::PlanOptions) -> Session {
        Session::new(&self.graph, &self.weights, &self.inputs, options)
    }
}

/// Builds the net twice: as it is, and with the value before the activation as an output, which
/// keeps the two ops apart. Both must give the same results in fewer steps.
fn assert_fusion_changes_nothing(build: impl Fn(&mut bool) -> Net) {
    for options in all_options() {
        let [mut fused, mut apart] =
            [false, true].map(|apart| build(&mut { apart }).session(options));
        let what = name(options);
        assert!(fused.plan().steps() < apart.plan().steps(), "{what}: nothing was fused");
        let distance = distance_f32(&fused.run().output(0), &apart.run().output(0));
        assert!(distance < 1e-5, "{what}: results differ by {distance:e}");
        let distance = distance_f32(&fused.gradient(), &apart.gradient());
        assert!(distance < 1e-5, "{what}: gradients differ by {distance:e}");
    }
}

#[test]
fn convolution_with_relu_equals_the_two_apart() {
    assert_fusion_changes_nothing(|apart| {
        let mut net = Net::new(&[("w", &[16, 3, 3, 3], Trainable), ("b", &[16], Trainable)]);
        let x = net.input(Array::sample(&[2, 3, 5, 5], 1));
        let conv = Conv::new(&[3, 3], &[1, 1], &[1; 4], &[], 1);
        let y = net.add("conv", conv, &[x], &["w", "b"]);
        let z = net.add("relu", Relu::default(), &[y], &[]);
        let rows = net.add("flatten", Flatten::default(), &[z], &[]);
        net.train(rows);
        if *apart {
            net.graph.output("before", y);
        }
        net
    });
}

#[test]
fn a_dense_layer_with_tanh_equals_the_two_apart() {
    assert_fusion_changes_nothing(|apart| {
        let mut net = Net::new(&[("w", &[9, 7], Trainable), ("b", &[9], Trainable)]);
        let x = net.input(Array::sample(&[5, 7], 1));
        let y = net.add("dense", Gemm::new(false, true), &[x], &["w", "b"]);
        let z = net.add("tanh", Tanh::default(), &[y], &[]);
        net.train(z);
        if *apart {
            net.graph.output("before", y);
        }
        net
    });
}

#[test]
fn a_sum_with_relu_equals_the_two_apart() {
    assert_fusion_changes_nothing(|apart| {
        let mut net = Net::new(&[("b", &[4, 6], Trainable)]);
        let x = net.input(Array::sample(&[4, 6], 1));
        let y = net.add("add", Add::default(), &[x], &["b"]);
        let z = net.add("relu", Relu::default(), &[y], &[]);
        net.train(z);
        if *apart {
            net.graph.output("before", y);
        }
        net
    });
}

/// conv → normalization → ReLU; in inference without gradient.
fn normalized(training: bool, channels: usize, apart: bool) -> Net {
    let c: &[usize] = &[channels];
    let mut net = Net::new(&[
        ("w", &[channels, 3, 3, 3], Trainable),
        ("scale", c, Trainable),
        ("bias", c, Trainable),
        ("mean", c, Statistic),
        ("var", c, Statistic),
    ]);
    let x = net.input(Array::sample(&[3, 3, 6, 5], 1));
    let x = net.add("conv", Conv::new(&[3, 3], &[1, 1], &[1; 4], &[], 1), &[x], &["w"]);
    let op = BatchNormalization { training, ..BatchNormalization::default() };
    let y = net.all("norm", op, &[x], &["scale", "bias", "mean", "var"]);
    let z = net.add("relu", Relu::default(), &[y[0]], &[]);
    if training {
        let rows = net.add("flatten", Flatten::default(), &[z], &[]);
        net.train(rows);
        for (statistic, value) in [("mean", y[1]), ("var", y[2])] {
            let statistic = net.graph.parameter(statistic).unwrap();
            net.graph.update(statistic, value);
        }
    } else {
        net.graph.output("y", z);
    }
    if apart {
        net.graph.output("before", y[0]);
    }
    net
}

#[test]
fn a_normalization_with_relu_equals_the_two_apart_in_training() {
    for channels in [5, 16] {
        assert_fusion_changes_nothing(|apart| normalized(true, channels, *apart));
    }
}

#[test]
fn a_normalization_with_relu_runs_two_steps_less_in_training() {
    // The ReLU and its gradient.
    let steps = |apart| normalized(true, 5, apart).session(PLAIN).plan().steps();
    assert_eq!(steps(false) + 2, steps(true));
}

#[test]
fn a_normalization_with_relu_equals_the_two_apart_in_inference() {
    for options in all_options() {
        for channels in [5, 16] {
            let [mut fused, mut apart] =
                [false, true].map(|apart| normalized(false, channels, apart).session(options));
            assert!(fused.plan().steps() < apart.plan().steps());
            let distance = distance_f32(&fused.run().output(0), &apart.run().output(0));
            assert!(distance < 1e-5, "{}: results differ by {distance:e}", name(options));
        }
    }
}

/// A residual block of inference, conv → normalization → + x → ReLU, behind a convolution; one of
/// its values may leave the graph, which keeps the ops around it apart.
fn residual(channels: usize, bias: bool, root: Option<usize>) -> Net {
    let c: &[usize] = &[channels];
    let mut net = Net::new(&[
        ("w0", &[channels, 3, 1, 1], Trainable),
        ("w", &[channels, channels, 3, 3], Trainable),
        ("b", c, Trainable),
        ("scale", c, Trainable),
        ("bias", c, Trainable),
        ("mean", c, Statistic),
        ("var", c, Statistic),
    ]);
    let same = |k: usize| Conv::new(&[k, k], &[1, 1], &[k / 2; 4], &[], 1);
    let image = net.input(Array::sample(&[2, 3, 6, 5], 1));
    let x = net.add("before", same(1), &[image], &["w0"]);
    let weights: &[&str] = if bias { &["w", "b"] } else { &["w"] };
    let conv = net.add("conv", same(3), &[x], weights);
    let op = BatchNormalization::default();
    let norm = net.add("norm", op, &[conv], &["scale", "bias", "mean", "var"]);
    let sum = net.add("add", Add::default(), &[x, norm], &[]);
    let y = net.add("relu", Relu::default(), &[sum], &[]);
    net.graph.output("y", y);
    if let Some(root) = root {
        net.graph.output("root", [x, conv, norm, sum][root]);
    }
    net
}

#[test]
fn a_residual_block_of_inference_runs_as_one_convolution() {
    for bias in [false, true] {
        let steps = |root| residual(5, bias, root).session(PLAIN).plan().steps();
        // What leaves the graph costs the fusion at its place, and nothing else.
        assert_eq!([None, Some(0), Some(1), Some(2), Some(3)].map(steps), [2, 2, 4, 3, 3]);
    }
}

#[test]
fn a_folded_normalization_and_a_fused_sum_change_nothing() {
    for options in all_options() {
        for (channels, bias) in [(5, false), (5, true), (16, true), (32, false)] {
            let run = |root| {
                let mut session = residual(channels, bias, root).session(options);
                // What is added up in place must be made anew in each run.
                session.run();
                session.run();
                session
            };
            let apart = run(Some(1));
            for root in [None, Some(0), Some(2), Some(3)] {
                let got = run(root);
                let distance = distance_f32(&got.output(0), &apart.output(0));
                assert!(distance < 2e-5, "{}: results differ by {distance:e}", name(options));
            }
            // x keeps its numbers although the block adds to it.
            let (x, z) = (run(Some(0)).output(1), residual(channels, bias, Some(0)));
            let mut plain = z.session(PLAIN);
            let distance = distance_f32(&x, &plain.run().output(1));
            assert!(distance < 1e-5, "{}: x is off by {distance:e}", name(options));
        }
    }
}

#[test]
fn a_dense_layer_takes_the_normalization_behind_it() {
    for (transposed, dims) in [(true, [4, 7]), (false, [7, 4])] {
        for options in all_options() {
            let [mut folded, mut apart] = [false, true].map(|apart| {
                let mut net = Net::new(&[
                    ("w", &dims, Trainable),
                    ("scale", &[4], Trainable),
                    ("bias", &[4], Trainable),
                    ("mean", &[4], Statistic),
                    ("var", &[4], Statistic),
                ]);
                let x = net.input(Array::sample(&[3, 7], 1));
                let y = net.add("dense", Gemm::new(false, transposed), &[x], &["w"]);
                let op = BatchNormalization::default();
                let z = net.add("norm", op, &[y], &["scale", "bias", "mean", "var"]);
                net.graph.output("z", z);
                if apart {
                    net.graph.output("y", y);
                }
                net.session(options)
            });
            assert_eq!([folded.plan().steps(), apart.plan().steps()], [1, 2]);
            let distance = distance_f32(&folded.run().output(0), &apart.run().output(0));
            assert!(distance < 1e-5, "{}: results differ by {distance:e}", name(options));
        }
    }
}

#[test]
fn equal_nodes_run_once_and_dropout_of_inference_hides_nothing() {
    let mut net = Net::new(&[("w", &[9, 7], Trainable)]);
    let x = net.input(Array::sample(&[5, 7], 1));
    let dense = [0, 1].map(|i| {
        let y = net.add(&format!("dense{i}"), Gemm::new(false, true), &[x], &["w"]);
        let y = net.add("dropout", Dropout { ratio: 0.5, ..Dropout::default() }, &[y], &[]);
        net.add("tanh", Tanh::default(), &[y], &[])
    });
    let sum = net.add("add", Add::default(), &dense, &[]);
    net.graph.output("sum", sum);
    net.graph.output("one", dense[1]);
    for options in all_options() {
        let mut session = net.session(options);
        assert_eq!(session.plan().steps(), 2, "{}", name(options));
        let (sum, one) = (session.run().output(0), session.output(1));
        assert!(sum.iter().zip(&one).all(|(sum, one)| *sum == 2.0 * one));
    }
}

#[test]
fn masks_of_equal_layers_stay_apart() {
    let mut net = Net::new(&[]);
    let x = net.input(Array::sample(&[50], 1));
    let op = Dropout { ratio: 0.5, training: true, salt: 1, ..Dropout::default() };
    for _ in 0..2 {
        let y = net.add("dropout", op.clone(), &[x], &[]);
        net.graph.output("y", y);
    }
    assert_eq!(net.session(PLAIN).plan().steps(), 2);
}

#[test]
fn a_gelu_of_training_keeps_what_its_gradient_reads() {
    let build = |apart| {
        let mut net = Net::new(&[("w", &[9, 7], Trainable), ("b", &[9], Trainable)]);
        let x = net.input(Array::sample(&[5, 7], 1));
        let y = net.add("dense", Gemm::new(false, true), &[x], &["w", "b"]);
        let z = net.add("gelu", Gelu::default(), &[y], &[]);
        net.train(z);
        if apart {
            net.graph.output("before", y);
        }
        net.session(PLAIN)
    };
    let [mut trained, mut apart] = [false, true].map(build);
    assert_eq!(trained.plan().steps(), apart.plan().steps());
    assert_eq!(trained.run().gradient(), apart.run().gradient());
}

/// A small network with every op that passes blocked layouts on, and a branch.
fn branched(batch: usize) -> Net {
    let mut net = Net::new(&[
        ("w1", &[16, 3, 3, 3], Trainable),
        ("b1", &[16], Trainable),
        ("scale", &[16], Trainable),
        ("bias", &[16], Trainable),
        ("mean", &[16], Statistic),
        ("var", &[16], Statistic),
        ("w2", &[16, 16, 1, 1], Trainable),
        ("w3", &[20, 32, 3, 3], Trainable),
        ("w4", &[6, 20], Trainable),
        ("b4", &[6], Trainable),
    ]);
    let same = |k: usize| Conv::new(&[k, k], &[1, 1], &[k / 2; 4], &[], 1);
    let window = || (vec![2, 2], vec![2, 2], vec![0; 4]);
    let x = net.input(Array::sample(&[batch, 3, 9, 8], 1));
    let x = net.add("conv1", same(3), &[x], &["w1", "b1"]);
    let op = BatchNormalization { training: true, ..BatchNormalization::default() };
    let normalized = net.all("norm", op, &[x], &["scale", "bias", "mean", "var"]);
    let x = net.add("relu1", Relu::default(), &[normalized[0]], &[]);
    let (kernel_shape, strides, pads) = window();
    let pool = MaxPool { kernel_shape, strides, pads, ..MaxPool::default() };
    let x = net.add("pool1", pool, &[x], &[]);
    let branch = net.add("conv2", same(1), &[x], &["w2"]);
    let sum = net.add("add", Add::default(), &[branch, x], &[]);
    let sum = net.add("relu2", Relu::default(), &[sum], &[]);
    let x = net.add("concat", Concat::default(), &[sum, x], &[]);
    let x = net.add("conv3", same(3), &[x], &["w3"]);
    let pool =
        AveragePool { kernel_shape: vec![4, 4], strides: vec![4, 4], ..AveragePool::default() };
    let x = net.add("pool2", pool, &[x], &[]);
    let x = net.add("flatten", Flatten::default(), &[x], &[]);
    let x = net.add("dense", Gemm::new(false, true), &[x], &["w4", "b4"]);
    net.train(x);
    for (statistic, value) in [("mean", normalized[1]), ("var", normalized[2])] {
        let statistic = net.graph.parameter(statistic).unwrap();
        net.graph.update(statistic, value);
    }
    net
}

#[test]
fn kept_layouts_change_nothing() {
    if !harness::onednn_is_here() {
        return;
    }
    for batch in [1, 4] {
        let net = branched(batch);
        let [mut onednn, mut plain] = [ONEDNN, PLAIN].map(|options| net.session(options));
        let distance = distance_f32(&onednn.run().output(0), &plain.run().output(0));
        // Eight ops deep, sums of up to 288 products.
        assert!(distance < 1e-4, "losses differ by {distance:e}");
        let distance = distance_f32(&onednn.gradient(), &plain.gradient());
        assert!(distance < 1e-3, "gradients differ by {distance:e}");
    }
}

#[test]
fn statistics_are_averaged_and_nothing_is_left_unwritten() {
    for options in all_options() {
        let net = branched(4);
        let mut session = net.session(options);
        let gradient = session.run().gradient();
        assert!(gradient.iter().all(|g| g.is_finite()), "{}", name(options));
        // An empty batch has no statistics and moves no weight.
        let gradient = branched(0).session(options).run().gradient();
        assert!(gradient.iter().all(|&g| g == 0.0), "{}", name(options));
    }
}
