//! Times whole training iterations in one process: forward, backward, sum of the shards' gradients,
//! update. The models and batches are those of the tool's `bench`.

#[path = "../../tests/harness/mod.rs"]
mod harness;

use cli::{Case, Training};
use criterion::{BenchmarkId, Criterion, Throughput};
use std::time::Duration;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(5))
        .configure_from_args();
    iteration(&mut criterion);
    criterion.final_summary();
}

fn iteration(criterion: &mut Criterion) {
    if !harness::onednn_is_here() {
        return;
    }
    for case in Case::ALL {
        let batch = case.training_batch();
        let mut group = criterion.benchmark_group(format!("{} batch {batch}", case.name()));
        group.throughput(Throughput::Elements(batch as u64));
        for threads in [1, 2] {
            let training = Training::synthetic(case, batch, threads);
            let mut training = training.expect("the batch fits the model");
            group.bench_function(BenchmarkId::new("threads", threads), |bencher| {
                bencher.iter(|| training.step().expect("a step runs"));
            });
        }
        group.finish();
    }
}
