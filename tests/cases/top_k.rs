//! Cases of the largest and smallest elements.

use super::{Case, Refusal};
use nn::Op;
use nn::ops::{ArgMax, ArgMin, TopK};
use oracle::Array;
use oracle::ops::index;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tensor::DType;

/// The first position of the order by size along an axis.
fn extreme<O>(name: &str, op: O, axis: usize, smallest: bool, keepdims: bool) -> Case
where
    O: Op + Clone + PartialEq + Serialize + DeserializeOwned,
{
    Case::new(name, op, move |src: &[Array]| {
        let x = src[0].map(|x| if smallest { -x } else { x });
        let order = index::sorted_positions(&x, axis);
        let mut dims = order.dims.clone();
        dims[axis] = 1;
        let found = Array::from_fn(&dims, |at| order.at(at));
        if !keepdims {
            dims.remove(axis);
        }
        vec![Array::new(&dims, found.data)]
    })
}

fn top(name: &str, op: TopK, axis: usize, x: &[usize]) -> Case {
    let TopK { k, largest, .. } = op;
    Case::new(name, op, move |src: &[Array]| {
        let order = index::sorted_positions(&src[0].map(|x| if largest { x } else { -x }), axis);
        let mut dims = order.dims.clone();
        dims[axis] = k;
        let positions = Array::from_fn(&dims, |at| order.at(at));
        let values = index::gather_elements(&src[0], &positions, axis);
        vec![values, positions]
    })
    .operand(x)
    .tolerance(1e-6, "nothing is computed")
}

pub fn cases() -> Vec<Case> {
    let max = |axis, keepdims| ArgMax { axis, keepdims, ..ArgMax::default() };
    let ties = Array::new(&[2, 3], vec![2.0, 2.0, 1.0, 0.0, 5.0, 5.0]);
    let last = ArgMax { axis: 1, select_last_index: true, ..ArgMax::default() };
    let literal = |_: &[Array]| vec![Array::new(&[2, 1], vec![1.0, 2.0])];
    let in_order = TopK { k: 2, sorted: false, ..TopK::default() };
    let unsorted = |src: &[Array]| {
        let _ = src;
        vec![Array::new(&[2], vec![3.0, 4.0]), Array::new(&[2], vec![1.0, 3.0])]
    };
    vec![
        extreme("columns", max(0, true), 0, false, true).fixed(Array::sample(&[4, 3], 1)),
        extreme("rows", max(-1, false), 1, false, false).fixed(Array::sample(&[3, 5], 2)),
        extreme("first of equals", max(1, true), 1, false, true).fixed(ties.clone()),
        Case::new("last of equals", last, literal).fixed(ties),
        extreme("the smallest", ArgMin::default(), 0, true, true).fixed(Array::sample(&[5, 2], 3)),
        extreme("of integers", ArgMin::default(), 0, true, true).indices(&[3], &[4, -2, 9]),
        top("the largest", TopK { k: 2, ..TopK::default() }, 1, &[3, 5]),
        top("the smallest", TopK { k: 3, axis: 0, largest: false, sorted: true }, 0, &[4, 2]),
        top("all", TopK { k: 3, axis: 1, ..TopK::default() }, 1, &[2, 3, 2]),
        top("none", TopK { k: 0, ..TopK::default() }, 0, &[3]),
        Case::new("in order", in_order, unsorted)
            .typed(DType::I32, Array::new(&[4], vec![1.0, 3.0, 2.0, 4.0])),
    ]
}

pub fn refusals() -> Vec<Refusal> {
    vec![
        Refusal::new(
            ArgMax::default(),
            &[&[0, 2]],
            "ArgMax \"case\": expected elements along the axis, got f32 [0, 2]. Leave empty inputs \
             out.",
        ),
        Refusal::new(
            ArgMin { axis: 2, ..ArgMin::default() },
            &[&[1, 2]],
            "ArgMin \"case\": expected an axis of 2 dimensions, got axis 2. Count axes from 0, or \
             from −1 at the end.",
        ),
        Refusal::new(
            TopK { k: 4, ..TopK::default() },
            &[&[2, 3]],
            "TopK \"case\": expected k of up to 3 elements along axis 1, got k = 4. Ask for fewer.",
        ),
    ]
}
