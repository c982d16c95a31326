//! Cases of borders.

use super::{Case, Refusal};
use nn::ops::{Pad, PadMode};
use oracle::Array;
use oracle::ops::index;
use tensor::Wide;

/// `columns` are the positions along the last axis.
fn case(name: &str, op: Pad, columns: &'static [Option<usize>], x: &[usize]) -> Case {
    let mut positions: Vec<Vec<Option<usize>>> =
        x.iter().map(|&dim| (0..dim).map(Some).collect()).collect();
    positions[x.len() - 1] = columns.to_vec();
    Case::new(name, op, move |src: &[Array]| vec![index::select(&src[0], &positions)])
        .operand(x)
        .tolerance(1e-6, "sums of a few numbers")
}

fn pad(mode: PadMode, pads: &[i64], axes: &[i64]) -> Pad {
    Pad { pads: pads.to_vec(), axes: axes.to_vec(), mode, ..Pad::default() }
}

pub fn cases() -> Vec<Case> {
    use PadMode::{Constant, Edge, Reflect, Wrap};
    let ones = Pad { value: Wide::Float(1.0), ..pad(Constant, &[1, 0], &[]) };
    let one = |src: &[Array]| {
        vec![Array::from_fn(&[3], |i| if i[0] == 0 { 1.0 } else { src[0].data[i[0] - 1] })]
    };
    let some = |list: [usize; 6]| list.map(Some);
    let reflected: &'static [Option<usize>] = Box::leak(Box::new(some([2, 1, 0, 1, 2, 1])));
    vec![
        case(
            "zeros",
            pad(Constant, &[0, 1, 0, 2], &[]),
            &[None, Some(0), Some(1), None, None],
            &[3, 2],
        ),
        case("cut off", pad(Constant, &[-1, 1], &[-1]), &[Some(1), Some(2), None], &[2, 3]),
        case("mirrored", pad(Reflect, &[2, 1], &[1]), reflected, &[2, 3]),
        case(
            "the edge",
            pad(Edge, &[1, 2], &[-1]),
            &[Some(0), Some(0), Some(1), Some(1), Some(1)],
            &[2, 2],
        ),
        case(
            "around",
            pad(Wrap, &[1, 2], &[1]),
            &[Some(1), Some(0), Some(1), Some(0), Some(1)],
            &[3, 2],
        ),
        case("empty batch", pad(Constant, &[0, 1], &[1]), &[Some(0), None], &[0, 1]),
        Case::new("ones", ones, one).operand(&[2]),
    ]
}

pub fn refusals() -> Vec<Refusal> {
    vec![
        Refusal::new(
            pad(PadMode::Constant, &[1], &[]),
            &[&[2]],
            "Pad \"case\": expected two pads for each of 1 axes, got pads [1]. Give all begins, then \
             all ends.",
        ),
        Refusal::new(
            pad(PadMode::Edge, &[1, 0], &[]),
            &[&[0]],
            "Pad \"case\": expected elements to repeat along axis 0, got src [0]. Pad an empty tensor \
             with a constant.",
        ),
    ]
}
