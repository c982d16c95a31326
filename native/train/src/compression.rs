//! Gradients in 16 bits: half as many bytes go from machine to machine.

use crate::tree::Root;
use nn::{ParameterKind, ParameterTable};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use tensor::random::{Philox, Purpose};

/// How gradients become smaller on their way.
///
/// A float of 16 bits has the exponent of a float of 32 bits and 7 bits behind the point. A number
/// between two of them becomes the upper one with the probability of its place between them, so that
/// the expected value is the number itself. Above the largest one, 3.39e38, is infinity.
///
/// The gradient of every block of the [tree](crate::tree) over the shards is rounded, from that of a
/// single shard to that of all: whichever blocks a machine sends lose nothing any more when they are
/// [packed](Wire::pack), and the bits do not depend on which these are. Sums are of 32 bits. Running
/// statistics are not rounded: they are values, not steps, and errors would stay in them.
///
/// Source of the rounding: Gupta, Agrawal, Gopalakrishnan, Narayanan, "Deep Learning with Limited
/// Numerical Precision", ICML 2015, section 3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Compression {
    /// Floats of 16 bits, rounded stochastically.
    #[serde(rename = "bf16")]
    Bf16,
}

/// The rounding of the gradients of one iteration: [`Wire::rounding`].
#[derive(Clone, Copy, Debug)]
pub struct Rounding<'a> {
    seed: u64,
    iteration: u64,
    wire: &'a Wire,
}

impl Rounding<'_> {
    /// Rounds floats of the gradient of `block`, which begin at float `begin` of the flat vector.
    ///
    /// A number depends on its own place alone, so the vector may be cut in any way.
    pub fn round(&self, block: Root, begin: usize, values: &mut [f32]) {
        let node = block.first as u64 | (block.level as u64) << 32;
        let stream = Philox::new(self.seed, Purpose::Rounding, self.iteration, node);
        for (at, form) in self.wire.runs(begin..begin + values.len()) {
            if form == Form::Half {
                round(&stream, at.start, &mut values[at.start - begin..at.end - begin]);
            }
        }
    }
}

/// Rounds floats that begin at `begin`; float n takes number `n % 64` of group `n / 64`.
fn round(stream: &Philox, begin: usize, mut values: &mut [f32]) {
    let mut at = begin;
    while !values.is_empty() {
        let skip = at % 64;
        let (part, rest) = values.split_at_mut(values.len().min(64 - skip));
        let noise = stream.halves(at as u64 / 64);
        for (value, noise) in part.iter_mut().zip(&noise[skip..]) {
            let rounded = value.to_bits().wrapping_add(*noise as u32) & 0xFFFF_0000;
            // The bits of a number that is none would not stay one.
            *value = if value.is_nan() { f32::NAN } else { f32::from_bits(rounded) };
        }
        at += part.len();
        values = rest;
    }
}

/// The form in which gradients of a model travel: float by float in their order, little-endian,
/// rounded ones as their upper 16 bits.
#[derive(Clone, Debug)]
pub struct Wire {
    compression: Option<Compression>,
    /// Ranges of the flat vector that hold running statistics, in their order.
    statistics: Vec<Range<usize>>,
}

/// How a float travels.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    /// Its upper 16 bits.
    Half,
    /// All of its bits.
    Whole,
}

impl Wire {
    /// The form for a model with these ranges of running statistics.
    pub fn new(compression: Option<Compression>, statistics: Vec<Range<usize>>) -> Wire {
        Wire { compression, statistics }
    }

    /// The form for a model with these parameters.
    pub fn of(compression: Option<Compression>, parameters: &ParameterTable) -> Wire {
        let statistics = parameters.iter().filter(|one| one.kind == ParameterKind::Statistic);
        Wire::new(compression, statistics.map(|one| one.range()).collect())
    }

    /// Ranges of the flat vector that hold running statistics, in their order.
    pub fn statistics(&self) -> &[Range<usize>] {
        &self.statistics
    }

    /// The rounding of the gradients of an iteration, if numbers are rounded.
    ///
    /// `seed` is that of the training, `iteration` the number of iterations done before.
    pub fn rounding(&self, seed: u64, iteration: u64) -> Option<Rounding<'_>> {
        self.compression.map(|_| Rounding { seed, iteration, wire: self })
    }

    /// Bytes of the floats `at` of the flat vector.
    pub fn bytes(&self, at: Range<usize>) -> usize {
        self.runs(at).map(|(run, form)| run.len() * form.bytes()).sum()
    }

    /// Writes floats, which begin at `begin` of the flat vector, to as many bytes as
    /// [`Wire::bytes`] says.
    ///
    /// ```
    /// use train::{Compression, Wire};
    /// let wire = Wire::new(Some(Compression::Bf16), vec![1..2]);
    /// let mut bytes = vec![0; wire.bytes(0..3)];
    /// wire.pack(0, &[1.5, 0.1, -2.0], &mut bytes);
    /// let mut floats = [0.0; 3];
    /// wire.unpack(0, &bytes, &mut floats);
    /// assert_eq!((bytes.len(), floats), (8, [1.5, 0.1, -2.0]));
    /// ```
    pub fn pack(&self, begin: usize, floats: &[f32], mut into: &mut [u8]) {
        for (run, form) in self.runs(begin..begin + floats.len()) {
            let from = &floats[run.start - begin..run.end - begin];
            let (bytes, rest) = into.split_at_mut(run.len() * form.bytes());
            match form {
                Form::Half => {
                    for (bytes, float) in bytes.as_chunks_mut::<2>().0.iter_mut().zip(from) {
                        *bytes = ((float.to_bits() >> 16) as u16).to_le_bytes();
                    }
                }
                Form::Whole => {
                    for (bytes, float) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(from) {
                        *bytes = float.to_le_bytes();
                    }
                }
            }
            into = rest;
        }
    }

    /// Reads what [`Wire::pack`] wrote.
    pub fn unpack(&self, begin: usize, mut from: &[u8], floats: &mut [f32]) {
        for (run, form) in self.runs(begin..begin + floats.len()) {
            let into = &mut floats[run.start - begin..run.end - begin];
            let (bytes, rest) = from.split_at(run.len() * form.bytes());
            match form {
                Form::Half => {
                    for (bytes, float) in bytes.as_chunks::<2>().0.iter().zip(into) {
                        *float = f32::from_bits((u16::from_le_bytes(*bytes) as u32) << 16);
                    }
                }
                Form::Whole => {
                    for (bytes, float) in bytes.as_chunks::<4>().0.iter().zip(into) {
                        *float = f32::from_le_bytes(*bytes);
                    }
                }
            }
            from = rest;
        }
    }

    /// The floats `at` in runs that travel alike.
    fn runs(&self, at: Range<usize>) -> impl Iterator<Item = (Range<usize>, Form)> {
        let statistics = match self.compression {
            Some(Compression::Bf16) => &self.statistics[..],
            None => &[],
        };
        let gradient = if self.compression.is_some() { Form::Half } else { Form::Whole };
        let mut next = statistics.partition_point(|range| range.end <= at.start);
        let mut begin = at.start;
        std::iter::from_fn(move || {
            if begin >= at.end {
                return None;
            }
            let (end, form) = match statistics.get(next) {
                Some(range) if range.start <= begin => {
                    next += 1;
                    (range.end, Form::Whole)
                }
                Some(range) => (range.start, gradient),
                None => (at.end, gradient),
            };
            let run = begin..end.min(at.end);
            begin = run.end;
            Some((run, form))
        })
    }
}

impl Form {
    fn bytes(self) -> usize {
        match self {
            Form::Half => 2,
            Form::Whole => 4,
        }
    }
}

#[cfg(test)]
mod tests;
