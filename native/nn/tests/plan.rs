//! What a plan promises: no allocation while it runs, shared weights, the same bits each time.

use nn::ops::{Conv, Dropout, Flatten, Gemm, MaxPool, Relu, SoftmaxCrossEntropy, Tanh};
use nn::{
    Graph, Initializer, ParameterKind, ParameterTable, Plan, PlanOptions, Prepared, RunContext,
    Workspace, differentiate,
};
use std::path::PathBuf;
use std::sync::Arc;
use tensor::{Buffer, Shape};

const BATCH: usize = 5;

/// Loads oneDNN; false, with a line that says so, where the library is not there.
fn onednn_is_here() -> bool {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/native/linux-x86_64");
    let path = std::env::var_os("FIRESTEEL_ONEDNN")
        .map_or_else(|| PathBuf::from(beside).join("libdnnl.so.3"), PathBuf::from);
    match onednn::load(&path) {
        Ok(_) => true,
        Err(error) if std::env::var_os("CI").is_some() => panic!("{error}"),
        Err(error) => {
            println!("plain kernels only: {error}");
            false
        }
    }
}

fn table() -> ParameterTable {
    let mut table = ParameterTable::new();
    let parameters: [(&str, &[usize]); 4] =
        [("conv.w", &[6, 1, 3, 3]), ("conv.b", &[6]), ("fc.w", &[4, 54]), ("fc.b", &[4])];
    for (name, shape) in parameters {
        let init = Initializer::Uniform { min: -0.5, max: 0.5 };
        table.push(name, Shape::new(shape), ParameterKind::Trainable, init).unwrap();
    }
    table
}

/// A small convolutional classifier with its gradients.
fn plan(onednn: bool) -> Arc<Plan> {
    plan_for(BATCH, onednn)
}

fn plan_for(batch: usize, onednn: bool) -> Arc<Plan> {
    let mut g = Graph::new(table());
    let p = ["conv.w", "conv.b", "fc.w", "fc.b"].map(|name| g.parameter(name).unwrap());
    let x = g.input("x", Shape::new(&[batch, 1, 8, 8]));
    let labels = g.input("labels", Shape::new(&[batch]));
    let scale = g.input("scale", Shape::new(&[1]));
    let h = g.add("conv", Conv::default(), &[x, p[0], p[1]]).unwrap()[0];
    let h = g.add("relu", Relu {}, &[h]).unwrap()[0];
    let pool = MaxPool { kernel_shape: vec![2, 2], strides: vec![2, 2], ..MaxPool::default() };
    let h = g.add("pool", pool, &[h]).unwrap()[0];
    let h = g.add("flatten", Flatten::default(), &[h]).unwrap()[0];
    let h = g
        .add("dropout", Dropout { ratio: 0.3, training: true, salt: 1, ..Dropout::default() }, &[h])
        .unwrap()[0];
    let h = g.add("fc", Gemm::new(false, true), &[h, p[2], p[3]]).unwrap()[0];
    let h = g.add("tanh", Tanh {}, &[h]).unwrap()[0];
    let loss = g.add("loss", SoftmaxCrossEntropy {}, &[h, labels, scale]).unwrap()[0];
    g.output("loss", loss);
    differentiate(&mut g, loss).unwrap();
    Arc::new(Plan::compile(&g, PlanOptions { onednn, ..PlanOptions::default() }).unwrap())
}

fn weights() -> Arc<Buffer> {
    Arc::new(Buffer::from_f32(&table().initial_values(7)).unwrap())
}

fn gradient() -> Arc<Buffer> {
    Arc::new(Buffer::new(table().len() * size_of::<f32>()).unwrap())
}

fn fill(workspace: &mut Workspace) {
    let ramp = |x: &mut [f32]| {
        x.iter_mut().enumerate().for_each(|(i, v)| *v = (i * 31 % 17) as f32 / 17.0 - 0.5);
    };
    workspace.set_input(0, ramp).unwrap();
    let labels = |x: &mut [f32]| x.iter_mut().enumerate().for_each(|(i, v)| *v = (i % 4) as f32);
    workspace.set_input(1, labels).unwrap();
    workspace.set_input(2, |x| x[0] = 1.0 / BATCH as f32).unwrap();
}

fn kinds() -> Vec<bool> {
    if onednn_is_here() { vec![true, false] } else { vec![false] }
}

#[test]
fn running_a_plan_allocates_nothing() {
    // Plain kernels do: the matrix product packs its operands into memory of its own.
    if !onednn_is_here() {
        return;
    }
    let (weights, gradient) = (weights(), gradient());
    let mut prepared = Prepared::new(&plan(true)).unwrap();
    let mut workspace = Workspace::new(&prepared).unwrap();
    fill(&mut workspace);
    let mut iteration = |step| {
        let context = RunContext { step, ..RunContext::default() };
        prepared.prepare(&weights).unwrap();
        workspace.run(&context, Some(&gradient)).unwrap();
    };
    iteration(0);
    let counted = allocation_counter::measure(|| (1..10).for_each(&mut iteration));
    assert_eq!(counted.count_total, 0);
}

#[test]
fn replicas_that_share_weights_compute_the_same_bits() {
    for onednn in kinds() {
        let (weights, gradients) = (weights(), [gradient(), gradient()]);
        let mut prepared = Prepared::new(&plan(onednn)).unwrap();
        prepared.prepare(&weights).unwrap();
        for gradient in &gradients {
            let mut workspace = Workspace::new(&prepared).unwrap();
            fill(&mut workspace);
            workspace.run(&RunContext::default(), Some(gradient)).unwrap();
        }
        assert_eq!(gradients[0].f32(), gradients[1].f32());
        assert!(gradients[0].f32().iter().any(|&g| g != 0.0));
    }
}

#[test]
fn a_plan_follows_weights_that_change_in_place_or_move() {
    for onednn in kinds() {
        let (first, mut second) = (weights(), Buffer::from_f32(weights().f32()).unwrap());
        second.f32_mut().iter_mut().for_each(|w| *w *= 0.5);
        let second = Arc::new(second);
        let mut prepared = Prepared::new(&plan(onednn)).unwrap();
        let mut workspace = Workspace::new(&prepared).unwrap();
        fill(&mut workspace);
        let mut loss = |weights: &Arc<Buffer>| {
            prepared.prepare(weights).unwrap();
            workspace.run(&RunContext::default(), Some(&gradient())).unwrap();
            workspace.output(0, |loss| loss.to_vec()).unwrap()
        };
        let losses = [loss(&first), loss(&second), loss(&first)];
        assert_eq!(losses[0], losses[2]);
        assert_ne!(losses[0], losses[1]);
    }
}

#[test]
fn plans_for_two_batch_sizes_share_one_copy_of_each_weight() {
    let (small, large) = (plan_for(1, false), plan_for(BATCH, false));
    let mut prepared = Prepared::new(&large).unwrap();
    assert_eq!(prepared.copies(), 4);
    prepared.add(&small).unwrap();
    assert_eq!(prepared.copies(), 4);
    prepared.prepare(&weights()).unwrap();
    let arena = nn::Arena::new(large.arena_bytes()).unwrap();
    for (plan, batch) in [(&large, BATCH), (&small, 1)] {
        let mut workspace = Workspace::sharing(&prepared, plan, &arena).unwrap();
        fill(&mut workspace);
        workspace.run(&RunContext::default(), Some(&gradient())).unwrap();
        let losses = workspace.output(0, |loss| loss.to_vec()).unwrap();
        assert!(losses.len() == batch && losses.iter().all(|&loss| loss > 0.0));
    }
}

#[test]
fn a_gradient_vector_of_another_length_is_refused() {
    let prepared = Prepared::new(&plan(false)).unwrap();
    let mut workspace = Workspace::new(&prepared).unwrap();
    let short = Arc::new(Buffer::new(16).unwrap());
    let error = workspace.run(&RunContext::default(), Some(&short)).unwrap_err();
    assert!(error.to_string().contains("gradient: expected 280 numbers, got 4"), "{error}");
}

#[test]
fn what_a_node_refuses_names_the_node_and_the_remedy() {
    let mut g = Graph::new(table());
    let weights = g.parameter("conv.w").unwrap();
    let x = g.input("x", Shape::new(&[1, 1, 2, 2]));
    let error = g.add("c1", Conv::default(), &[x, weights]).unwrap_err().to_string();
    assert!(error.starts_with("Conv \"c1\": expected a kernel that fits input 2×2"), "{error}");
    assert!(error.ends_with("Use padding = same or a smaller kernel."), "{error}");
}
