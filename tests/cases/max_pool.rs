//! Cases of max pooling.

use super::{Case, Refusal};
use nn::AutoPad;
use nn::ops::MaxPool;
use oracle::Array;
use oracle::ops::pool::Pool;

fn case(
    name: &str,
    kernel: [usize; 2],
    strides: [usize; 2],
    pads: [usize; 4],
    ceil_mode: bool,
    x: &[usize],
) -> Case {
    let (kernel, strides, pads) = (kernel.to_vec(), strides.to_vec(), pads.to_vec());
    let op = MaxPool {
        kernel_shape: kernel.clone(),
        strides: strides.clone(),
        pads: pads.clone(),
        ceil_mode,
        ..MaxPool::default()
    };
    let pool = Pool { kernel, strides, pads, dilations: vec![1; 2], ceil_mode };
    Case::new(name, op, move |src: &[Array]| vec![pool.max(&src[0])])
        .operand(x)
        .tolerance(1e-6, "nothing is computed forward; backward adds few numbers")
}

pub fn cases() -> Vec<Case> {
    vec![
        case("2×2", [2, 2], [2, 2], [0; 4], false, &[2, 3, 6, 4]),
        case("2×2 of odd sizes", [2, 2], [2, 2], [0; 4], false, &[1, 5, 7, 5]),
        case("overlapping", [3, 3], [2, 2], [1, 1, 1, 1], false, &[2, 3, 7, 8]),
        case("overlapping whole blocks", [3, 3], [2, 2], [1, 1, 1, 1], false, &[2, 16, 7, 7]),
        case("stride 1", [3, 2], [1, 1], [0, 1, 1, 0], false, &[1, 2, 5, 4]),
        case("rounded up", [3, 3], [2, 2], [0; 4], true, &[2, 2, 6, 8]),
        case("rounded up and padded", [2, 3], [2, 3], [1, 1, 0, 1], true, &[1, 3, 6, 5]),
        case("window of the whole plane", [4, 5], [1, 1], [0; 4], false, &[3, 2, 4, 5]),
        general(
            "in one dimension",
            MaxPool { kernel_shape: vec![3], strides: vec![2], ..MaxPool::default() },
            &[0; 2],
            &[2, 3, 9],
        ),
        general(
            "in three dimensions",
            MaxPool {
                kernel_shape: vec![2, 3, 1],
                pads: vec![1, 0, 0, 0, 1, 0],
                ..MaxPool::default()
            },
            &[1, 0, 0, 0, 1, 0],
            &[1, 2, 4, 5, 3],
        ),
        general(
            "dilated",
            MaxPool { kernel_shape: vec![2, 2], dilations: vec![2, 3], ..MaxPool::default() },
            &[0; 4],
            &[1, 2, 5, 6],
        ),
        general(
            "padded to the same size",
            MaxPool {
                kernel_shape: vec![3, 2],
                strides: vec![2, 2],
                auto_pad: AutoPad::SameLower,
                ..MaxPool::default()
            },
            &[1, 1, 0, 0],
            &[1, 2, 6, 5],
        ),
        general(
            "and where they are",
            MaxPool { kernel_shape: vec![2, 2], indices: true, ..MaxPool::default() },
            &[0; 4],
            &[2, 2, 3, 4],
        ),
        general(
            "and where they are by column",
            MaxPool {
                kernel_shape: vec![2, 2],
                indices: true,
                column_major: true,
                ..MaxPool::default()
            },
            &[0; 4],
            &[2, 2, 3, 4],
        ),
        case("empty batch", [2, 2], [2, 2], [0; 4], false, &[0, 2, 4, 4]),
    ]
}

/// In any number of dimensions; `pads` are what the oracle is given.
fn general(name: &str, op: MaxPool, pads: &[usize], x: &[usize]) -> Case {
    let r = x.len() - 2;
    let or = |list: &[usize]| if list.is_empty() { vec![1; r] } else { list.to_vec() };
    let pool = Pool {
        kernel: op.kernel_shape.clone(),
        strides: or(&op.strides),
        pads: pads.to_vec(),
        dilations: or(&op.dilations),
        ceil_mode: false,
    };
    Case::new(name, op.clone(), move |src: &[Array]| {
        let y = pool.max(&src[0]);
        match op.indices {
            true => vec![y.clone(), positions(&src[0], &y, op.column_major)],
            false => vec![y],
        }
    })
    .operand(x)
    .tolerance(1e-6, "nothing is computed forward; backward adds few numbers")
}

/// Where the numbers of y are in x, of which no two are equal.
fn positions(x: &Array, y: &Array, column_major: bool) -> Array {
    let rank = x.dims.len();
    y.map(|largest| {
        let at = x.data.iter().position(|&x| x == largest).unwrap();
        let inner: usize = x.dims[2..].iter().product();
        let (plane, mut rest) = (at / inner, at % inner);
        if column_major {
            let mut index = vec![0; rank];
            for d in (2..rank).rev() {
                (index[d], rest) = (rest % x.dims[d], rest / x.dims[d]);
            }
            rest = (2..rank).rev().fold(0, |at, d| at * x.dims[d] + index[d]);
        }
        (plane * inner + rest) as f64
    })
}

pub fn timed() -> Vec<Case> {
    vec![case("3×3/2 64 112×112 b16", [3, 3], [2, 2], [1; 4], false, &[16, 64, 112, 112])]
}

pub fn refusals() -> Vec<Refusal> {
    let pool = |pads: &[usize]| MaxPool {
        kernel_shape: vec![2, 2],
        strides: vec![2, 2],
        pads: pads.to_vec(),
        ..MaxPool::default()
    };
    vec![
        Refusal::new(
            pool(&[0, 0, 2, 0]),
            &[&[1, 1, 4, 4]],
            "MaxPool \"case\": expected padding smaller than the kernel [2, 2], got pads \
             [0, 0, 2, 0]. Pad less: a window must not lie wholly in the padding.",
        ),
        Refusal::new(
            pool(&[]),
            &[&[4, 10]],
            "MaxPool \"case\": expected src [n, c, …] with one to three spatial dimensions, got \
             [4, 10]. Reshape the input to batch, channels, height, width.",
        ),
        Refusal::new(
            pool(&[]),
            &[&[1, 1, 4, 1]],
            "MaxPool \"case\": expected a kernel that fits input 4×1 with padding [[0, 0], [0, 0]], \
             got kernel 2×2. Use padding = same or a smaller kernel.",
        ),
    ]
}
