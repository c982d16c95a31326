use crate::support::{Tensor, close, plain, ready, run};
use onednn::ops::reduction::{Algorithm, Config, forward};
use onednn::{Attr, arg};

type Function = fn(&[f32]) -> f32;

#[test]
fn every_reduction_is_the_one_it_says() {
    if !ready() {
        return;
    }
    let squares: Function = |v| v.iter().map(|x| x * x).sum();
    let cases: [(Algorithm, f32, Function); 9] = [
        (Algorithm::Sum, 0.0, |v| v.iter().sum()),
        (Algorithm::Mean, 0.0, |v| v.iter().sum::<f32>() / v.len() as f32),
        (Algorithm::Max, 0.0, |v| v.iter().copied().fold(f32::MIN, f32::max)),
        (Algorithm::Min, 0.0, |v| v.iter().copied().fold(f32::MAX, f32::min)),
        (Algorithm::Mul, 0.0, |v| v.iter().product()),
        (Algorithm::NormLpMax, 2.0, |v| v.iter().map(|x| x * x).sum::<f32>().max(0.5).sqrt()),
        (Algorithm::NormLpSum, 2.0, |v| (v.iter().map(|x| x * x).sum::<f32>() + 0.5).sqrt()),
        (Algorithm::NormLpPowerPMax, 2.0, squares),
        (Algorithm::NormLpPowerPSum, 2.0, |v| v.iter().map(|x| x * x).sum::<f32>() + 0.5),
    ];
    let src = Tensor::quarters(&[4, 6, 5], 1);
    let values = src.values();
    for (algorithm, p, function) in cases {
        let config = Config { p, eps: if p > 0.0 { 0.5 } else { 0.0 }, ..Config::new(algorithm) };
        let dst = Tensor::new(plain(&[4, 1, 1]));
        let desc = forward(&src.md, &dst.md, &config, &Attr::new()).unwrap();
        run(&desc, &[(arg::SRC, &src), (arg::DST, &dst)]);
        let expected: Vec<f32> = values.chunks(30).map(function).collect();
        // Sums are exact; means, roots and products round.
        close(&dst.values(), &expected, 1e-6);
    }
}
