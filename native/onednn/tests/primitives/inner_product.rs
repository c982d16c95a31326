use crate::support::{Tensor, any, dot, plain, ready, run};
use onednn::ops::inner_product;
use onednn::{Attr, PropKind, arg};

/// (n, ic with its spatial dimensions, oc)
const CASES: [(usize, &[usize], usize); 4] =
    [(1, &[1], 1), (5, &[37], 11), (32, &[64], 10), (3, &[6, 5, 4], 7)];

#[test]
fn forward_equals_naive_loops_and_backward_is_its_adjoint() {
    if !ready() {
        return;
    }
    for (n, ic, oc) in CASES {
        let src_dims: Vec<usize> = [&[n], ic].concat();
        let weights_dims: Vec<usize> = [&[oc], ic].concat();
        let k: usize = ic.iter().product();
        let (x, w) = (Tensor::quarters(&src_dims, 1), Tensor::quarters(&weights_dims, 2));
        let b = Tensor::quarters(&[oc], 3);

        let (any_x, any_w, any_y) = (any(&src_dims), any(&weights_dims), any(&[n, oc]));
        let prop = PropKind::ForwardTraining;
        let bias = Some(&b.md);
        let forward =
            inner_product::forward(prop, &any_x, &any_w, bias, &any_y, &Attr::new()).unwrap();
        let y = Tensor::new(forward.dst_md(0));
        run(
            &forward,
            &[
                (arg::SRC, &x.to(&forward.src_md(0))),
                (arg::WEIGHTS, &w.to(&forward.weights_md(0))),
                (arg::BIAS, &b.to(&forward.bias_md())),
                (arg::DST, &y),
            ],
        );
        let (xs, ws, bs) = (x.values(), w.values(), b.values());
        let product =
            |i: usize, o: usize| -> f32 { (0..k).map(|j| xs[i * k + j] * ws[o * k + j]).sum() };
        let products: Vec<f32> = (0..n * oc).map(|at| product(at / oc, at % oc)).collect();
        let expected: Vec<f32> =
            products.iter().enumerate().map(|(at, p)| p + bs[at % oc]).collect();
        assert_eq!(y.values(), expected, "{}", forward.info());

        let g = Tensor::quarters(&[n, oc], 4);
        let expected = dot(&Tensor::of(&[n, oc], &products), &g);
        let desc = inner_product::backward_data(&any_x, &any_w, &any_y, &forward).unwrap();
        let dx = Tensor::new(desc.diff_src_md());
        run(
            &desc,
            &[
                (arg::DIFF_DST, &g.to(&desc.diff_dst_md())),
                (arg::WEIGHTS, &w.to(&desc.weights_md(0))),
                (arg::DIFF_SRC, &dx),
            ],
        );
        assert_eq!(dot(&x, &dx), expected);

        let bias = plain(&[oc]);
        let desc =
            inner_product::backward_weights(&any_x, &any_w, Some(&bias), &any_y, &forward).unwrap();
        let (dw, db) = (Tensor::new(desc.diff_weights_md(0)), Tensor::new(desc.diff_bias_md()));
        run(
            &desc,
            &[
                (arg::SRC, &x.to(&desc.src_md(0))),
                (arg::DIFF_DST, &g.to(&desc.diff_dst_md())),
                (arg::DIFF_WEIGHTS, &dw),
                (arg::DIFF_BIAS, &db),
            ],
        );
        assert_eq!(dot(&w, &dw), expected);
        assert_eq!(db.values().iter().sum::<f32>(), g.values().iter().sum::<f32>());
    }
}
