//! Cases of max pooling.

use super::{Case, Refusal};
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
    };
    let pool = Pool { kernel, strides, pads, ceil_mode };
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
        case("empty batch", [2, 2], [2, 2], [0; 4], false, &[0, 2, 4, 4]),
    ]
}

pub fn timed() -> Vec<Case> {
    vec![case("3×3/2 64 112×112 b16", [3, 3], [2, 2], [1; 4], false, &[16, 64, 112, 112])]
}

pub fn refusals() -> Vec<Refusal> {
    let pool = |pads: &[usize]| MaxPool {
        kernel_shape: vec![2, 2],
        strides: vec![2, 2],
        pads: pads.to_vec(),
        ceil_mode: false,
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
            "MaxPool \"case\": expected src [n, c, h, w], got [4, 10]. Reshape the input to batch, \
             channels, height, width.",
        ),
        Refusal::new(
            pool(&[]),
            &[&[1, 1, 4, 1]],
            "MaxPool \"case\": expected a kernel that fits input 4×1 with padding [[0, 0], [0, 0]], \
             got kernel 2×2. Use padding = same or a smaller kernel.",
        ),
    ]
}
