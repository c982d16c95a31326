//! Cases of channels as blocks of pixels.

use super::{Case, Refusal};
use nn::ops::{DepthOrder, DepthToSpace, SpaceToDepth};
use oracle::Array;

fn to_space(name: &str, b: usize, mode: DepthOrder, x: &[usize]) -> Case {
    let [n, c, h, w] = [x[0], x[1] / (b * b), x[2] * b, x[3] * b];
    Case::new(name, DepthToSpace { blocksize: b, mode }, move |src: &[Array]| {
        vec![Array::from_fn(&[n, c, h, w], |i| {
            let place = i[2] % b * b + i[3] % b;
            let channel = match mode {
                DepthOrder::Dcr => place * c + i[1],
                DepthOrder::Crd => i[1] * b * b + place,
            };
            src[0].at(&[i[0], channel, i[2] / b, i[3] / b])
        })]
    })
    .operand(x)
    .tolerance(1e-6, "nothing is computed")
}

fn to_depth(name: &str, b: usize, x: &[usize]) -> Case {
    let [n, c, h, w] = [x[0], x[1], x[2] / b, x[3] / b];
    Case::new(name, SpaceToDepth { blocksize: b }, move |src: &[Array]| {
        vec![Array::from_fn(&[n, c * b * b, h, w], |i| {
            let (place, channel) = (i[1] / c, i[1] % c);
            src[0].at(&[i[0], channel, i[2] * b + place / b, i[3] * b + place % b])
        })]
    })
    .operand(x)
    .tolerance(1e-6, "nothing is computed")
}

pub fn cases() -> Vec<Case> {
    vec![
        to_space("places first", 2, DepthOrder::Dcr, &[2, 8, 2, 3]),
        to_space("channels first", 2, DepthOrder::Crd, &[1, 12, 3, 2]),
        to_depth("blocks of two", 2, &[2, 3, 4, 6]),
        to_depth("blocks of three", 3, &[1, 2, 3, 6]),
    ]
}

pub fn refusals() -> Vec<Refusal> {
    vec![
        Refusal::new(
            DepthToSpace { blocksize: 2, mode: DepthOrder::Dcr },
            &[&[1, 6, 2, 2]],
            "DepthToSpace \"case\": expected src [n, c, h, w] of whole blocks 2×2, got [1, 6, 2, 2]. \
             Choose a block size that divides the extents.",
        ),
        Refusal::new(
            SpaceToDepth { blocksize: 2 },
            &[&[1, 6, 3, 2]],
            "SpaceToDepth \"case\": expected src [n, c, h, w] of whole blocks 2×2, got [1, 6, 3, 2]. \
             Choose a block size that divides the extents.",
        ),
    ]
}
