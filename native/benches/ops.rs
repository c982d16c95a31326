//! Times the ops of the case table at real sizes on one thread, row-major operands and results:
//! forward, and forward with backward through all operands. `cargo bench --bench ops -- Conv`
//! times those with that name.

#[path = "../../tests/cases/mod.rs"]
mod cases;
#[path = "../../tests/harness/mod.rs"]
mod harness;

use cases::Training;
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
        // Without the loss behind the op, which is timed on its own.
        let Training { graph, weights, inputs, .. } = case.timed_training();
        let mut session = Session::new(&graph, &weights, &inputs, ONEDNN);
        group.bench_function("forward and backward", |bencher| {
            bencher
                .iter_custom(|iterations| (0..iterations).map(|_| session.run_timed("case")).sum())
        });

        let (graph, inputs) = case.forward(1);
        let mut session = Session::new(&graph, &[], &inputs, ONEDNN);
        let cost = session.plan().cost();
        group.throughput(match cost.flops as u64 {
            0 => Throughput::Bytes(cost.bytes as u64),
            // Shown as "elem".
            operations => Throughput::Elements(operations),
        });
        group.bench_function("forward", |bencher| bencher.iter(|| _ = session.run()));
        group.finish();
    }
}
