//! Where the rows of queries, keys, values and results are, and the passes over one head.

use crate::ops::panels;
use std::ops::Range;
use tensor::gemm::{Matrix, gemm, gemm_rows};
use tensor::math::{self, sum};
use tensor::vectorized;

/// Queries that are worked on at a time.
const BLOCK: usize = 64;

/// How \[batch, heads, rows, columns\] lie in an operand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Strides {
    /// Where the first element is.
    pub offset: usize,
    pub batch: usize,
    pub head: usize,
    pub row: usize,
}

impl Strides {
    /// First element of a head.
    pub fn at(&self, batch: usize, head: usize) -> usize {
        self.offset + batch * self.batch + head * self.head
    }

    fn matrix<'a>(&self, data: &'a [f32], at: usize, rows: usize, cols: usize) -> Matrix<'a> {
        Matrix { row_stride: self.row, ..Matrix::new(&data[at..], rows, cols) }
    }
}

/// What lies side by side in the results, so that threads can share them.
#[derive(Clone, Copy, Debug)]
pub(super) enum Piece {
    /// The heads of a sample.
    Sample,
    /// One head of a sample.
    Head,
    /// All heads of one query.
    Query,
}

/// All sizes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heads {
    pub batch: usize,
    pub heads: usize,
    /// Query heads per head of keys and values.
    pub sharing: usize,
    /// Queries and keys.
    pub rows: [usize; 2],
    /// Columns of queries and keys, and of values.
    pub cols: [usize; 2],
    pub q: Strides,
    pub k: Strides,
    pub v: Strides,
    pub y: Strides,
    pub scale: f32,
    pub causal: bool,
    /// Strides of the mask's batch, head and row; its last dimension is that of the keys.
    pub mask: [usize; 3],
}

impl Heads {
    /// Floats that the gradients need beside their operands.
    pub fn scratch(&self) -> usize {
        2 * BLOCK.min(self.rows[0]) * self.rows[1] + panels::packed(self.cols[0], self.rows[1])
    }

    /// The keys of a head as columns.
    fn pack_keys(&self, k: &[f32], batch: usize, head: usize, to: &mut [f32]) {
        let k = &k[self.k.at(batch, head / self.sharing)..];
        panels::pack_transposed(k, self.k.row, [self.rows[1], self.cols[0]], to);
    }

    /// Calls `visit` for each block of queries: batch, head, first query, number of queries.
    fn blocks(&self, mut visit: impl FnMut(usize, usize, usize, usize)) {
        for batch in 0..self.batch {
            for head in 0..self.heads {
                for first in (0..self.rows[0]).step_by(BLOCK) {
                    visit(batch, head, first, BLOCK.min(self.rows[0] - first));
                }
            }
        }
    }

    /// scores = scale · q·kᵀ + mask of a block, with packed keys.
    fn scores(
        &self,
        [q, k, mask]: [&[f32]; 3],
        [batch, head, first, n]: [usize; 4],
        scores: &mut [f32],
    ) {
        let [keys, cols] = [self.rows[1], self.cols[0]];
        let q = &q[self.q.at(batch, head) + first * self.q.row..];
        panels::product(self.scale, q, [n, cols, self.q.row], k, scores, [keys, keys]);
        for (i, row) in scores.chunks_exact_mut(keys).enumerate() {
            if !mask.is_empty() {
                let at = [batch, head, first + i];
                let at: usize = at.iter().zip(self.mask).map(|(i, stride)| i * stride).sum();
                row.iter_mut().zip(&mask[at..]).for_each(|(score, mask)| *score += mask);
            }
            if self.causal {
                row[(first + i + 1).min(keys)..].fill(f32::NEG_INFINITY);
            }
        }
    }

    /// Number of pieces of the results.
    pub fn pieces(&self, piece: Piece) -> usize {
        self.batch
            * match piece {
                Piece::Sample => 1,
                Piece::Head => self.heads,
                Piece::Query => self.rows[0],
            }
    }

    /// These pieces of the result; log Σ e^score of each query too, if there is room for it, which
    /// pieces of queries have not.
    pub fn forward(
        &self,
        piece: Piece,
        pieces: Range<usize>,
        src: [&[f32]; 4],
        (y, mut log_sum): (&mut [f32], Option<&mut [f32]>),
    ) {
        let [queries, keys] = self.rows;
        let per_sample = self.pieces(piece) / self.batch.max(1);
        let n = BLOCK.min(queries);
        let packed =
            [(self.cols[0], keys), (keys, self.cols[1])].map(|(r, c)| panels::packed(r, c));
        let mut scratch = vec![0.0; n * (keys + 1) + packed[0] + packed[1]];
        let (scores, rest) = scratch.split_at_mut(n * keys);
        let (sums, rest) = rest.split_at_mut(n);
        let (k, v) = rest.split_at_mut(packed[0]);
        let mut origin = None;
        let mut at = pieces.start;
        while at < pieces.end {
            let (batch, first) = (at / per_sample, at % per_sample);
            let count = (per_sample - first).min(pieces.end - at);
            at += count;
            let (heads, rows) = match piece {
                Piece::Sample => (0..self.heads, 0..queries),
                Piece::Head => (first..first + count, 0..queries),
                Piece::Query => (0..self.heads, first..first + count),
            };
            for head in heads {
                self.pack_keys(src[1], batch, head, k);
                let values = &src[2][self.v.at(batch, head / self.sharing)..];
                panels::pack(values, self.v.row, self.cols[1], v);
                for row in rows.clone().step_by(BLOCK) {
                    let n = BLOCK.min(rows.end - row);
                    let (scores, sums) = (&mut scores[..n * keys], &mut sums[..n]);
                    self.scores([src[0], k, src[3]], [batch, head, row, n], scores);
                    softmax(scores, keys, sums);
                    let to = self.y.at(batch, head) + row * self.y.row;
                    let to_sum = (batch * self.heads + head) * queries + row;
                    let (y_begin, sum_begin) = *origin.get_or_insert((to, to_sum));
                    if let Some(log_sum) = &mut log_sum {
                        log_sum[to_sum - sum_begin..][..n].copy_from_slice(sums);
                    }
                    let y = &mut y[to - y_begin..];
                    panels::product(1.0, scores, [n, keys, keys], v, y, [self.cols[1], self.y.row]);
                }
            }
        }
    }

    /// The gradients of queries, keys and values, which may lie in one slice each or all in the
    /// first; all must be zero before.
    pub fn backward(
        &self,
        [q, k, v, mask]: [&[f32]; 4],
        [y, dy, log_sum]: [&[f32]; 3],
        diffs: &mut [&mut [f32]],
        scratch: &mut [f32],
    ) {
        let [queries, keys] = self.rows;
        let (k_packed, scratch) = scratch.split_at_mut(panels::packed(self.cols[0], self.rows[1]));
        let (p, dp) = scratch.split_at_mut(scratch.len() / 2);
        let (dk, dv) = if diffs.len() == 1 { (0, 0) } else { (1, 2) };
        self.blocks(|batch, head, first, n| {
            let (p, dp) = (&mut p[..n * keys], &mut dp[..n * keys]);
            if first == 0 {
                self.pack_keys(k, batch, head, k_packed);
            }
            self.scores([q, k_packed, mask], [batch, head, first, n], p);
            let at = (batch * self.heads + head) * queries + first;
            probabilities(p, keys, &log_sum[at..at + n]);
            let shared = head / self.sharing;
            let at = self.y.at(batch, head) + first * self.y.row;
            let dy_rows = self.y.matrix(dy, at, n, self.cols[1]);
            let v_at = self.v.at(batch, shared);
            gemm(1.0, dy_rows, self.v.matrix(v, v_at, keys, self.cols[1]).transposed(), 0.0, dp);
            let whole = Matrix::new(p, n, keys);
            let to = &mut diffs[dv][v_at..];
            gemm_rows(1.0, whole.transposed(), dy_rows, 1.0, to, self.v.row);
            for i in 0..n {
                let row = at + i * self.y.row..at + i * self.y.row + self.cols[1];
                let along = sum([&y[row.clone()], &dy[row]], |[y, dy]| y * dy);
                let row = i * keys..(i + 1) * keys;
                score_gradient(&p[row.clone()], along, self.scale, &mut dp[row]);
            }
            let dp = Matrix::new(dp, n, keys);
            let (q_at, k_at) =
                (self.q.at(batch, head) + first * self.q.row, self.k.at(batch, shared));
            let k = self.k.matrix(k, k_at, keys, self.cols[0]);
            gemm_rows(1.0, dp, k, 0.0, &mut diffs[0][q_at..], self.q.row);
            let q = self.q.matrix(q, q_at, n, self.cols[0]);
            gemm_rows(1.0, dp.transposed(), q, 1.0, &mut diffs[dk][k_at..], self.k.row);
        });
    }
}

vectorized! {
    /// Softmax of each row in place; a row of −∞ becomes 0.
    fn softmax(scores: &mut [f32], keys: usize, log_sum: &mut [f32]) {
        for (row, log_sum) in scores.chunks_exact_mut(keys).zip(log_sum) {
            let max = math::max(row);
            let shift = if max == f32::NEG_INFINITY { 0.0 } else { max };
            row.iter_mut().for_each(|x| *x = math::exp(*x - shift));
            let total = sum([row], |[x]| x);
            let factor = if total > 0.0 { 1.0 / total } else { 0.0 };
            row.iter_mut().for_each(|x| *x *= factor);
            *log_sum = if total > 0.0 { total.ln() + shift } else { f32::INFINITY };
        }
    }

    /// The same softmax again, from its kept sums.
    fn probabilities(scores: &mut [f32], keys: usize, log_sum: &[f32]) {
        for (row, log_sum) in scores.chunks_exact_mut(keys).zip(log_sum) {
            row.iter_mut().for_each(|x| *x = math::exp(*x - log_sum));
        }
    }

    /// From the gradient of a row of probabilities to that of the products q·k.
    fn score_gradient(p: &[f32], along: f32, scale: f32, dp: &mut [f32]) {
        for (dp, p) in dp.iter_mut().zip(p) {
            *dp = scale * p * (*dp - along);
        }
    }
}
