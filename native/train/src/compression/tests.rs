use super::*;
use crate::tree::{Reduction, additions, roots};
use proptest::prelude::*;

fn bf16() -> Wire {
    Wire::new(Some(Compression::Bf16), vec![10..13, 90..1000])
}

fn rounded(values: &[f32], iteration: u64, block: Root) -> Vec<f32> {
    let (wire, mut values) = (Wire::new(Some(Compression::Bf16), Vec::new()), values.to_vec());
    wire.rounding(7, iteration).unwrap().round(block, 0, &mut values);
    values
}

const LEAF: Root = Root { first: 0, level: 0 };

#[test]
fn the_mean_of_many_roundings_is_the_number() {
    // The step of 16-bit floats is 2^-7 here, so the deviation of a rounding is below 2^-8.
    for value in [1.001f32, -1.5 - 1.0 / 512.0, 1.9999, 1.0 + 1.0 / 128.0] {
        let n = 1 << 20;
        let mean = rounded(&vec![value; n], 0, LEAF).iter().map(|&v| v as f64).sum::<f64>();
        let error = mean / n as f64 - value as f64;
        let deviation = 1.0 / 256.0 / (n as f64).sqrt();
        assert!(error.abs() <= 4.0 * deviation, "{value}: mean is off by {error}");
    }
}

#[test]
fn a_number_becomes_one_of_its_two_neighbours_and_stays_if_it_is_one() {
    let values: Vec<f32> = (0..4096).map(|i| (i as f32 - 2000.0) * 1.234e-3).collect();
    for (value, rounded) in values.iter().zip(rounded(&values, 3, LEAF)) {
        let lower = value.to_bits() & 0xFFFF_0000;
        assert!([lower, lower + 0x1_0000].contains(&rounded.to_bits()) || *value == rounded);
    }
    let exact = rounded(&values, 3, LEAF);
    assert_eq!(rounded(&exact, 4, LEAF), exact);
}

#[test]
fn what_is_not_a_finite_number_stays_so() {
    let odd = [f32::NAN, f32::from_bits(0x7FFF_FFFF), f32::from_bits(0xFF80_0001)];
    assert!(rounded(&odd, 0, LEAF).iter().all(|value| value.is_nan()));
    let ends = [f32::INFINITY, f32::NEG_INFINITY, 0.0, -0.0];
    let same = rounded(&ends, 0, LEAF);
    assert!(same.iter().zip(ends).all(|(a, b)| a.to_bits() == b.to_bits()));
}

#[test]
fn roundings_of_other_iterations_and_blocks_differ() {
    let values = vec![0.1f32; 256];
    let first = rounded(&values, 0, LEAF);
    assert_eq!(rounded(&values, 0, LEAF), first);
    assert_ne!(rounded(&values, 1, LEAF), first);
    assert_ne!(rounded(&values, 0, Root { first: 1, level: 0 }), first);
    assert_ne!(rounded(&values, 0, Root { first: 0, level: 1 }), first);
}

#[test]
fn statistics_are_not_rounded_and_travel_whole() {
    let (wire, values) = (bf16(), vec![0.1f32; 100]);
    let mut rounded = values.clone();
    wire.rounding(1, 2).unwrap().round(LEAF, 0, &mut rounded);
    for (at, value) in rounded.iter().enumerate() {
        let is_exact = (10..13).contains(&at) || at >= 90;
        assert_eq!(*value == 0.1, is_exact, "float {at}");
    }
    assert_eq!(wire.bytes(0..100), 2 * 87 + 4 * 13);
    assert_eq!(Wire { compression: None, ..wire }.bytes(0..100), 400);
}

proptest! {
    #[test]
    fn any_part_of_the_vector_is_rounded_and_packed_like_the_whole(a in 0usize..400, b in 0usize..400) {
        let (wire, part) = (bf16(), a.min(b)..a.max(b));
        let values: Vec<f32> = (0..400).map(|i| (i as f32).sin()).collect();
        let mut whole = values.clone();
        let rounding = wire.rounding(3, 9).unwrap();
        rounding.round(LEAF, 0, &mut whole);
        let mut own = values[part.clone()].to_vec();
        rounding.round(LEAF, part.start, &mut own);
        prop_assert_eq!(&own[..], &whole[part.clone()]);

        let mut packed = vec![0xFF; wire.bytes(0..400)];
        wire.pack(0, &whole, &mut packed);
        let bytes = wire.bytes(0..part.start)..wire.bytes(0..part.end);
        prop_assert_eq!(wire.bytes(part.clone()), bytes.len());
        let mut unpacked = vec![f32::NAN; part.len()];
        wire.unpack(part.start, &packed[bytes], &mut unpacked);
        prop_assert_eq!(unpacked, own);
    }

    #[test]
    fn any_distribution_of_shards_gives_the_same_rounded_sum(
        shards in proptest::collection::vec((-1e3f32..1e3, 0usize..5), 1..40)
    ) {
        let (values, owner): (Vec<f32>, Vec<usize>) = shards.into_iter().unzip();
        let one = distributed(&values, &vec![0; values.len()], 1);
        prop_assert_eq!(distributed(&values, &owner, 5).to_bits(), one.to_bits());
    }
}

/// Sums values, one per shard, as tasks would that host the shards given by `owner` and send bytes.
fn distributed(values: &[f32], owner: &[usize], tasks: usize) -> f32 {
    let wire = Wire::new(Some(Compression::Bf16), Vec::new());
    let rounding = wire.rounding(11, 5).unwrap();
    let mut sums: Vec<[f32; 1]> = values.iter().map(|&value| [value]).collect();
    for (first, sum) in sums.iter_mut().enumerate() {
        rounding.round(Root { first, level: 0 }, 0, sum);
    }
    let shards = values.len();
    let mut all = Vec::new();
    for task in 0..tasks {
        for root in roots((0..shards).filter(|&shard| owner[shard] == task), shards) {
            for (block, right) in additions(root, shards) {
                sums[block.first][0] += sums[right][0];
                rounding.round(block, 0, &mut sums[block.first]);
            }
            all.push(root);
        }
    }
    let arrived = all.iter().map(|root| {
        let (mut bytes, mut floats) = ([0; 2], [0.0]);
        wire.pack(0, &sums[root.first], &mut bytes);
        wire.unpack(0, &bytes, &mut floats);
        floats
    });
    let arrived: Vec<[f32; 1]> = arrived.collect();
    let inputs: Vec<&[f32]> = arrived.iter().map(|input| &input[..]).collect();
    let reduction = Reduction::new(&all, shards).unwrap();
    let mut scratch = vec![f32::NAN; reduction.scratch(1)];
    let round = |block, sum: &mut [f32]| rounding.round(block, 0, sum);
    reduction.sum(&inputs, 0..1, &mut scratch, round)[0]
}
