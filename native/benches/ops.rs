//! Times the ops of the case table at real sizes, one thread: forward, and a step forward and
//! backward through all operands. `cargo bench --bench ops -- Conv` times those with that name.

#[path = "../../tests/cases/mod.rs"]
mod cases;
#[path = "../../tests/harness/mod.rs"]
mod harness;

use cases::{Case, Training};
use criterion::{Criterion, Throughput};
use harness::{ONEDNN, Session};
use std::time::Duration;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    ops(&mut criterion);
    criterion.final_summary();
}

fn ops(criterion: &mut Criterion) {
    harness::onednn_is_here();
    for case in cases::timed() {
        let mut group = criterion.benchmark_group(case.label());
        let mut time = |what: &str, mut session: Session| {
            // Shown as "elem": floating-point operations.
            group.throughput(Throughput::Elements(session.plan().cost().flops as u64));
            group.bench_function(what, |bencher| bencher.iter(|| _ = session.run()));
        };
        let (graph, inputs) = case.forward(1);
        time("forward", Session::new(&graph, &[], &inputs, ONEDNN));
        let Training { graph, weights, inputs, .. } = case.training(&differentiable(&case));
        time("step", Session::new(&graph, &weights, &inputs, ONEDNN));
        group.finish();
    }
}

fn differentiable(case: &Case) -> Vec<usize> {
    (0..case.operands.len()).filter(|&i| case.operands[i].differentiable).collect()
}
