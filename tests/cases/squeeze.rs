//! Cases of the same numbers with other dimensions of 1.

use super::{Case, Refusal};
use nn::Op;
use nn::ops::{Identity, Squeeze, Unsqueeze};
use oracle::Array;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tensor::DType;

fn case<O>(name: &str, op: O, to: &'static [usize]) -> Case
where
    O: Op + Clone + PartialEq + Serialize + DeserializeOwned,
{
    Case::new(name, op, move |src: &[Array]| vec![Array::new(to, src[0].data.clone())])
        .tolerance(1e-6, "nothing is computed")
}

pub fn cases() -> Vec<Case> {
    let squeeze = |axes: &[i64]| Squeeze { axes: axes.to_vec() };
    let unsqueeze = |axes: &[i64]| Unsqueeze { axes: axes.to_vec() };
    vec![
        case("nothing", Identity {}, &[2, 3]).operand(&[2, 3]),
        case("integers", Identity {}, &[2]).indices(&[2], &[1, -1]),
        case("all", squeeze(&[]), &[3, 2]).operand(&[1, 3, 1, 2]),
        case("one of two", squeeze(&[-2]), &[1, 3, 2]).operand(&[1, 3, 1, 2]),
        case("to a scalar", squeeze(&[0]), &[]).operand(&[1]),
        case("in front", unsqueeze(&[0]), &[1, 3]).operand(&[3]),
        case("both ends", unsqueeze(&[-1, 0]), &[1, 2, 3, 1]).operand(&[2, 3]),
        case("truth", unsqueeze(&[1]), &[2, 1])
            .typed(DType::Bool, Array::new(&[2], vec![1.0, 0.0])),
    ]
}

pub fn refusals() -> Vec<Refusal> {
    vec![
        Refusal::new(
            Identity {},
            &[],
            "Identity \"case\": expected 1 operand, got 0. Connect the missing inputs.",
        ),
        Refusal::new(
            Squeeze { axes: vec![1] },
            &[&[1, 2]],
            "Squeeze \"case\": expected extent 1 in axis 1, got [1, 2]. Name axes of extent 1.",
        ),
        Refusal::new(
            Unsqueeze { axes: vec![0, -3] },
            &[&[2]],
            "Unsqueeze \"case\": expected each new axis once, got axes [0, -3]. Leave out the \
             repeated one.",
        ),
    ]
}
