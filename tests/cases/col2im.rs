//! Cases of images from columns.

use super::{Case, Refusal};
use nn::ops::Col2Im;
use oracle::Array;

/// Two dimensions; the columns of windows that are counted here.
fn case(name: &str, op: Col2Im, channels: usize, n: usize) -> Case {
    let pair = |list: &[usize], default: usize| match *list {
        [a, b] => [a, b],
        _ => [default; 2],
    };
    let (image, block) = (pair(&op.image_shape, 0), pair(&op.block_shape, 1));
    let (dilation, stride) = (pair(&op.dilations, 1), pair(&op.strides, 1));
    let pads = if op.pads.is_empty() { vec![0; 4] } else { op.pads.clone() };
    let windows = [0, 1].map(|d| {
        (image[d] + pads[d] + pads[2 + d] - dilation[d] * (block[d] - 1) - 1) / stride[d] + 1
    });
    let x = [n, channels * block[0] * block[1], windows[0] * windows[1]];
    Case::new(name, op, move |src: &[Array]| {
        let mut y = Array::zeros(&[n, channels, image[0], image[1]]);
        for sample in 0..n {
            for row in 0..x[1] {
                let element = row % (block[0] * block[1]);
                for window in 0..x[2] {
                    let at = |d: usize, element: usize, window: usize| {
                        (window * stride[d] + element * dilation[d])
                            .checked_sub(pads[d])
                            .filter(|&at| at < image[d])
                    };
                    let i = at(0, element / block[1], window / windows[1]);
                    let j = at(1, element % block[1], window % windows[1]);
                    if let (Some(i), Some(j)) = (i, j) {
                        let channel = row / (block[0] * block[1]);
                        *y.at_mut(&[sample, channel, i, j]) += src[0].at(&[sample, row, window]);
                    }
                }
            }
        }
        vec![y]
    })
    .operand(&x)
}

fn op(image: [usize; 2], block: [usize; 2]) -> Col2Im {
    Col2Im { image_shape: image.to_vec(), block_shape: block.to_vec(), ..Col2Im::default() }
}

pub fn cases() -> Vec<Case> {
    let padded = Col2Im { pads: vec![1, 0, 1, 0], ..op([4, 5], [3, 2]) };
    let strided = Col2Im { strides: vec![2, 1], dilations: vec![1, 2], ..op([5, 5], [2, 2]) };
    vec![
        case("apart", Col2Im { strides: vec![2, 2], ..op([4, 4], [2, 2]) }, 1, 1),
        case("overlapping", op([4, 3], [2, 2]), 2, 2),
        case("padded", padded, 1, 2),
        case("strided and dilated", strided, 2, 1),
    ]
}

pub fn refusals() -> Vec<Refusal> {
    vec![Refusal::new(
        op([4, 4], [2, 2]),
        &[&[1, 4, 5]],
        "Col2Im \"case\": expected src [n, c · 4, windows] for blocks [2, 2] in images [4, 4], got \
         [1, 4, 5]. Match blocks, pads and strides with those that made the columns.",
    )]
}
