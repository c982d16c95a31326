use crate::support::{Tensor, any, bind, plain, ready};
use onednn::ops::{convolution, matmul};
use onednn::{Attr, Bound, PrimitiveDesc, PropKind, arg};

/// Weights gradient of a convolution: the primitive whose bits depend on the number of threads.
fn backward_weights() -> PrimitiveDesc {
    let (src, weights, dst) = (any(&[8, 16, 14, 14]), any(&[32, 16, 3, 3]), any(&[8, 32, 12, 12]));
    let (config, prop) = (convolution::Config::new(2), PropKind::ForwardTraining);
    let hint = convolution::forward(prop, &src, &weights, None, &dst, &config, &Attr::new());
    let hint = hint.unwrap();
    let bias = plain(&[32]);
    convolution::backward_weights(&src, &weights, Some(&bias), &dst, &config, &hint).unwrap()
}

/// Thirds are not exact in f32, so that a different order of summation would show.
fn thirds(dims: &[usize], seed: u64) -> Tensor {
    let values = crate::support::quarters(dims.iter().product(), seed);
    Tensor::of(dims, &values.iter().map(|v| v / 3.0).collect::<Vec<_>>())
}

struct Step {
    bound: Bound,
    dw: Tensor,
}

impl Step {
    fn new() -> Step {
        let desc = backward_weights();
        let (dw, db) = (Tensor::new(desc.diff_weights_md(0)), Tensor::new(desc.diff_bias_md()));
        let x = thirds(&[8, 16, 14, 14], 1).to(&desc.src_md(0));
        let g = thirds(&[8, 32, 12, 12], 2).to(&desc.diff_dst_md());
        let args =
            [(arg::SRC, &x), (arg::DIFF_DST, &g), (arg::DIFF_WEIGHTS, &dw), (arg::DIFF_BIAS, &db)];
        Step { bound: bind(&desc, &args), dw }
    }

    fn bits(&mut self) -> Vec<u32> {
        self.bound.execute().unwrap();
        self.dw.bits()
    }
}

#[test]
fn repeats_and_new_primitives_give_the_same_bits() {
    if !ready() {
        return;
    }
    let mut step = Step::new();
    let first = step.bits();
    for _ in 0..10 {
        assert_eq!(step.bits(), first);
    }
    assert_eq!(Step::new().bits(), first);
}

#[test]
fn two_threads_at_once_give_the_bits_of_one() {
    if !ready() {
        return;
    }
    let expected = Step::new().bits();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut step = Step::new();
                for _ in 0..50 {
                    assert_eq!(step.bits(), expected);
                }
            });
        }
    });
}

#[test]
fn one_primitive_serves_two_threads_and_a_step_may_move_between_them() {
    if !ready() {
        return;
    }
    let expected = Step::new().bits();
    let mut moved = Step::new();
    let bits = std::thread::spawn(move || moved.bits()).join().unwrap();
    assert_eq!(bits, expected);

    let a = Tensor::quarters(&[16, 16], 1);
    let desc = matmul::forward(&a.md, &a.md, None, &a.md, &Attr::new()).unwrap();
    let results: Vec<Vec<u32>> = std::thread::scope(|scope| {
        let run = || {
            let dst = Tensor::new(a.md.clone());
            let mut step = bind(&desc, &[(arg::SRC, &a), (arg::WEIGHTS, &a), (arg::DST, &dst)]);
            (0..100).for_each(|_| step.execute().unwrap());
            dst.bits()
        };
        let threads = [scope.spawn(run), scope.spawn(run)];
        threads.map(|thread| thread.join().unwrap()).to_vec()
    });
    assert_eq!(results[0], results[1]);
}
