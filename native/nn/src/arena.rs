//! Memory plan: buffers whose lifetimes do not overlap share bytes.

const ALIGNMENT: usize = 64;

/// A buffer of a plan: its size and the steps between which it is alive (both included).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lifetime {
    pub bytes: usize,
    pub first: usize,
    pub last: usize,
}

/// Offsets of the buffers in one block, and the block's size. Large buffers are placed first, each
/// at the lowest offset that is free during its whole lifetime.
pub(crate) fn place(buffers: &[Lifetime]) -> (Vec<usize>, usize) {
    let mut order: Vec<usize> = (0..buffers.len()).collect();
    order.sort_by_key(|&i| (std::cmp::Reverse(buffers[i].bytes), i));
    let mut offsets = vec![0; buffers.len()];
    // Sorted by offset, so that one walk finds the first gap.
    let mut placed: Vec<usize> = Vec::with_capacity(buffers.len());
    let mut total = 0;
    for i in order {
        let size = buffers[i].bytes.next_multiple_of(ALIGNMENT);
        let mut offset = 0;
        for &j in &placed {
            let alive = buffers[j].first <= buffers[i].last && buffers[i].first <= buffers[j].last;
            if !alive {
                continue;
            }
            if offsets[j] >= offset + size {
                break;
            }
            offset = offset.max(offsets[j] + buffers[j].bytes.next_multiple_of(ALIGNMENT));
        }
        offsets[i] = offset;
        total = total.max(offset + size);
        let at = placed.partition_point(|&j| offsets[j] <= offset);
        placed.insert(at, i);
    }
    (offsets, total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overlap(a: (usize, Lifetime), b: (usize, Lifetime)) -> bool {
        let time = a.1.first <= b.1.last && b.1.first <= a.1.last;
        time && a.0 < b.0 + b.1.bytes && b.0 < a.0 + a.1.bytes
    }

    #[test]
    fn buffers_that_live_together_never_overlap() {
        let buffers: Vec<Lifetime> = (0..200)
            .map(|i| {
                let first = (i * 37) % 50;
                Lifetime { bytes: (i * 7919) % 4096 + 1, first, last: first + (i * 13) % 17 }
            })
            .collect();
        let (offsets, total) = place(&buffers);
        for i in 0..buffers.len() {
            assert!(offsets[i] + buffers[i].bytes <= total);
            for j in 0..i {
                assert!(!overlap((offsets[i], buffers[i]), (offsets[j], buffers[j])));
            }
        }
    }

    #[test]
    fn a_chain_of_equal_buffers_needs_two() {
        let chain: Vec<Lifetime> =
            (0..10).map(|i| Lifetime { bytes: 640, first: i, last: i + 1 }).collect();
        assert_eq!(place(&chain).1, 2 * 640);
    }
}
