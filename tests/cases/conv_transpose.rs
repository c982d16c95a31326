//! Cases of transposed convolution.

use super::{Case, Refusal};
use nn::AutoPad;
use nn::ops::ConvTranspose;
use oracle::Array;
use oracle::ops::conv::Conv;

/// x and w with a bias; `pads` and the spatial shape of y are what the oracle is given.
fn case(
    name: &str,
    op: ConvTranspose,
    [x, w]: [&[usize]; 2],
    pads: &[usize],
    y: &'static [usize],
) -> Case {
    let r = x.len() - 2;
    let or = |list: &[usize]| if list.is_empty() { vec![1; r] } else { list.to_vec() };
    let conv = Conv {
        strides: or(&op.strides),
        pads: pads.to_vec(),
        dilations: or(&op.dilations),
        group: op.group,
    };
    let filters = w[1] * op.group;
    let oracle = move |src: &[Array]| vec![conv.transposed(&src[0], &src[1], src.get(2), y)];
    Case::new(name, op, oracle).operand(x).operand(w).operand(&[filters])
}

pub fn cases() -> Vec<Case> {
    let strided =
        |strides: &[usize]| ConvTranspose { strides: strides.to_vec(), ..ConvTranspose::default() };
    let same = |auto_pad| ConvTranspose { auto_pad, ..strided(&[2, 2]) };
    vec![
        case(
            "with every setting at its default",
            ConvTranspose::default(),
            [&[2, 3, 4, 5], &[3, 2, 3, 2]],
            &[0; 4],
            &[6, 6],
        ),
        case(
            "stride 2 padded",
            ConvTranspose { pads: vec![1, 0, 1, 2], ..strided(&[2, 1]) },
            [&[2, 16, 3, 4], &[16, 8, 3, 3]],
            &[1, 0, 1, 2],
            &[5, 4],
        ),
        case(
            "padding of the output",
            ConvTranspose { output_padding: vec![1, 1], ..strided(&[3, 2]) },
            [&[1, 2, 3, 3], &[2, 2, 3, 3]],
            &[0; 4],
            &[10, 8],
        ),
        case(
            "the shape of the output",
            ConvTranspose { output_shape: vec![7, 6], ..strided(&[3, 2]) },
            [&[1, 2, 3, 3], &[2, 2, 3, 3]],
            &[1, 1, 1, 0],
            &[7, 6],
        ),
        case(
            "a multiple of the stride",
            same(AutoPad::SameUpper),
            [&[1, 2, 3, 3], &[2, 2, 3, 3]],
            &[0, 0, 1, 1],
            &[6, 6],
        ),
        case(
            "a multiple of the stride, cut first",
            same(AutoPad::SameLower),
            [&[1, 2, 3, 3], &[2, 2, 3, 3]],
            &[1, 1, 0, 0],
            &[6, 6],
        ),
        case(
            "2 groups dilated",
            ConvTranspose { group: 2, dilations: vec![2, 1], ..ConvTranspose::default() },
            [&[2, 4, 3, 3], &[4, 3, 2, 2]],
            &[0; 4],
            &[5, 4],
        ),
        case("in one dimension", strided(&[2]), [&[1, 3, 5], &[3, 2, 3]], &[0; 2], &[11]),
        case(
            "in three dimensions",
            strided(&[1, 2, 1]),
            [&[1, 2, 3, 2, 3], &[2, 3, 2, 2, 3]],
            &[0; 6],
            &[4, 4, 5],
        ),
    ]
}

pub fn refusals() -> Vec<Refusal> {
    vec![
        Refusal::new(
            ConvTranspose::default(),
            &[&[1, 3, 4, 4], &[2, 3, 3, 3]],
            "ConvTranspose \"case\": expected channels as in the weights that 1 groups divide, got \
             3 in, weights [2, 3, 3, 3]. Choose filters and groups that divide the channels.",
        ),
        Refusal::new(
            ConvTranspose { output_padding: vec![1, 0], ..ConvTranspose::default() },
            &[&[1, 3, 4, 4], &[3, 2, 3, 3]],
            "ConvTranspose \"case\": expected less than the stride 1 added behind, got size 7 of at \
             least 6. Choose a smaller output_padding or output_shape.",
        ),
    ]
}
