//! Timing, by the rules of `peers/common.py`.

use std::fs;
use std::time::Instant;

/// Linux counts CPU time in hundredths of a second, whatever its own clock.
const TICKS_PER_SECOND: f64 = 100.0;

/// Times of the steps of one run.
pub struct Timing {
    /// Seconds of each step, sorted.
    pub seconds: Vec<f64>,
    /// Share of the machine's CPU time, 0 to 1, that other processes used meanwhile; above about
    /// 0.05 a neighbour spoils the median. −1 where /proc does not tell.
    pub other_cpu: f64,
}

impl Timing {
    /// Median of the steps, in seconds.
    pub fn median(&self) -> f64 {
        let middle = self.seconds.len() / 2;
        match self.seconds.len() % 2 {
            1 => self.seconds[middle],
            _ => (self.seconds[middle - 1] + self.seconds[middle]) / 2.0,
        }
    }
}

/// Runs `step` for two seconds (2 to 50 times) to warm up, then for `secs` seconds (5 to 2000
/// times) and times each run.
pub fn measure<E>(secs: f64, mut step: impl FnMut() -> Result<(), E>) -> Result<Timing, E> {
    let (start, mut runs) = (Instant::now(), 0);
    while runs < 2 || (start.elapsed().as_secs_f64() < 2.0 && runs < 50) {
        step()?;
        runs += 1;
    }
    let (busy, mine, start) = (busy(), mine(), Instant::now());
    let mut seconds = Vec::with_capacity(2000);
    while seconds.len() < 5 || (start.elapsed().as_secs_f64() < secs && seconds.len() < 2000) {
        let begin = Instant::now();
        step()?;
        seconds.push(begin.elapsed().as_secs_f64());
    }
    let wall = start.elapsed().as_secs_f64();
    seconds.sort_by(f64::total_cmp);
    Ok(Timing { seconds, other_cpu: other(busy, mine, wall).unwrap_or(-1.0) })
}

fn other(busy_before: Option<f64>, mine_before: Option<f64>, wall: f64) -> Option<f64> {
    let (busy, mine) = (busy()? - busy_before?, mine()? - mine_before?);
    let cores = std::thread::available_parallelism().ok()?.get() as f64;
    Some(((busy - mine) / (wall * cores)).max(0.0))
}

/// CPU seconds of all processes: user, nice, system, irq, softirq and steal of /proc/stat.
fn busy() -> Option<f64> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    let fields = text.lines().next()?.split_whitespace().skip(1).take(8);
    let ticks: Vec<f64> = fields.map(|field| field.parse().ok()).collect::<Option<_>>()?;
    // Fields 3 and 4 are idle time.
    Some((ticks.iter().sum::<f64>() - ticks.get(3)? - ticks.get(4)?) / TICKS_PER_SECOND)
}

/// CPU seconds of this process: utime and stime of /proc/self/stat.
fn mine() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    // The name in parentheses may hold spaces; state is the first field after it.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: f64 = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    Some(ticks / TICKS_PER_SECOND)
}

/// Largest resident memory of this process so far, in MiB.
pub fn rss_mb() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? / 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_run_has_at_least_five_sorted_times() {
        let mut runs = 0;
        let timing = measure::<()>(0.0, || {
            runs += 1;
            Ok(())
        })
        .unwrap();
        assert_eq!((runs, timing.seconds.len()), (55, 5));
        assert!(timing.seconds.is_sorted());
        assert_eq!(timing.median(), timing.seconds[2]);
        assert!(rss_mb().unwrap() > 0);
    }
}
