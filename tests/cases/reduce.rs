//! Cases of reductions.

use super::{Case, Refusal};
use nn::Op;
use nn::ops::{
    ReduceL1, ReduceL2, ReduceLogSum, ReduceLogSumExp, ReduceMax, ReduceMean, ReduceMin,
    ReduceProd, ReduceSum, ReduceSumSquare,
};
use oracle::Array;
use oracle::ops::reduce::reduce;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tensor::DType;

fn sum(x: &[f64]) -> f64 {
    x.iter().sum()
}

/// The op of some settings against `f`.
fn case<O>(name: &str, op: O, settings: (&[usize], bool), f: fn(&[f64]) -> f64) -> Case
where
    O: Op + Clone + PartialEq + Serialize + DeserializeOwned,
{
    let (axes, keep) = (settings.0.to_vec(), settings.1);
    Case::new(name, op, move |src: &[Array]| {
        let kept = reduce(&src[0], &axes, f);
        let dims = kept.dims.iter().enumerate().filter(|(d, _)| keep || !axes.contains(d));
        vec![Array::new(&dims.map(|(_, &dim)| dim).collect::<Vec<_>>(), kept.data)]
    })
}

macro_rules! all {
    ($op:ident, $f:expr, $x:expr) => {{
        let with = |axes: &[i64], keepdims| $op { axes: axes.to_vec(), keepdims, ..$op::default() };
        vec![
            case("columns", with(&[0], false), (&[0], false), $f).values($x(&[5, 3])),
            case("rows", with(&[-1], true), (&[1], true), $f).values($x(&[4, 7])),
            case("planes", with(&[2, 3], true), (&[2, 3], true), $f).values($x(&[2, 3, 3, 2])),
            case("outer axes", with(&[0, 2], false), (&[0, 2], false), $f).values($x(&[2, 70, 3])),
            case("all", with(&[], true), (&[0, 1], true), $f).values($x(&[2, 4])),
            case("empty batch", with(&[1], true), (&[1], true), $f).values($x(&[0, 3])),
        ]
    }};
}

fn scattered(dims: &[usize]) -> Array {
    Array::sample(dims, 1)
}

fn positive(dims: &[usize]) -> Array {
    Array::sample(dims, 1).map(|x| 1.5 + x)
}

/// Away from 0, where the sign jumps.
fn signed(dims: &[usize]) -> Array {
    Array::sample(dims, 1).map(|x| x + x.signum() / 2.0)
}

pub fn cases() -> Vec<Case> {
    let max = |x: &[f64]| x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let min = |x: &[f64]| x.iter().copied().fold(f64::INFINITY, f64::min);
    let nothing = ReduceSum { noop_with_empty_axes: true, ..ReduceSum::default() };
    let zero = Array::new(&[2, 3], vec![0.0, 2.0, 0.5, 1.5, 0.5, 2.0]);
    let whole = |axes: &[i64]| ReduceMean { axes: axes.to_vec(), ..ReduceMean::default() };
    let exp = |x: &[f64]| x.iter().map(|x| x.exp()).sum::<f64>().ln();
    let mut cases = vec![
        case("no axes", nothing, (&[], true), sum).operand(&[2, 3]),
        case("integers", ReduceSum::default(), (&[0, 1], true), sum)
            .indices(&[2, 2], &[1, -9, 5, 1 << 40]),
        case("a scalar", ReduceMax::default(), (&[], true), max).operand(&[]),
        case("truth", ReduceMax::default(), (&[0], true), max)
            .typed(DType::Bool, Array::new(&[2], vec![0.0, 1.0])),
        case("whole numbers", whole(&[0]), (&[0], true), |x| (sum(x) / 2.0).trunc())
            .indices(&[2], &[3, 4]),
        case("a zero", ReduceProd { axes: vec![1], ..ReduceProd::default() }, (&[1], true), |x| {
            x.iter().product()
        })
        .values(zero),
        case("large numbers", ReduceLogSumExp::default(), (&[0], true), max_exp)
            .values(Array::new(&[2], vec![500.0, 501.0])),
    ];
    cases.extend(all!(ReduceSum, sum, scattered));
    cases.extend(all!(ReduceMean, |x| sum(x) / x.len() as f64, scattered));
    cases.extend(all!(ReduceMax, max, scattered));
    cases.extend(all!(ReduceMin, min, scattered));
    cases.extend(all!(ReduceProd, |x| x.iter().product(), positive));
    cases.extend(all!(ReduceL1, |x| x.iter().map(|x| x.abs()).sum(), signed));
    cases.extend(all!(ReduceL2, |x| x.iter().map(|x| x * x).sum::<f64>().sqrt(), signed));
    cases.extend(all!(ReduceSumSquare, |x| x.iter().map(|x| x * x).sum(), scattered));
    cases.extend(all!(ReduceLogSum, |x| sum(x).ln(), positive));
    cases.extend(all!(ReduceLogSumExp, exp, scattered));
    cases
}

pub fn timed() -> Vec<Case> {
    let with = |axes: &[i64]| ReduceMean { axes: axes.to_vec(), ..ReduceMean::default() };
    let mean = |x: &[f64]| sum(x) / x.len() as f64;
    vec![
        case("rows of 1024×768", with(&[-1]), (&[1], true), mean).operand(&[1024, 768]),
        case("columns of 1024×768", with(&[0]), (&[0], true), mean).operand(&[1024, 768]),
    ]
}

/// The logarithm of a sum of exponentials that would overflow.
fn max_exp(x: &[f64]) -> f64 {
    let max = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    max + x.iter().map(|x| (x - max).exp()).sum::<f64>().ln()
}

pub fn refusals() -> Vec<Refusal> {
    macro_rules! refusal {
        ($($op:ident)*) => {
            vec![$(Refusal::new(
                $op { axes: vec![2], ..$op::default() },
                &[&[2, 3]],
                concat!(
                    stringify!($op),
                    " \"case\": expected an axis of 2 dimensions, got axis 2. Count axes from 0, \
                     or from −1 at the end."
                ),
            )),*]
        };
    }
    refusal!(
        ReduceSum ReduceMean ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceSumSquare
        ReduceLogSum ReduceLogSumExp
    )
}
