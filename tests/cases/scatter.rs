//! Cases of new values at computed places.

use super::{Case, Refusal};
use nn::TensorType;
use nn::ops::{ScatterElements, ScatterNd, ScatterReduction};
use oracle::Array;
use oracle::ops::index;
use tensor::DType;

fn combine(reduction: ScatterReduction) -> fn(f64, f64) -> f64 {
    match reduction {
        ScatterReduction::None => |_, new| new,
        ScatterReduction::Add => |old, new| old + new,
        ScatterReduction::Mul => |old, new| old * new,
        ScatterReduction::Min => f64::min,
        ScatterReduction::Max => f64::max,
    }
}

/// Without data and updates that have gradients for reductions that have none.
fn operands(
    case: Case,
    reduction: ScatterReduction,
    x: &[usize],
    ids: (&[usize], &[i64]),
    updates: &[usize],
) -> Case {
    use ScatterReduction::{Add, None};
    let case = case.tolerance(1e-6, "sums of a few numbers");
    let (data, new) = (Array::sample(x, 1), Array::sample(updates, 3));
    match reduction {
        None | Add => case.values(data).indices(ids.0, ids.1).values(new),
        _ => case.fixed(data).indices(ids.0, ids.1).fixed(new),
    }
}

fn elements(
    name: &str,
    axis: usize,
    reduction: ScatterReduction,
    x: &[usize],
    ids: (&[usize], &[i64]),
) -> Case {
    let op = ScatterElements { axis: axis as i64, reduction };
    let case = Case::new(name, op, move |src: &[Array]| {
        vec![index::scatter_elements(&src[0], &src[1], &src[2], axis, combine(reduction))]
    });
    operands(case, reduction, x, ids, ids.0)
}

fn parts(
    name: &str,
    reduction: ScatterReduction,
    x: &[usize],
    ids: (&[usize], &[i64]),
    updates: &[usize],
) -> Case {
    let op = ScatterNd { reduction, batch_dims: 0 };
    let case = Case::new(name, op, move |src: &[Array]| {
        vec![index::scatter_nd(&src[0], &src[1], &src[2], combine(reduction))]
    });
    operands(case, reduction, x, ids, updates)
}

pub fn cases() -> Vec<Case> {
    use ScatterReduction::{Add, Max, Min, Mul, None};
    vec![
        elements("replaced", 0, None, &[3, 3], (&[2, 3], &[1, 0, 2, 0, -1, 1])),
        elements("added twice", 1, Add, &[2, 4], (&[2, 3], &[1, 1, -1, 0, 0, 0])),
        elements("multiplied", 1, Mul, &[1, 3], (&[1, 2], &[1, 1])),
        elements("the smaller", 0, Min, &[3], (&[2], &[1, 1])),
        elements("the larger", 0, Max, &[3], (&[2], &[0, 1])),
        elements("nothing", 0, None, &[3], (&[0], &[])),
        parts("rows", None, &[4, 2], (&[2, 1], &[3, 0]), &[2, 2]),
        parts("elements added", Add, &[2, 3], (&[3, 2], &[0, 0, 1, -1, 0, 0]), &[3]),
        parts("rows multiplied", Mul, &[2, 2], (&[2, 1], &[1, 1]), &[2, 2]),
    ]
}

pub fn refusals() -> Vec<Refusal> {
    let with = |indices: &[usize]| {
        [
            TensorType::new(DType::F32, [2, 3]),
            TensorType::new(DType::I64, indices),
            TensorType::new(DType::F32, [1]),
        ]
    };
    vec![
        Refusal::typed(
            ScatterElements::default(),
            &with(&[2, 2]),
            "ScatterElements \"case\": expected updates f32 [2, 2], got f32 [1]. Give one value for \
             each place.",
        ),
        Refusal::typed(
            ScatterNd::default(),
            &with(&[2, 1]),
            "ScatterND \"case\": expected updates f32 [2, 3], got f32 [1]. Give one value for each \
             place.",
        ),
    ]
}
