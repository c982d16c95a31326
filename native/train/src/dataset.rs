//! The rows of one shard in native memory.

use crate::{Error, Record};
use tensor::Buffer;
use xxhash_rust::xxh64::Xxh64;

/// Bytes of one block of rows, unless a single row is larger.
const BLOCK_BYTES: usize = 1 << 20;

/// The rows of one shard, in an order that depends on their content alone.
///
/// Rows arrive in whatever order the partitions deliver them; [`Dataset::seal`] sorts them by the
/// XXH64 hash of their bytes, then by the bytes, so that the same rows give the same dataset.
/// Sorting moves no row: it orders their numbers.
#[derive(Debug)]
pub struct Dataset {
    record: Record,
    blocks: Vec<Buffer>,
    rows_per_block: usize,
    /// The place in memory of every row; after sealing, in canonical order.
    order: Vec<u32>,
    sealed: bool,
}

impl Dataset {
    /// An empty dataset of rows of this layout.
    pub fn new(record: Record) -> Self {
        let rows_per_block = (BLOCK_BYTES / record.bytes().max(1)).max(1);
        Dataset { record, blocks: Vec::new(), rows_per_block, order: Vec::new(), sealed: false }
    }

    /// Appends whole records: little-endian f32 features of all inputs, then the label.
    ///
    /// # Errors
    /// [`Error::RecordBytes`] for a partial record, [`Error::Feature`] or [`Error::Label`] for a row
    /// with a bad value (rows are numbered from 0 over all calls), [`Error::Sealed`] after
    /// [`Dataset::seal`]. No row of the call is taken over then.
    pub fn append(&mut self, records: &[u8]) -> Result<(), Error> {
        if self.sealed {
            return Err(Error::Sealed { expected: "open", got: "sealed" });
        }
        let bytes = self.record.bytes();
        if bytes == 0 || !records.len().is_multiple_of(bytes) {
            return Err(Error::RecordBytes { got: records.len(), record: bytes });
        }
        let (first, count) = (self.order.len(), records.len() / bytes);
        if first + count > u32::MAX as usize {
            return Err(Error::TooManyRows { got: first + count, limit: u32::MAX as usize });
        }
        while self.blocks.len() * self.rows_per_block < first + count {
            self.blocks.push(Buffer::new(self.rows_per_block * bytes)?);
        }
        for (row, record) in (first..).zip(records.chunks_exact(bytes)) {
            let place = self.place_mut(row);
            for (value, bytes) in place.iter_mut().zip(record.chunks_exact(4)) {
                *value = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
            }
            self.record.check(row, self.place(row))?;
        }
        self.order.extend(first as u32..(first + count) as u32);
        Ok(())
    }

    /// Ends appending and puts the rows into their canonical order; a second call does nothing.
    pub fn seal(&mut self) {
        if !self.sealed {
            let mut order = std::mem::take(&mut self.order);
            order.sort_by_cached_key(|&row| {
                let place = self.place(row as usize);
                (hash(place), Bits(place))
            });
            self.order = order;
            self.order.shrink_to_fit();
            self.sealed = true;
        }
    }

    /// True once the rows have their canonical order.
    pub fn is_sealed(&self) -> bool {
        self.sealed
    }

    /// The layout of a row.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.order.len()
    }

    /// Bytes of native memory.
    pub fn bytes(&self) -> usize {
        let blocks: usize = self.blocks.iter().map(Buffer::bytes).sum();
        blocks + self.order.capacity() * size_of::<u32>()
    }

    /// Row `index`, features and label: in canonical order once sealed, else as appended.
    ///
    /// # Panics
    /// If `index` is not below [`Dataset::rows`].
    pub fn row(&self, index: usize) -> &[f32] {
        self.place(self.order[index] as usize)
    }

    fn place(&self, row: usize) -> &[f32] {
        let len = self.record.len();
        &self.blocks[row / self.rows_per_block].f32()[row % self.rows_per_block * len..][..len]
    }

    fn place_mut(&mut self, row: usize) -> &mut [f32] {
        let (len, block) = (self.record.len(), &mut self.blocks[row / self.rows_per_block]);
        &mut block.f32_mut()[row % self.rows_per_block * len..][..len]
    }
}

/// XXH64 of the little-endian bytes of a row.
fn hash(row: &[f32]) -> u64 {
    let mut state = Xxh64::new(0);
    row.iter().for_each(|value| state.update(&value.to_le_bytes()));
    state.digest()
}

/// A row that is compared by its bits, a total order unlike that of floats.
#[derive(PartialEq)]
struct Bits<'a>(&'a [f32]);

impl Eq for Bits<'_> {}

impl PartialOrd for Bits<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Bits<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.iter().map(|v| v.to_bits()).cmp(other.0.iter().map(|v| v.to_bits()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Label;
    use proptest::prelude::*;

    const RECORD: Record = Record { features: 2, label: Label::Class { classes: 4 } };

    fn bytes(rows: &[[f32; 3]]) -> Vec<u8> {
        rows.iter().flatten().flat_map(|value| value.to_le_bytes()).collect()
    }

    fn rows(dataset: &Dataset) -> Vec<Vec<u32>> {
        (0..dataset.rows())
            .map(|row| dataset.row(row).iter().map(|value| value.to_bits()).collect())
            .collect()
    }

    proptest! {
        #[test]
        fn any_order_of_appending_gives_the_same_dataset(
            values in proptest::collection::vec((0u8..4, 0u8..4, 0u8..4), 0..200),
            cut in 0usize..200,
        ) {
            // Few distinct values, so that equal rows occur; -0.0 so that bits and not floats count.
            let features = [0.0, -0.0, 1.5, -2.5f32];
            let mut data: Vec<[f32; 3]> = values
                .iter()
                .map(|&(a, b, c)| [features[a as usize], features[b as usize], c as f32])
                .collect();
            let mut one = Dataset::new(RECORD);
            one.append(&bytes(&data)).unwrap();
            one.seal();
            data.reverse();
            let cut = cut.min(data.len());
            data.rotate_left(cut);
            let mut two = Dataset::new(RECORD);
            two.append(&bytes(&data[cut..])).unwrap();
            two.append(&bytes(&data[..cut])).unwrap();
            two.seal();
            prop_assert_eq!(rows(&one), rows(&two));
            prop_assert_eq!(one.rows(), data.len());
        }
    }

    #[test]
    fn a_bad_row_is_named_and_nothing_of_its_call_is_taken_over() {
        let mut dataset = Dataset::new(RECORD);
        dataset.append(&bytes(&[[1.0, 2.0, 3.0], [1.0, 2.0, 0.0]])).unwrap();
        let bad = bytes(&[[1.0, 2.0, 3.0], [f32::NAN, 2.0, 3.0]]);
        let message = dataset.append(&bad).unwrap_err().to_string();
        assert!(message.starts_with("row 3: feature 0 is NaN"), "{message}");
        assert_eq!(dataset.rows(), 2);
        dataset.append(&bytes(&[[7.0, 8.0, 1.0]])).unwrap();
        assert_eq!(dataset.row(2), [7.0, 8.0, 1.0]);
    }

    #[test]
    fn a_partial_record_is_refused() {
        let message = Dataset::new(RECORD).append(&[0; 13]).unwrap_err().to_string();
        assert!(message.starts_with("dataset: 13 bytes"), "{message}");
    }

    #[test]
    fn a_sealed_dataset_takes_no_more_rows() {
        let mut dataset = Dataset::new(RECORD);
        dataset.seal();
        assert!(matches!(dataset.append(&[]), Err(Error::Sealed { .. })));
    }

    #[test]
    fn rows_survive_the_borders_of_blocks() {
        let record = Record { features: 100_000, label: Label::Values(1) };
        let mut dataset = Dataset::new(record);
        for row in 0..7 {
            let values = vec![row as f32; record.len()];
            let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            dataset.append(&bytes).unwrap();
        }
        dataset.seal();
        let mut found: Vec<f32> = (0..7).map(|row| dataset.row(row)[99_999]).collect();
        found.sort_by(f32::total_cmp);
        assert_eq!(found, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert!(dataset.bytes() >= 7 * record.bytes());
    }
}
