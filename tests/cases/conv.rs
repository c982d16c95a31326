//! Cases of convolution.

use super::{Case, Refusal};
use nn::AutoPad;
use nn::ops::Conv;
use oracle::Array;

/// x and w with a bias.
fn case(name: &str, op: Conv, x: &[usize], w: &[usize]) -> Case {
    let or = |list: &[usize], default: Vec<usize>| match list {
        [] => default,
        _ => list.to_vec(),
    };
    let r = x.len() - 2;
    let settings = oracle::ops::conv::Conv {
        strides: or(&op.strides, vec![1; r]),
        pads: or(&op.pads, vec![0; 2 * r]),
        dilations: or(&op.dilations, vec![1; r]),
        group: op.group,
    };
    let oracle = move |src: &[Array]| vec![settings.forward(&src[0], &src[1], src.get(2))];
    Case::new(name, op, oracle).operand(x).operand(w).operand(&w[..1])
}

/// The padding that follows from `auto_pad` at stride 2.
fn automatic(name: &str, auto_pad: AutoPad, pads: [usize; 4]) -> Case {
    let oracle = oracle::ops::conv::Conv {
        strides: vec![2; 2],
        pads: pads.to_vec(),
        dilations: vec![1; 2],
        group: 1,
    };
    let mut op = Conv::new(&[3, 3], &[2, 2], &[], &[], 1);
    op.auto_pad = auto_pad;
    Case::new(name, op, move |src: &[Array]| vec![oracle.forward(&src[0], &src[1], None)])
        .operand(&[1, 2, 6, 7])
        .operand(&[3, 2, 3, 3])
}

fn without_bias(mut case: Case) -> Case {
    case.operands.pop();
    case
}

pub fn cases() -> Vec<Case> {
    let same = [1, 1, 1, 1];
    vec![
        case("with every setting at its default", Conv::default(), &[2, 3, 5, 4], &[4, 3, 3, 2]),
        case(
            "3×3 padded",
            Conv::new(&[3, 3], &[1, 1], &same, &[], 1),
            &[2, 3, 5, 7],
            &[5, 3, 3, 3],
        ),
        without_bias(case(
            "without bias",
            Conv::new(&[3, 3], &[], &same, &[], 1),
            &[1, 3, 6, 5],
            &[4, 3, 3, 3],
        )),
        case("stride 2", Conv::new(&[3, 3], &[2, 2], &same, &[], 1), &[2, 2, 7, 6], &[3, 2, 3, 3]),
        case(
            "stride that leaves a rest",
            Conv::new(&[2, 2], &[3, 2], &[], &[], 1),
            &[1, 2, 7, 8],
            &[3, 2, 2, 2],
        ),
        case(
            "padding of different sides",
            Conv::new(&[3, 2], &[2, 1], &[0, 1, 2, 0], &[], 1),
            &[2, 2, 5, 4],
            &[3, 2, 3, 2],
        ),
        case(
            "dilated",
            Conv::new(&[3, 3], &[1, 1], &[2, 2, 2, 2], &[2, 2], 1),
            &[1, 2, 6, 7],
            &[3, 2, 3, 3],
        ),
        case(
            "dilated in one dimension with stride",
            Conv::new(&[2, 3], &[2, 1], &[1, 0, 1, 2], &[3, 1], 1),
            &[2, 2, 8, 5],
            &[2, 2, 2, 3],
        ),
        case("2 groups", Conv::new(&[3, 3], &[], &same, &[], 2), &[2, 4, 4, 5], &[6, 2, 3, 3]),
        case("depthwise", Conv::new(&[3, 3], &[], &same, &[], 5), &[1, 5, 4, 4], &[5, 1, 3, 3]),
        case(
            "depthwise of whole blocks",
            Conv::new(&[3, 3], &[2, 2], &same, &[], 16),
            &[2, 16, 5, 5],
            &[16, 1, 3, 3],
        ),
        case("1×1", Conv::new(&[1, 1], &[], &[], &[], 1), &[2, 17, 3, 3], &[33, 17, 1, 1]),
        case(
            "1×1 stride 2",
            Conv::new(&[1, 1], &[2, 2], &[], &[], 1),
            &[2, 16, 5, 5],
            &[32, 16, 1, 1],
        ),
        case(
            "whole blocks of channels",
            Conv::new(&[3, 3], &[], &same, &[], 1),
            &[2, 16, 6, 6],
            &[32, 16, 3, 3],
        ),
        case(
            "kernel as large as the input",
            Conv::new(&[4, 5], &[], &[], &[], 1),
            &[3, 2, 4, 5],
            &[6, 2, 4, 5],
        ),
        case(
            "one row",
            Conv::new(&[1, 3], &[], &[0, 1, 0, 1], &[], 1),
            &[1, 1, 1, 9],
            &[1, 1, 1, 3],
        ),
        case("in one dimension", Conv::new(&[3], &[2], &[1, 0], &[], 1), &[2, 3, 8], &[4, 3, 3]),
        case(
            "in three dimensions",
            Conv::new(&[2, 3, 2], &[1, 2, 1], &[0, 1, 1, 1, 0, 0], &[1, 1, 2], 2),
            &[2, 4, 4, 5, 6],
            &[6, 2, 2, 3, 2],
        ),
        automatic("padded to the same size", AutoPad::SameUpper, [0, 1, 1, 1]),
        automatic("padded first to the same size", AutoPad::SameLower, [1, 1, 0, 1]),
        automatic("of valid places", AutoPad::Valid, [0; 4]),
        case("empty batch", Conv::new(&[3, 3], &[], &same, &[], 1), &[0, 3, 4, 4], &[2, 3, 3, 3]),
    ]
}

pub fn timed() -> Vec<Case> {
    let conv = |k: usize, s: usize| {
        let pads = [k / 2; 4];
        Conv::new(&[k, k], &[s, s], &pads, &[], 1)
    };
    vec![
        case("5×5 1->6 28×28 b64", conv(5, 1), &[64, 1, 28, 28], &[6, 1, 5, 5]),
        case("3×3 64->64 56×56 b16", conv(3, 1), &[16, 64, 56, 56], &[64, 64, 3, 3]),
        case("1×1 256->64 56×56 b16", conv(1, 1), &[16, 256, 56, 56], &[64, 256, 1, 1]),
    ]
}

pub fn refusals() -> Vec<Refusal> {
    vec![
        Refusal::new(
            Conv::new(&[5, 5], &[], &[], &[], 1),
            &[&[8, 16, 3, 3], &[4, 16, 5, 5]],
            "Conv \"case\": expected a kernel that fits input 3×3 with padding [[0, 0], [0, 0]], \
             got kernel 5×5. Use padding = same or a smaller kernel.",
        ),
        Refusal::new(
            Conv::default(),
            &[&[2, 3, 4, 4], &[4, 2, 3, 3]],
            "Conv \"case\": expected channels that 1 groups divide, got 3 in, 4 out, weights \
             [4, 2, 3, 3]. Choose filters and groups that divide the channels.",
        ),
        Refusal::new(
            Conv::default(),
            &[&[2, 3, 4], &[4, 3, 3, 3]],
            "Conv \"case\": expected src [n, ic, h, w] and weights [oc, ic / group, kh, kw], got \
             src [2, 3, 4], weights [4, 3, 3, 3]. Reshape the input to batch, channels, height, \
             width.",
        ),
        Refusal::new(
            Conv::default(),
            &[&[2, 3, 4, 4], &[4, 3, 3, 3], &[3]],
            "Conv \"case\": expected bias [4], got [3]. Give one bias per filter.",
        ),
        Refusal::new(
            Conv::new(&[3, 3], &[0, 1], &[], &[], 1),
            &[&[2, 3, 4, 4], &[4, 3, 3, 3]],
            "Conv \"case\": expected kernel, strides and dilations of at least 1, got [[3, 3], \
             [0, 1], [1, 1]]. Use positive numbers.",
        ),
    ]
}
