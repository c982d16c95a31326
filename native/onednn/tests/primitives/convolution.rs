use crate::support::{Tensor, any, dot, plain, ready, run};
use onednn::ops::{convolution, deconvolution};
use onednn::{Attr, PrimitiveDesc, PropKind, arg};

/// One convolution: batch, channels and spatial sizes of src, kernel, and the settings.
struct Case {
    n: usize,
    ic: usize,
    oc: usize,
    groups: usize,
    src: [usize; 2],
    kernel: [usize; 2],
    stride: usize,
    dilation: usize,
    padding: [usize; 2],
}

const CASES: [Case; 6] = [
    Case {
        n: 2,
        ic: 3,
        oc: 8,
        groups: 1,
        src: [9, 11],
        kernel: [3, 3],
        stride: 1,
        dilation: 1,
        padding: [1, 1],
    },
    Case {
        n: 1,
        ic: 1,
        oc: 1,
        groups: 1,
        src: [5, 5],
        kernel: [5, 5],
        stride: 1,
        dilation: 1,
        padding: [0, 0],
    },
    Case {
        n: 3,
        ic: 19,
        oc: 33,
        groups: 1,
        src: [7, 6],
        kernel: [1, 1],
        stride: 1,
        dilation: 1,
        padding: [0, 0],
    },
    Case {
        n: 2,
        ic: 16,
        oc: 32,
        groups: 1,
        src: [12, 12],
        kernel: [3, 3],
        stride: 2,
        dilation: 1,
        padding: [0, 1],
    },
    Case {
        n: 2,
        ic: 6,
        oc: 4,
        groups: 2,
        src: [8, 9],
        kernel: [3, 2],
        stride: 1,
        dilation: 2,
        padding: [2, 0],
    },
    Case {
        n: 1,
        ic: 24,
        oc: 24,
        groups: 24,
        src: [8, 8],
        kernel: [3, 3],
        stride: 1,
        dilation: 1,
        padding: [1, 1],
    },
];

impl Case {
    fn config(&self) -> convolution::Config {
        convolution::Config {
            strides: vec![self.stride; 2],
            dilations: vec![self.dilation; 2],
            padding_l: vec![self.padding[0]; 2],
            padding_r: vec![self.padding[1]; 2],
        }
    }

    fn src(&self) -> [usize; 4] {
        [self.n, self.ic, self.src[0], self.src[1]]
    }

    fn weights(&self) -> Vec<usize> {
        let Case { ic, oc, groups: g, kernel: [kh, kw], .. } = *self;
        if g == 1 { vec![oc, ic, kh, kw] } else { vec![g, oc / g, ic / g, kh, kw] }
    }

    fn dst(&self) -> [usize; 4] {
        let size = |i: usize| {
            let extent = (self.kernel[i] - 1) * self.dilation + 1;
            (self.src[i] + self.padding[0] + self.padding[1] - extent) / self.stride + 1
        };
        [self.n, self.oc, size(0), size(1)]
    }

    fn forward(&self, attr: &Attr) -> PrimitiveDesc {
        let (src, weights, dst) = (any(&self.src()), any(&self.weights()), any(&self.dst()));
        let (bias, prop) = (plain(&[self.oc]), PropKind::ForwardTraining);
        convolution::forward(prop, &src, &weights, Some(&bias), &dst, &self.config(), attr).unwrap()
    }

    /// The definition as loops.
    fn naive(&self, src: &[f32], weights: &[f32], bias: &[f32]) -> Vec<f32> {
        let ([n, oc, oh, ow], [h, w], [kh, kw]) = (self.dst(), self.src, self.kernel);
        let (icg, ocg) = (self.ic / self.groups, oc / self.groups);
        let mut dst = Vec::with_capacity(n * oc * oh * ow);
        for (b, o) in (0..n).flat_map(|b| (0..oc).map(move |o| (b, o))) {
            for (y, x) in (0..oh).flat_map(|y| (0..ow).map(move |x| (y, x))) {
                let mut sum = bias[o];
                for i in 0..icg {
                    for (ky, kx) in (0..kh).flat_map(|ky| (0..kw).map(move |kx| (ky, kx))) {
                        let sy =
                            (y * self.stride + ky * self.dilation).wrapping_sub(self.padding[0]);
                        let sx =
                            (x * self.stride + kx * self.dilation).wrapping_sub(self.padding[0]);
                        if sy < h && sx < w {
                            let c = o / ocg * icg + i;
                            sum += src[((b * self.ic + c) * h + sy) * w + sx]
                                * weights[((o * icg + i) * kh + ky) * kw + kx];
                        }
                    }
                }
                dst.push(sum);
            }
        }
        dst
    }
}

#[test]
fn forward_equals_naive_loops() {
    if !ready() {
        return;
    }
    for case in &CASES {
        let desc = case.forward(&Attr::new());
        let src = Tensor::quarters(&case.src(), 1);
        let weights = Tensor::quarters(&case.weights(), 2);
        let bias = Tensor::quarters(&[case.oc], 3);
        let dst = Tensor::new(desc.dst_md(0));
        run(
            &desc,
            &[
                (arg::SRC, &src.to(&desc.src_md(0))),
                (arg::WEIGHTS, &weights.to(&desc.weights_md(0))),
                (arg::BIAS, &bias.to(&desc.bias_md())),
                (arg::DST, &dst),
            ],
        );
        let expected = case.naive(&src.values(), &weights.values(), &bias.values());
        assert_eq!(dst.values(), expected, "{}", desc.info());
    }
}

/// With y = conv(x, w) without bias: <y, g> = <x, dx> = <w, dw>, and db is the sum of g.
#[test]
fn backward_is_the_adjoint_of_forward() {
    if !ready() {
        return;
    }
    for case in &CASES {
        let forward = case.forward(&Attr::new());
        let config = case.config();
        let (x, w) = (Tensor::quarters(&case.src(), 4), Tensor::quarters(&case.weights(), 5));
        let g = Tensor::quarters(&case.dst(), 6);
        let y = case.naive(&x.values(), &w.values(), &vec![0.0; case.oc]);
        let expected = dot(&Tensor::of(&case.dst(), &y), &g);

        let (any_x, any_w, any_y) = (any(&case.src()), any(&case.weights()), any(&case.dst()));
        let desc = convolution::backward_data(&any_x, &any_w, &any_y, &config, &forward).unwrap();
        let dx = Tensor::new(desc.diff_src_md());
        run(
            &desc,
            &[
                (arg::DIFF_DST, &g.to(&desc.diff_dst_md())),
                (arg::WEIGHTS, &w.to(&desc.weights_md(0))),
                (arg::DIFF_SRC, &dx),
            ],
        );
        assert_eq!(dot(&x, &dx), expected, "{}", desc.info());

        let bias = plain(&[case.oc]);
        let hint = &forward;
        let desc =
            convolution::backward_weights(&any_x, &any_w, Some(&bias), &any_y, &config, hint)
                .unwrap();
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
        assert_eq!(dot(&w, &dw), expected, "{}", desc.info());
        assert_eq!(db.values().iter().sum::<f32>(), g.values().iter().sum::<f32>());
    }
}

#[test]
fn deconvolution_forward_is_convolution_backward_data() {
    if !ready() {
        return;
    }
    let case = &CASES[3];
    let forward = case.forward(&Attr::new());
    let (x, y) = (plain(&case.src()), plain(&case.dst()));
    let (w, g) = (Tensor::quarters(&case.weights(), 7), Tensor::quarters(&case.dst(), 8));
    let hint = &forward;
    let desc = convolution::backward_data(&x, &w.md, &y, &case.config(), hint).unwrap();
    let dx = Tensor::new(x.clone());
    run(&desc, &[(arg::DIFF_DST, &g), (arg::WEIGHTS, &w), (arg::DIFF_SRC, &dx)]);

    // The same weights with the roles of the channels exchanged.
    let turned = Tensor { md: w.md.permute(&[1, 0, 2, 3]).unwrap(), slice: w.slice.clone() };
    let convolution::Config { strides, dilations, padding_l, padding_r } = case.config();
    let config = deconvolution::Config { strides, dilations, padding_l, padding_r };
    let prop = PropKind::ForwardTraining;
    let weights = any(&turned.md.dims());
    let forward =
        deconvolution::forward(prop, &y, &weights, None, &x, &config, &Attr::new()).unwrap();
    let dst = Tensor::new(x.clone());
    let weights = turned.to(&forward.weights_md(0));
    run(&forward, &[(arg::SRC, &g), (arg::WEIGHTS, &weights), (arg::DST, &dst)]);
    assert_eq!(dst.values(), dx.values());

    // Adjoint identities of the deconvolution itself.
    let e = Tensor::quarters(&case.src(), 9);
    let expected = dot(&dst, &e);
    let any_w = any(&turned.md.dims());
    let desc = deconvolution::backward_data(&y, &any_w, &x, &config, &forward).unwrap();
    let dg = Tensor::new(y.clone());
    let weights = turned.to(&desc.weights_md(0));
    run(&desc, &[(arg::DIFF_DST, &e), (arg::WEIGHTS, &weights), (arg::DIFF_SRC, &dg)]);
    assert_eq!(dot(&g, &dg), expected);
    let desc = deconvolution::backward_weights(&y, &any_w, None, &x, &config, &forward).unwrap();
    let dw = Tensor::new(desc.diff_weights_md(0));
    run(&desc, &[(arg::SRC, &g), (arg::DIFF_DST, &e), (arg::DIFF_WEIGHTS, &dw)]);
    assert_eq!(dot(&turned, &dw), expected);
}

#[test]
fn a_primitive_without_bias_has_no_bias_descriptor() {
    if !ready() {
        return;
    }
    let (src, weights, dst) = (any(&[1, 2, 4, 4]), any(&[3, 2, 1, 1]), any(&[1, 3, 4, 4]));
    let prop = PropKind::ForwardInference;
    let config = convolution::Config::new(2);
    let desc = convolution::forward(prop, &src, &weights, None, &dst, &config, &Attr::new());
    let desc = desc.unwrap();
    assert!(desc.bias_md().is_empty());
    assert!(desc.workspace_md().is_empty());
    assert!(desc.diff_src_md().is_empty());
    assert!(!desc.info().is_empty());
}
