//! What a replayed golden run says.

use std::collections::BTreeMap;
use std::fmt;

/// The losses of one step.
pub struct Loss {
    /// Ours.
    pub ours: f64,
    /// PyTorch's in f32.
    pub single: f64,
    /// That of a run in f64, where there is one.
    pub double: Option<f64>,
}

/// Losses side by side.
pub struct Report {
    /// The model.
    pub case: String,
    /// One per step.
    pub losses: Vec<Loss>,
    /// Our gradients at step 0 against the reference in f64 if there is one, else PyTorch's in f32.
    pub gradient: NormDifferences,
    /// PyTorch's gradients in f32 against the reference; with it losses are compared in f64 too.
    pub single_gradient: Option<NormDifferences>,
    /// Largest relative difference of a loss that passes.
    pub tolerance: f64,
}

impl Report {
    /// Whether every loss is within the tolerance.
    pub fn passed(&self) -> bool {
        self.largest() <= self.tolerance
    }

    /// Largest relative difference of a loss; NaN counts as infinite.
    fn largest(&self) -> f64 {
        self.losses.iter().map(|loss| relative(loss.ours, self.expected(loss))).fold(0.0, f64::max)
    }

    fn expected(&self, loss: &Loss) -> f64 {
        let double = loss.double.filter(|_| self.single_gradient.is_some());
        double.unwrap_or(loss.single)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [step, ours, single] = ["step", "firesteel", "PyTorch f32"];
        writeln!(f, "{step:>4} {ours:>14} {single:>14} {:>14} {:>10}", "f64", "difference")?;
        for (step, loss) in self.losses.iter().enumerate() {
            let Loss { ours, single, double } = loss;
            write!(f, "{step:>4} {ours:>14.9} {single:>14.9}")?;
            match double {
                Some(double) => write!(f, " {double:>14.9}")?,
                None => write!(f, " {:>14}", "-")?,
            }
            writeln!(f, " {:>10.1e}", relative(*ours, self.expected(loss)))?;
        }
        writeln!(f, "gradient norms of step 0: {}", self.gradient)?;
        let mut expected = "PyTorch's f32";
        if let Some(gradient) = &self.single_gradient {
            expected = "f64";
            write!(f, "PyTorch's f32 from f64: losses")?;
            for loss in &self.losses {
                write!(f, " {:.1e}", relative(loss.single, self.expected(loss)))?;
            }
            writeln!(f, "; gradient norms of step 0: {gradient}")?;
        }
        writeln!(
            f,
            "{}: {}: largest difference from {expected} {:.1e} in {} steps, tolerance {:.0e}",
            self.case,
            if self.passed() { "passed" } else { "FAILED" },
            self.largest(),
            self.losses.len(),
            self.tolerance
        )
    }
}

/// Relative differences of norms, one per parameter.
pub struct NormDifferences {
    largest: f64,
    parameter: String,
    median: f64,
}

impl NormDifferences {
    /// Those of the parameters that are expected; one that is missing counts as infinite.
    pub fn new(norms: &BTreeMap<String, f64>, expected: &BTreeMap<String, f64>) -> Self {
        let norm = |name| norms.get(name).copied().unwrap_or(f64::NAN);
        let mut differences: Vec<_> = expected
            .iter()
            .map(|(name, expected)| (relative(norm(name), *expected), name.as_str()))
            .collect();
        differences.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (largest, parameter) = differences.last().copied().unwrap_or((f64::INFINITY, "none"));
        let median = differences.get(differences.len() / 2).map_or(largest, |middle| middle.0);
        Self { largest, parameter: parameter.to_owned(), median }
    }
}

impl fmt::Display for NormDifferences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { largest, parameter, median } = self;
        write!(f, "largest difference {largest:.1e} ({parameter}), median {median:.1e}")
    }
}

/// Difference as a share of what it should be; infinite for NaN.
fn relative(ours: f64, theirs: f64) -> f64 {
    let difference = (ours - theirs).abs() / theirs.abs().max(1e-9);
    if difference.is_nan() { f64::INFINITY } else { difference }
}
