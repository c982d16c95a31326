use crate::support::{Tensor, close, ready, run};
use onednn::ops::eltwise::{Algorithm, Config, backward, forward};
use onednn::{Attr, PropKind, arg};

fn erf(x: f64) -> f64 {
    // Series of the error function; enough terms for |x| < 3.
    let mut term = x;
    let mut sum = x;
    for n in 1..60 {
        term *= -x * x / f64::from(n);
        sum += term / f64::from(2 * n + 1);
    }
    sum * std::f64::consts::FRAC_2_SQRT_PI
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

type Function = fn(f64) -> f64;

/// Name, parameters, function, whether backward reads dst, whether only positive numbers make
/// sense.
const CASES: [(Algorithm, f32, f32, Function, bool, bool); 24] = [
    (Algorithm::Relu, 0.0, 0.0, |x| x.max(0.0), false, false),
    (Algorithm::Relu, 0.25, 0.0, |x| if x > 0.0 { x } else { 0.25 * x }, false, false),
    (Algorithm::Tanh, 0.0, 0.0, f64::tanh, false, false),
    (Algorithm::Elu, 1.5, 0.0, |x| if x > 0.0 { x } else { 1.5 * x.exp_m1() }, false, false),
    (Algorithm::Square, 0.0, 0.0, |x| x * x, false, false),
    (Algorithm::Abs, 0.0, 0.0, f64::abs, false, false),
    (Algorithm::Sqrt, 0.0, 0.0, f64::sqrt, false, true),
    (Algorithm::Linear, 2.0, 0.5, |x| 2.0 * x + 0.5, false, false),
    (Algorithm::SoftRelu, 1.0, 0.0, |x| x.exp().ln_1p(), false, false),
    (Algorithm::HardSigmoid, 0.3, 0.5, |x| (0.3 * x + 0.5).clamp(0.0, 1.0), false, false),
    (Algorithm::Logistic, 0.0, 0.0, sigmoid, false, false),
    (Algorithm::Exp, 0.0, 0.0, f64::exp, false, false),
    (Algorithm::GeluErf, 0.0, 0.0, |x| 0.5 * x * (1.0 + erf(x / 2f64.sqrt())), false, false),
    (Algorithm::Swish, 1.0, 0.0, |x| x * sigmoid(x), false, false),
    (Algorithm::Log, 0.0, 0.0, f64::ln, false, true),
    (Algorithm::Clip, -0.6, 0.7, |x| x.clamp(-0.6, 0.7), false, false),
    (Algorithm::Pow, 2.0, 1.5, |x| 2.0 * x.powf(1.5), false, true),
    (Algorithm::Mish, 0.0, 0.0, |x| x * x.exp().ln_1p().tanh(), false, false),
    (Algorithm::HardSwish, 0.3, 0.5, |x| x * (0.3 * x + 0.5).clamp(0.0, 1.0), false, false),
    (Algorithm::ReluUseDst, 0.0, 0.0, |x| x.max(0.0), true, false),
    (Algorithm::TanhUseDst, 0.0, 0.0, f64::tanh, true, false),
    (Algorithm::LogisticUseDst, 0.0, 0.0, sigmoid, true, false),
    (Algorithm::ExpUseDst, 0.0, 0.0, f64::exp, true, false),
    (Algorithm::SqrtUseDst, 0.0, 0.0, f64::sqrt, true, true),
];

#[test]
fn forward_equals_the_formula_and_backward_its_derivative() {
    if !ready() {
        return;
    }
    for (algorithm, alpha, beta, function, from_dst, positive) in CASES {
        // Odd multiples of 1/8: away from the kinks at 0 and away from the poles.
        let values: Vec<f32> = (-15..16).map(|i| (2.0 * i as f32 + 1.0) / 16.0).collect();
        let values: Vec<f32> = values.iter().map(|&v| if positive { v.abs() } else { v }).collect();
        let x = Tensor::of(&[values.len()], &values);
        let g = Tensor::quarters(&[values.len()], 2);
        let config = Config { algorithm, alpha, beta };
        let prop = PropKind::ForwardTraining;
        let hint = forward(prop, &x.md, &x.md, &config, &Attr::new()).unwrap();
        let y = Tensor::new(hint.dst_md(0));
        run(&hint, &[(arg::SRC, &x), (arg::DST, &y)]);
        let expected: Vec<f32> = values.iter().map(|&v| function(v.into()) as f32).collect();
        // The vector approximations of exp, tanh and erf have errors of about 1e-6, before AVX2
        // of about 1e-5.
        close(&y.values(), &expected, 2e-5);

        let desc = backward(&x.md, &g.md, &x.md, &config, &hint).unwrap();
        let dx = Tensor::new(desc.diff_src_md());
        let data = if from_dst { (arg::DST, &y) } else { (arg::SRC, &x) };
        run(&desc, &[data, (arg::DIFF_DST, &g), (arg::DIFF_SRC, &dx)]);
        let step = 1e-5;
        let slope = |x: f64| (function(x + step) - function(x - step)) / (2.0 * step);
        let expected: Vec<f32> =
            values.iter().zip(g.values()).map(|(&v, g)| slope(v.into()) as f32 * g).collect();
        close(&dx.values(), &expected, 2e-5);
    }
}

#[test]
fn a_function_may_work_in_place() {
    if !ready() {
        return;
    }
    let x = Tensor::of(&[4], &[-1.0, 2.0, -3.0, 4.0]);
    let config = Config::new(Algorithm::Relu);
    let prop = PropKind::ForwardInference;
    let desc = forward(prop, &x.md, &x.md, &config, &Attr::new()).unwrap();
    run(&desc, &[(arg::SRC, &x), (arg::DST, &x)]);
    assert_eq!(x.values(), [0.0, 2.0, 0.0, 4.0]);
}
