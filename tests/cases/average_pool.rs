//! Cases of average pooling.

use super::{Case, Refusal};
use nn::AutoPad;
use nn::ops::AveragePool;
use oracle::Array;
use oracle::ops::pool::Pool;

/// Settings by name; what is not named is as in ONNX, with steps of the window's size.
fn pool(kernel: [usize; 2]) -> AveragePool {
    AveragePool {
        kernel_shape: kernel.to_vec(),
        strides: kernel.to_vec(),
        pads: vec![0; 4],
        ..AveragePool::default()
    }
}

fn case(name: &str, op: AveragePool, x: &[usize]) -> Case {
    let settings = Pool {
        kernel: op.kernel_shape.clone(),
        strides: op.strides.clone(),
        pads: op.pads.clone(),
        dilations: if op.dilations.is_empty() { vec![1; 2] } else { op.dilations.clone() },
        ceil_mode: op.ceil_mode,
    };
    let include = op.count_include_pad;
    Case::new(name, op, move |src: &[Array]| vec![settings.average(&src[0], include)]).operand(x)
}

pub fn cases() -> Vec<Case> {
    let mut cases = vec![
        case("2×2", pool([2, 2]), &[2, 3, 6, 4]),
        case("2×3 of odd sizes", pool([2, 3]), &[1, 5, 7, 8]),
        case("whole plane", pool([4, 5]), &[3, 2, 4, 5]),
        case("whole plane of whole blocks", pool([3, 3]), &[2, 32, 3, 3]),
        case("empty batch", pool([2, 2]), &[0, 2, 4, 4]),
    ];
    let same = AveragePool { auto_pad: AutoPad::SameUpper, pads: vec![], ..pool([2, 2]) };
    let settings = Pool {
        kernel: vec![2; 2],
        strides: vec![2; 2],
        pads: vec![0, 0, 1, 1],
        dilations: vec![1; 2],
        ceil_mode: false,
    };
    let three = AveragePool { kernel_shape: vec![2, 1, 3], ..AveragePool::default() };
    let volume = Pool {
        kernel: vec![2, 1, 3],
        strides: vec![1; 3],
        pads: vec![0; 6],
        dilations: vec![1; 3],
        ceil_mode: false,
    };
    cases.extend([
        case(
            "dilated",
            AveragePool { dilations: vec![2, 3], strides: vec![1, 2], ..pool([2, 3]) },
            &[1, 2, 6, 9],
        ),
        Case::new("padded to the same size", same, move |src: &[Array]| {
            vec![settings.average(&src[0], false)]
        })
        .operand(&[1, 2, 5, 7]),
        Case::new("in three dimensions", three, move |src: &[Array]| {
            vec![volume.average(&src[0], false)]
        })
        .operand(&[2, 3, 4, 3, 5]),
    ]);
    for (count_include_pad, what) in [(false, "inside"), (true, "all")] {
        let padded = AveragePool {
            strides: vec![2, 1],
            pads: vec![1, 0, 1, 2],
            count_include_pad,
            ..pool([3, 3])
        };
        let up = AveragePool { ceil_mode: true, ..padded.clone() };
        let overhanging = AveragePool { pads: vec![0; 4], strides: vec![2, 2], ..up.clone() };
        let blocks = AveragePool { pads: vec![1; 4], strides: vec![1, 1], ..padded.clone() };
        cases.extend([
            case(&format!("padded, counting {what}"), padded, &[2, 3, 7, 5]),
            case(&format!("padded whole blocks, counting {what}"), blocks, &[1, 16, 4, 5]),
            case(&format!("rounded up and padded, counting {what}"), up, &[1, 2, 6, 6]),
            case(&format!("rounded up, counting {what}"), overhanging, &[2, 2, 6, 8]),
        ]);
    }
    cases
}

pub fn timed() -> Vec<Case> {
    vec![case("7×7 2048 b16", pool([7, 7]), &[16, 2048, 7, 7])]
}

pub fn refusals() -> Vec<Refusal> {
    vec![
        Refusal::new(
            AveragePool { pads: vec![3, 0, 0, 0], ..pool([3, 3]) },
            &[&[1, 1, 4, 4]],
            "AveragePool \"case\": expected padding smaller than the kernel [3, 3], got pads \
             [3, 0, 0, 0]. Pad less: a window must not lie wholly in the padding.",
        ),
        Refusal::new(
            AveragePool { pads: vec![1, 1], ..pool([3, 3]) },
            &[&[1, 1, 4, 4]],
            "AveragePool \"case\": expected pads [top, left, bottom, right], got [1, 1]. Give the \
             padding before, then behind, each spatial dimension.",
        ),
        Refusal::new(
            pool([2, 2]),
            &[],
            "AveragePool \"case\": expected 1 operand, got 0. Connect the missing inputs.",
        ),
    ]
}
