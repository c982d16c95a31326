//! Cases of normalization along any axes.

use super::{Case, Refusal};
use nn::ops::{LpNormalization, MeanVarianceNormalization};
use oracle::Array;

/// The numbers that are normalized together with the one at `index`.
fn together(x: &Array, axes: &[usize], index: &[usize]) -> Vec<f64> {
    let mut row = Vec::new();
    Array::from_fn(&x.dims, |other| {
        let same = (0..index.len()).all(|d| axes.contains(&d) || other[d] == index[d]);
        if same {
            row.push(x.at(other));
        }
        0.0
    });
    row
}

fn lp(name: &str, axis: i64, p: u32, x: &[usize]) -> Case {
    let at = if axis < 0 { axis + x.len() as i64 } else { axis } as usize;
    let oracle = move |src: &[Array]| {
        let x = &src[0];
        vec![Array::from_fn(&x.dims, |index| {
            let powers = together(x, &[at], index).into_iter().map(|x| x.abs().powi(p as i32));
            x.at(index) / powers.sum::<f64>().powf(1.0 / f64::from(p))
        })]
    };
    Case::new(name, LpNormalization { axis, p }, oracle).operand(x)
}

fn mean_variance(name: &str, axes: &[usize], x: &[usize]) -> Case {
    let op = MeanVarianceNormalization { axes: axes.iter().map(|&axis| axis as i64).collect() };
    let axes = axes.to_vec();
    let oracle = move |src: &[Array]| {
        let x = &src[0];
        vec![Array::from_fn(&x.dims, |index| {
            let row = together(x, &axes, index);
            let n = row.len() as f64;
            let mean = row.iter().sum::<f64>() / n;
            let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
            (x.at(index) - mean) / (variance.sqrt() + 1e-9)
        })]
    };
    Case::new(name, op, oracle).operand(x)
}

pub fn cases() -> Vec<Case> {
    vec![
        lp("amounts of rows", -1, 1, &[3, 7]),
        lp("squares of rows", -1, 2, &[3, 7]),
        lp("squares of channels", 1, 2, &[2, 5, 3]),
        lp("amounts of the first axis", 0, 1, &[4, 3]),
        mean_variance("channels of images", &[0, 2, 3], &[2, 3, 4, 3]),
        mean_variance("rows", &[1], &[3, 6]),
        mean_variance("everything", &[0, 1], &[3, 4]),
    ]
}

pub fn refusals() -> Vec<Refusal> {
    vec![
        Refusal::new(
            LpNormalization { axis: -1, p: 3 },
            &[&[2, 3]],
            "LpNormalization \"case\": expected p 1 or 2, got 3. Choose the sum of amounts or of \
             squares.",
        ),
        Refusal::new(
            MeanVarianceNormalization::default(),
            &[&[2, 3]],
            "MeanVarianceNormalization \"case\": expected an axis of 2 dimensions, got axis 2. \
             Count axes from 0, or from −1 at the end.",
        ),
    ]
}
