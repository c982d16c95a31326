//! Cases of the losses of classes with weights and ignored places.

use super::{Case, Refusal};
use nn::TensorType;
use nn::ops::negative_log_likelihood_loss::Reduction;
use nn::ops::{NegativeLogLikelihoodLoss, SoftmaxCrossEntropyLoss};
use oracle::Array;
use oracle::ops::softmax::log_softmax;
use tensor::DType;

/// The loss of log probabilities.
fn loss(x: &Array, src: &[Array], reduction: Reduction, ignored: Option<i64>) -> Array {
    let (target, weights) = (&src[1], src.get(2));
    let weight = |at: &[usize]| {
        let class = target.at(at) as i64;
        if ignored == Some(class) {
            return 0.0;
        }
        weights.map_or(1.0, |weights| weights.data[class as usize])
    };
    let losses = Array::from_fn(&target.dims, |at| {
        let mut place = at.to_vec();
        let class = target.at(at);
        place.insert(1, if weight(at) == 0.0 { 0 } else { class as usize });
        -weight(at) * x.at(&place)
    });
    let sum: f64 = losses.data.iter().sum();
    let total: f64 = Array::from_fn(&target.dims, weight).data.iter().sum();
    match reduction {
        Reduction::None => losses,
        Reduction::Sum => Array::new(&[], vec![sum]),
        Reduction::Mean => Array::new(&[], vec![sum / total]),
    }
}

fn target(dims: &[usize], classes: usize) -> Array {
    let mut next = 0;
    Array::from_fn(dims, |_| {
        next += 3;
        (next % classes) as f64
    })
}

fn operands(case: Case, x: &[usize], weighted: bool) -> Case {
    let dims = [&x[..1], &x[2..]].concat();
    let case = case.operand(x).typed(DType::I64, target(&dims, x[1]));
    if !weighted {
        return case;
    }
    case.fixed(Array::sample(&x[1..2], 5).map(|weight| 1.5 + weight))
}

fn likelihood(
    name: &str,
    reduction: Reduction,
    ignore_index: Option<i64>,
    x: &[usize],
    weighted: bool,
) -> Case {
    let op = NegativeLogLikelihoodLoss { reduction, ignore_index };
    let oracle = move |src: &[Array]| vec![loss(&src[0], src, reduction, ignore_index)];
    operands(Case::new(name, op, oracle), x, weighted)
}

fn softmax(
    name: &str,
    reduction: Reduction,
    ignore_index: Option<i64>,
    x: &[usize],
    weighted: bool,
) -> Case {
    let op = SoftmaxCrossEntropyLoss { reduction, ignore_index };
    let oracle = move |src: &[Array]| {
        let log = log_softmax(&src[0], 1);
        vec![loss(&log, src, reduction, ignore_index), log]
    };
    operands(Case::new(name, op, oracle), x, weighted)
}

pub fn cases() -> Vec<Case> {
    let all = [("none", Reduction::None), ("sum", Reduction::Sum), ("mean", Reduction::Mean)];
    let both = |(name, reduction): (&str, Reduction)| {
        let name = |what: &str| format!("{name}, {what}");
        [
            likelihood(&name("rows"), reduction, None, &[5, 4], false),
            likelihood(
                &name("weighted images, 1 ignored"),
                reduction,
                Some(1),
                &[2, 5, 3, 2],
                true,
            ),
            softmax(&name("rows"), reduction, None, &[5, 4], false),
            softmax(&name("weighted sequences"), reduction, None, &[2, 5, 3], true),
            softmax(&name("weighted images, 2 ignored"), reduction, Some(2), &[2, 5, 3, 2], true),
        ]
    };
    let mut cases: Vec<Case> = all.into_iter().flat_map(both).collect();
    cases.push(likelihood("an empty batch", Reduction::None, None, &[0, 4], false));
    cases.push(softmax("a place that is ignored by −1", Reduction::Mean, Some(-1), &[3, 4], false));
    cases
}

pub fn refusals() -> Vec<Refusal> {
    let x = TensorType::new(DType::F32, [4, 3]);
    let floats = TensorType::new(DType::F32, [4]);
    let short = TensorType::new(DType::I64, [3]);
    vec![
        Refusal::typed(
            NegativeLogLikelihoodLoss::default(),
            &[x.clone(), floats],
            "NegativeLogLikelihoodLoss \"case\": expected x [n, classes, …], target [n, …] of type \
             i32 or i64 and a weight [classes] like x, got f32 [4, 3], f32 [4]. Put the classes \
             second, and cast the target.",
        ),
        Refusal::typed(
            SoftmaxCrossEntropyLoss::default(),
            &[x, short],
            "SoftmaxCrossEntropyLoss \"case\": expected x [n, classes, …], target [n, …] of type \
             i32 or i64 and a weight [classes] like x, got f32 [4, 3], i64 [3]. Put the classes \
             second, and cast the target.",
        ),
    ]
}
