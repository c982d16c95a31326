use crate::support::{Tensor, any, plain, ready, run};
use onednn::ops::matmul;
use onednn::{Attr, DataType, MemoryDesc, arg};

/// The definition as loops; batch sizes of one are broadcast.
fn naive(a: &[f32], b: &[f32], [ba, bb]: [usize; 2], [m, k, n]: [usize; 3]) -> Vec<f32> {
    let mut dst = Vec::new();
    for batch in 0..ba.max(bb) {
        let (a, b) = (&a[batch % ba * m * k..], &b[batch % bb * k * n..]);
        for (i, j) in (0..m).flat_map(|i| (0..n).map(move |j| (i, j))) {
            dst.push((0..k).map(|l| a[i * k + l] * b[l * n + j]).sum());
        }
    }
    dst
}

#[test]
fn product_equals_naive_loops() {
    if !ready() {
        return;
    }
    for [m, k, n] in [[1, 1, 1], [3, 5, 4], [32, 64, 10], [17, 31, 65]] {
        let (a, b) = (Tensor::quarters(&[m, k], 1), Tensor::quarters(&[k, n], 2));
        let bias = Tensor::quarters(&[1, n], 3);
        let weights = any(&[k, n]);
        let dst = plain(&[m, n]);
        let attr = Attr::new();
        let desc = matmul::forward(&a.md, &weights, Some(&bias.md), &dst, &attr).unwrap();
        let dst = Tensor::new(dst);
        let weights = b.to(&desc.weights_md(0));
        let args = [(arg::SRC, &a), (arg::WEIGHTS, &weights), (arg::BIAS, &bias), (arg::DST, &dst)];
        run(&desc, &args);
        let mut expected = naive(&a.values(), &b.values(), [1, 1], [m, k, n]);
        let bias = bias.values();
        expected.iter_mut().enumerate().for_each(|(i, e)| *e += bias[i % n]);
        assert_eq!(dst.values(), expected, "{m}x{k}x{n} {}", desc.info());
    }
}

#[test]
fn batches_are_broadcast_and_operands_may_be_transposed() {
    if !ready() {
        return;
    }
    let (a, b) = (Tensor::quarters(&[4, 3, 5], 4), Tensor::quarters(&[1, 5, 2], 5));
    let expected = naive(&a.values(), &b.values(), [4, 1], [3, 5, 2]);
    let turned_md = MemoryDesc::strided(&[1, 5, 2], &[10, 1, 5], DataType::F32).unwrap();
    for weights in [b.clone(), b.to(&turned_md)] {
        let dst = Tensor::new(plain(&[4, 3, 2]));
        let desc = matmul::forward(&a.md, &weights.md, None, &dst.md, &Attr::new()).unwrap();
        run(&desc, &[(arg::SRC, &a), (arg::WEIGHTS, &weights), (arg::DST, &dst)]);
        assert_eq!(dst.values(), expected);
    }
}
