//! Cases of layer, RMS, instance and group normalization.

use super::{Case, Refusal};
use nn::ops::{GroupNormalization, InstanceNormalization, LayerNormalization, RMSNormalization};
use oracle::Array;
use oracle::ops::row_normalization::rows;

const WHY: &str = "the division by the deviation magnifies the rounding of the statistics";

/// Scale and bias \[c\] of dimension 1, after normalizing rows of so many elements.
fn by_channel(src: &[Array], groups: usize, epsilon: f64) -> Vec<Array> {
    let (x, scale, bias) = (&src[0], &src[1], &src[2]);
    let (n, channels) = (x.dims[0], x.dims[1]);
    let row = x.dims[1..].iter().product::<usize>() / groups;
    let [y, mean, inverse] = rows(x, row, epsilon, true);
    let y = Array::new(&x.dims, y);
    assert_eq!(scale.data.len(), channels);
    vec![
        Array::from_fn(&x.dims, |at| y.at(at) * scale.data[at[1]] + bias.data[at[1]]),
        Array::new(&[n, groups], mean),
        Array::new(&[n, groups], inverse),
    ]
}

/// Scale and bias of the last axes, after normalizing over them.
fn trailing(src: &[Array], axis: usize, epsilon: f64, centered: bool) -> Vec<Array> {
    let x = &src[0];
    let row: usize = x.dims[axis..].iter().product();
    let [y, mean, inverse] = rows(x, row, epsilon, centered);
    let bias = |i: usize| src.get(2).map_or(0.0, |bias| bias.data[i % row]);
    let y = y.iter().enumerate().map(|(i, y)| y * src[1].data[i % row] + bias(i));
    let mut dims = x.dims.clone();
    dims[axis..].fill(1);
    vec![Array::new(&x.dims, y.collect()), Array::new(&dims, mean), Array::new(&dims, inverse)]
}

fn layer(name: &str, axis: i64, x: &[usize]) -> Case {
    let at = if axis < 0 { axis + x.len() as i64 } else { axis } as usize;
    let op = LayerNormalization { axis, ..LayerNormalization::default() };
    let oracle = move |src: &[Array]| trailing(src, at, f64::from(1e-5f32), true);
    Case::new(name, op, oracle)
        .operand(x)
        .values(Array::sample(&x[at..], 2).map(|scale| 1.0 + scale / 2.0))
        .tolerance(3e-5, WHY)
}

fn rms(name: &str, axis: i64, x: &[usize]) -> Case {
    let at = if axis < 0 { axis + x.len() as i64 } else { axis } as usize;
    let op = RMSNormalization { axis, epsilon: 0.01 };
    let oracle = move |src: &[Array]| trailing(src, at, f64::from(0.01f32), false);
    Case::new(name, op, oracle)
        .operand(x)
        .values(Array::sample(&x[at..], 2).map(|scale| 1.0 + scale / 2.0))
        .tolerance(3e-5, WHY)
}

fn instance(name: &str, x: &[usize]) -> Case {
    let groups = x[1];
    let oracle = move |src: &[Array]| by_channel(src, groups, f64::from(1e-5f32));
    Case::new(name, InstanceNormalization::default(), oracle)
        .operand(x)
        .values(Array::sample(&x[1..2], 2).map(|scale| 1.0 + scale / 2.0))
        .operand(&x[1..2])
        .tolerance(3e-5, WHY)
}

fn group(name: &str, num_groups: usize, x: &[usize]) -> Case {
    let op = GroupNormalization { num_groups, epsilon: 0.001 };
    let oracle = move |src: &[Array]| by_channel(src, num_groups, f64::from(0.001f32));
    Case::new(name, op, oracle)
        .operand(x)
        .values(Array::sample(&x[1..2], 2).map(|scale| 1.0 + scale / 2.0))
        .operand(&x[1..2])
        .tolerance(3e-5, WHY)
}

pub fn cases() -> Vec<Case> {
    vec![
        layer("the last axis", -1, &[3, 5, 33]).operand(&[33]),
        layer("without bias", -1, &[4, 16]),
        layer("two axes", 1, &[3, 4, 5]).operand(&[4, 5]),
        layer("everything", 0, &[2, 7]).operand(&[2, 7]),
        layer("empty batch", -1, &[0, 4]).operand(&[4]),
        rms("the last axis", -1, &[3, 5, 33]),
        rms("two axes", 1, &[3, 4, 5]),
        instance("images", &[2, 3, 5, 4]),
        instance("sequences", &[3, 2, 17]),
        group("two of three channels", 2, &[2, 6, 3, 4]),
        group("all channels at once", 1, &[2, 4, 5]),
        group("rows", 2, &[3, 8]),
    ]
}

pub fn timed() -> Vec<Case> {
    vec![layer("2048×256", -1, &[2048, 256]).operand(&[256])]
}

pub fn refusals() -> Vec<Refusal> {
    vec![
        Refusal::new(
            LayerNormalization::default(),
            &[&[2, 3], &[2]],
            "LayerNormalization \"case\": expected scale [3] for src [2, 3], got scale [2]. Give \
             one number per place that is scaled.",
        ),
        Refusal::new(
            RMSNormalization { axis: 2, epsilon: 1e-5 },
            &[&[2, 3], &[3]],
            "RMSNormalization \"case\": expected an axis of 2 dimensions, got axis 2. Count axes \
             from 0, or from −1 at the end.",
        ),
        Refusal::new(
            InstanceNormalization::default(),
            &[&[2], &[2], &[2]],
            "InstanceNormalization \"case\": expected src [n, c, …], got [2]. Give the input a \
             batch and a channel dimension.",
        ),
        Refusal::new(
            GroupNormalization { num_groups: 2, epsilon: 1e-5 },
            &[&[2, 3, 4], &[3], &[3]],
            "GroupNormalization \"case\": expected a number of groups that divides 3 channels, got \
             2. Use 1 or the number of channels.",
        ),
    ]
}
