use crate::support::{Tensor, plain, ready, run};
use onednn::ops::binary::Algorithm;
use onednn::ops::{binary, concat, sum};
use onednn::{Attr, Error, arg};

type Function = fn(f32, f32) -> f32;

#[test]
fn every_function_of_two_elements_is_the_one_it_says() {
    if !ready() {
        return;
    }
    let cases: [(Algorithm, Function); 12] = [
        (Algorithm::Add, |a, b| a + b),
        (Algorithm::Sub, |a, b| a - b),
        (Algorithm::Mul, |a, b| a * b),
        (Algorithm::Div, |a, b| a / b),
        (Algorithm::Max, f32::max),
        (Algorithm::Min, f32::min),
        (Algorithm::Ge, |a, b| f32::from(a >= b)),
        (Algorithm::Gt, |a, b| f32::from(a > b)),
        (Algorithm::Le, |a, b| f32::from(a <= b)),
        (Algorithm::Lt, |a, b| f32::from(a < b)),
        (Algorithm::Eq, |a, b| f32::from(a == b)),
        (Algorithm::Ne, |a, b| f32::from(a != b)),
    ];
    let a = Tensor::quarters(&[3, 7], 1);
    // Powers of two: division is exact. The second operand is broadcast along rows.
    let b = Tensor::of(&[1, 7], &[0.25, -0.5, 1.0, -2.0, 0.5, 4.0, -1.0]);
    let (xs, ys) = (a.values(), b.values());
    for (algorithm, function) in cases {
        let dst = Tensor::new(a.md.clone());
        let desc = binary::forward(algorithm, &a.md, &b.md, &dst.md, &Attr::new()).unwrap();
        run(&desc, &[(arg::SRC_0, &a), (arg::SRC_1, &b), (arg::DST, &dst)]);
        let expected: Vec<f32> =
            xs.iter().enumerate().map(|(i, &x)| function(x, ys[i % 7])).collect();
        assert_eq!(dst.values(), expected, "{algorithm:?}");
    }
}

#[test]
fn concat_puts_sources_side_by_side() {
    if !ready() {
        return;
    }
    let parts = [Tensor::quarters(&[2, 3], 1), Tensor::quarters(&[2, 1], 2)];
    let srcs = [&parts[0].md, &parts[1].md];
    for dst in [None, Some(plain(&[2, 4]))] {
        let desc = concat::forward(&srcs, dst.as_ref(), 1, &Attr::new()).unwrap();
        let dst = Tensor::new(desc.dst_md(0));
        let second = arg::MULTIPLE_SRC + 1;
        run(&desc, &[(arg::MULTIPLE_SRC, &parts[0]), (second, &parts[1]), (arg::DST, &dst)]);
        let (a, b) = (parts[0].values(), parts[1].values());
        assert_eq!(dst.values(), [&a[..3], &b[..1], &a[3..], &b[1..]].concat());
    }
}

#[test]
fn sum_weighs_its_sources() {
    if !ready() {
        return;
    }
    let parts: Vec<Tensor> = (1..4).map(|seed| Tensor::quarters(&[5, 3], seed)).collect();
    let srcs: Vec<_> = parts.iter().map(|t| &t.md).collect();
    let desc = sum::forward(&srcs, &[1.0, -2.0, 0.5], None, &Attr::new()).unwrap();
    let dst = Tensor::new(desc.dst_md(0));
    let args = [
        (arg::MULTIPLE_SRC, &parts[0]),
        (arg::MULTIPLE_SRC + 1, &parts[1]),
        (arg::MULTIPLE_SRC + 2, &parts[2]),
        (arg::DST, &dst),
    ];
    run(&desc, &args);
    let values: Vec<_> = parts.iter().map(Tensor::values).collect();
    let expected: Vec<f32> =
        (0..15).map(|i| values[0][i] - 2.0 * values[1][i] + 0.5 * values[2][i]).collect();
    assert_eq!(dst.values(), expected);

    let error = sum::forward(&srcs, &[1.0], None, &Attr::new()).unwrap_err();
    assert_eq!(error, Error::Dims { what: "scales", expected: 3, got: 1 });
}
