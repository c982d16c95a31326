use crate::support::{Tensor, plain, ready, run};
use onednn::ops::{binary, eltwise, matmul};
use onednn::{Attr, arg};

#[test]
fn post_ops_apply_in_order_before_the_result_is_stored() {
    if !ready() {
        return;
    }
    let (a, b) = (Tensor::quarters(&[3, 5], 1), Tensor::quarters(&[5, 4], 2));
    let old = Tensor::quarters(&[3, 4], 3);
    let factor = Tensor::quarters(&[1, 4], 4);
    let attr = Attr::new().sum(0.5).binary(binary::Algorithm::Mul, &factor.md).eltwise(
        eltwise::Algorithm::Relu,
        0.0,
        0.0,
    );
    assert_eq!(attr.len(), 3);
    assert!(!attr.is_empty());
    let dst = old.to(&old.md);
    let desc = matmul::forward(&a.md, &b.md, None, &dst.md, &attr).unwrap();
    let multiplier = arg::ATTR_MULTIPLE_POST_OP(1) | arg::SRC_1;
    let args = [(arg::SRC, &a), (arg::WEIGHTS, &b), (multiplier, &factor), (arg::DST, &dst)];
    run(&desc, &args);

    let product = Tensor::new(plain(&[3, 4]));
    let desc = matmul::forward(&a.md, &b.md, None, &product.md, &Attr::new()).unwrap();
    run(&desc, &[(arg::SRC, &a), (arg::WEIGHTS, &b), (arg::DST, &product)]);
    let (old, factor) = (old.values(), factor.values());
    let expected: Vec<f32> = product
        .values()
        .iter()
        .enumerate()
        .map(|(i, p)| ((p + 0.5 * old[i]) * factor[i % 4]).max(0.0))
        .collect();
    assert_eq!(dst.values(), expected);
}
