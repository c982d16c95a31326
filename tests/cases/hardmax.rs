//! Cases of hardmax.

use super::{Case, Refusal};
use nn::ops::Hardmax;
use oracle::Array;

fn case(name: &str, axis: i64, x: Array) -> Case {
    let at = if axis < 0 { axis + x.dims.len() as i64 } else { axis } as usize;
    let oracle = move |src: &[Array]| {
        let x = &src[0];
        let largest = |index: &[usize]| {
            let along = |i: usize| {
                let mut other = index.to_vec();
                other[at] = i;
                x.at(&other)
            };
            // The first of equals.
            let before = (0..index[at]).all(|i| along(i) < x.at(index));
            before && (index[at]..x.dims[at]).all(|i| along(i) <= x.at(index))
        };
        vec![Array::from_fn(&x.dims, |index| f64::from(u8::from(largest(index))))]
    };
    Case::new(name, Hardmax { axis }, oracle).fixed(x)
}

pub fn cases() -> Vec<Case> {
    vec![
        case("rows", -1, Array::sample(&[3, 7], 1)),
        case("channels", 1, Array::sample(&[2, 5, 3], 1)),
        case("equals", 0, Array::new(&[3, 2], vec![1.0, 0.0, 1.0, 2.0, 0.5, 2.0])),
        case("empty", -1, Array::zeros(&[0, 3])),
    ]
}

pub fn refusals() -> Vec<Refusal> {
    vec![Refusal::new(
        Hardmax { axis: 2 },
        &[&[2, 3]],
        "Hardmax \"case\": expected an axis of 2 dimensions, got axis 2. Count axes from 0, or \
         from −1 at the end.",
    )]
}
