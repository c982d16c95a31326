//! Running graphs in tests and benches: loading oneDNN, memory, one replica.

#![allow(dead_code, reason = "each test and bench uses a part of this")]

use nn::{Graph, Plan, PlanOptions, Precision, Prepared, RunContext, Workspace};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tensor::{Buffer, DType, Tensor};

/// What every run is keyed by.
pub const CONTEXT: RunContext = RunContext { seed: 7, step: 3, replica: 1 };

/// Plain kernels only.
pub const PLAIN: PlanOptions = PlanOptions { onednn: false, threads: 1, precision: Precision::F32 };

/// oneDNN where it has a kernel.
pub const ONEDNN: PlanOptions = PlanOptions { onednn: true, ..PLAIN };

/// oneDNN, with products in bf16.
pub const BF16: PlanOptions = PlanOptions { precision: Precision::Bf16, ..ONEDNN };

/// Loads oneDNN from `FIRESTEEL_ONEDNN` or from where `make native` puts it. False, after a printed
/// line, if it is not there; on CI that is a failure.
pub fn onednn_is_here() -> bool {
    static LOADED: OnceLock<bool> = OnceLock::new();
    *LOADED.get_or_init(|| {
        let built = concat!(env!("CARGO_MANIFEST_DIR"), "/target/native/linux-x86_64/libdnnl.so.3");
        let path = std::env::var_os("FIRESTEEL_ONEDNN").unwrap_or_else(|| built.into());
        let path = PathBuf::from(path);
        if path.exists() {
            onednn::load(&path).unwrap();
            return true;
        }
        let required = std::env::var("CI").is_ok_and(|ci| ci == "true");
        assert!(!required, "{} is missing. Run make native", path.display());
        println!("skipped oneDNN: {} is missing. Run make native", path.display());
        false
    })
}

/// The ways to compile that can be tried here.
pub fn all_options() -> Vec<PlanOptions> {
    if onednn_is_here() { vec![PLAIN, ONEDNN] } else { vec![PLAIN] }
}

/// True if there are instructions for bf16; false, after a printed line, if not.
pub fn bf16_is_here() -> bool {
    let here = onednn_is_here() && BF16.check().is_ok();
    if !here {
        println!("skipped bf16: oneDNN has no instructions for it here");
    }
    here
}

/// Name of a way to compile.
pub fn name(options: PlanOptions) -> &'static str {
    if options.onednn { "oneDNN" } else { "plain kernels" }
}

/// A compiled graph with memory, weights and inputs.
pub struct Session {
    plan: Arc<Plan>,
    workspace: Workspace,
    gradient: Arc<Buffer>,
    _prepared: Prepared,
}

impl Session {
    /// Compiles and fills.
    pub fn new(graph: &Graph, weights: &[f32], inputs: &[Tensor], options: PlanOptions) -> Session {
        let plan = Arc::new(Plan::compile(graph, options).unwrap());
        let mut prepared = Prepared::new(&plan).unwrap();
        prepared.prepare(&Arc::new(Buffer::from_f32(weights).unwrap())).unwrap();
        let mut workspace = Workspace::new(&prepared).unwrap();
        for (i, tensor) in inputs.iter().enumerate() {
            workspace.set_input_tensor(i, tensor).unwrap();
        }
        // NaN shows a range that nothing was written to.
        let gradient = Arc::new(Buffer::from_f32(&vec![f32::NAN; weights.len()]).unwrap());
        Session { plan, workspace, gradient, _prepared: prepared }
    }

    /// Runs all steps.
    pub fn run(&mut self) -> &mut Session {
        self.workspace.run(&CONTEXT, Some(&self.gradient)).unwrap();
        self
    }

    /// Runs all steps and returns the time of those of the nodes whose names begin like this.
    pub fn run_timed(&mut self, prefix: &str) -> Duration {
        let times = self.workspace.run_timed(&CONTEXT, Some(&self.gradient)).unwrap();
        times.iter().filter(|step| step.node.starts_with(prefix)).map(|step| step.time).sum()
    }

    /// Output `o` of the last run, as f32.
    pub fn output(&self, o: usize) -> Vec<f32> {
        self.tensor(o).cast(DType::F32).into_vec().unwrap()
    }

    /// Output `o` of the last run.
    pub fn tensor(&self, o: usize) -> Tensor {
        self.workspace.output_tensor(o).unwrap()
    }

    /// The flat gradient of the last run.
    pub fn gradient(&self) -> Vec<f32> {
        self.gradient.f32().to_vec()
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }
}

/// The largest difference between two lists, relative to the largest expected number if that is
/// beyond one; infinite if there is a NaN.
pub fn distance(got: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(got.len(), expected.len(), "numbers to compare");
    let largest = expected.iter().fold(1.0, |m: f64, e| m.max(e.abs()));
    let differences = got.iter().zip(expected).map(|(&g, e)| (f64::from(g) - e).abs());
    let distance =
        differences.fold(0.0, |m: f64, d| if d.is_nan() { f64::INFINITY } else { m.max(d) });
    distance / largest
}

/// [`distance`] of two results in f32.
pub fn distance_f32(got: &[f32], expected: &[f32]) -> f64 {
    distance(got, &expected.iter().map(|&e| f64::from(e)).collect::<Vec<_>>())
}

/// The bits of a result.
pub fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}
