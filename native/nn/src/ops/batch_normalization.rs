//! Normalization of each channel over batch and space.

use crate::error::expect_operands;
use crate::op::{Cost, Op, elementwise_cost};
use crate::tensor_type::float_types;
use crate::{Activation, Compiler, Error, Gradient, OpError, Operand, Takes, TensorType};
use onednn::ops::batch_normalization;
use onednn::{Attr, MemoryDesc, PrimitiveDesc, PropKind, arg};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tensor::Shape;

/// y = scale\[c\] · (x − mean\[c\]) / √(var\[c\] + epsilon) + bias\[c\]. ONNX `BatchNormalization`.
///
/// Sources: x \[n, c, …\]; scale, bias, mean, var \[c\]. Results: y like x; in training also the new
/// running mean and running variance \[c\], and the batch's own mean and variance \[c\].
///
/// Inference normalizes by the given statistics. Training normalizes by those of the batch and
/// gives running · momentum + batch · (1 − momentum), with the biased variance (divided by the
/// number of elements) as ONNX defines it; PyTorch keeps the unbiased one. The given statistics
/// have no gradient. Of an empty batch all results are zero.
///
/// S. Ioffe, C. Szegedy: "Batch normalization: accelerating deep network training by reducing
/// internal covariate shift", ICML 2015.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BatchNormalization {
    /// Added to the variance; at least 0.
    pub epsilon: f32,
    /// How much of the running statistics a step keeps, from 0 to 1.
    pub momentum: f32,
    /// Normalize by the statistics of the batch and update the running ones.
    pub training: bool,
}

impl Default for BatchNormalization {
    fn default() -> BatchNormalization {
        BatchNormalization { epsilon: 1e-5, momentum: 0.9, training: false }
    }
}

impl Op for BatchNormalization {
    fn name(&self) -> &'static str {
        "BatchNormalization"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |src| {
            expect_operands(src, 5..=5)?;
            let &[_, c, ..] = src[0].dims() else {
                return Err(OpError::mismatch(
                    "src [n, c, …]",
                    src[0].to_string(),
                    "Give the input a batch and a channel dimension.",
                ));
            };
            for (name, shape) in ["scale", "bias", "mean", "var"].into_iter().zip(&src[1..]) {
                if shape.dims() != [c] {
                    return Err(OpError::mismatch(
                        format!("{name} [{c}], as src has {c} channels"),
                        format!("{name} {shape} (src {})", src[0]),
                        "Give one number per channel.",
                    ));
                }
            }
            let mut dst = vec![src[0].clone()];
            if self.training {
                dst.extend(vec![Shape::new(&[c]); 4]);
            }
            Ok(dst)
        })
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        let Some(dy) = g.diff_dst(0) else { return Ok(()) };
        if !self.training && (g.needs(3) || g.needs(4)) {
            return Err(g.refuse());
        }
        if g.needs(0) || g.needs(1) || g.needs(2) {
            let [mean, var] =
                if self.training { [g.dst(3), g.dst(4)] } else { [g.src(3), g.src(4)] };
            let op = BatchNormalizationBackward { norm: self.clone(), relu: false };
            let diffs = g.emit(op, &[g.src(0), dy, g.src(1), mean, var])?;
            (0..3).for_each(|i| g.set(i, diffs[i]));
        }
        Ok(())
    }

    fn takes(&self, src: usize) -> Takes {
        if src == 0 { Takes::Bf16 } else { Takes::F32 }
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        self.compile_forward(false, compiler)
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(src, dst, if self.training { 7.0 } else { 2.0 })
    }

    fn with_activation(&self, activation: Activation) -> Option<Arc<dyn Op>> {
        let fits = activation == Activation::Relu && !self.training;
        fits.then(|| Arc::new(BatchNormalizationRelu { norm: self.clone() }) as Arc<dyn Op>)
    }
}

/// A batch normalization whose y passes a ReLU. In training there is one more result like x: what
/// tells the gradient where y was positive.
#[derive(Clone, Debug)]
pub(crate) struct BatchNormalizationRelu {
    pub norm: BatchNormalization,
}

impl Op for BatchNormalizationRelu {
    fn name(&self) -> &'static str {
        "BatchNormalizationRelu"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        let mut dst = self.norm.infer(src)?;
        if self.norm.training {
            dst.push(src[0].clone());
        }
        Ok(dst)
    }

    fn takes(&self, src: usize) -> Takes {
        if src == 0 { Takes::Bf16 } else { Takes::F32 }
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        self.norm.compile_forward(true, compiler)
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        self.norm.cost(src, dst)
    }
}

/// dx, dscale, dbias of a batch normalization. Sources: x, dy, scale, the mean and variance that x
/// was normalized by and, with a fused ReLU, where y was positive.
#[derive(Clone, Debug)]
pub(crate) struct BatchNormalizationBackward {
    pub norm: BatchNormalization,
    pub relu: bool,
}

impl Op for BatchNormalizationBackward {
    fn name(&self) -> &'static str {
        "BatchNormalizationBackward"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |src| Ok(vec![src[0].clone(), src[2].clone(), src[2].clone()]))
    }

    fn takes(&self, src: usize) -> Takes {
        if src < 2 { Takes::Bf16 } else { Takes::F32 }
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let norm = &self.norm;
        if compiler.onednn() {
            let x = compiler.src_descriptor(0)?;
            if let Some((_, pd)) = norm.both_directions(self.relu, compiler, &x)? {
                let dy = pd.diff_dst_md();
                let mut src = vec![(0, arg::SRC, x.clone()), (1, arg::DIFF_DST, dy)];
                let used = [arg::SCALE, arg::MEAN, arg::VARIANCE, arg::WORKSPACE];
                let used = used.into_iter().take(compiler.sources() - 2).enumerate();
                src.extend(used.map(|(i, arg)| (2 + i, arg, pd.exec_arg_md(arg))));
                let made = [arg::DIFF_SRC, arg::DIFF_SCALE, arg::DIFF_SHIFT];
                let dst = [0, 1, 2].map(|o| (o, made[o], pd.exec_arg_md(made[o])));
                return compiler.primitive(&pd, &src, &dst);
            }
        }
        let channels = Channels::of(compiler.src_shape(0));
        let Self { norm: BatchNormalization { epsilon, training, .. }, relu } = self.clone();
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            let (x, dy) = (src[0], src[1]);
            for c in 0..channels.c {
                let (scale, mean) = (src[2][c], src[3][c]);
                let inverse = 1.0 / (src[4][c] + epsilon).sqrt();
                let passed = |i: usize| if relu && src[5][i] == 0.0 { 0.0 } else { dy[i] };
                let (mut bias_sum, mut scale_sum) = (0.0, 0.0);
                for i in channels.elements(c) {
                    bias_sum += f64::from(passed(i));
                    scale_sum += f64::from(passed(i) * (x[i] - mean) * inverse);
                }
                (dst[1][c], dst[2][c]) = (scale_sum as f32, bias_sum as f32);
                // The batch's statistics depend on x too.
                let count = if training { channels.count() } else { f64::INFINITY };
                let (b, s) = ((bias_sum / count) as f32, (scale_sum / count) as f32);
                for i in channels.elements(c) {
                    let normalized = (x[i] - mean) * inverse;
                    dst[0][i] = scale * inverse * (passed(i) - b - normalized * s);
                }
            }
        })
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(src, dst, 9.0)
    }
}

impl BatchNormalization {
    fn compile_forward(&self, relu: bool, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        if compiler.onednn() {
            let x = compiler.src_descriptor(0)?;
            if self.training {
                if let Some((pd, _)) = self.both_directions(relu, compiler, &x)? {
                    return self.emit_training(relu, &pd, x, compiler);
                }
            } else if let Some(pd) = self.forward(PropKind::ForwardInference, relu, compiler, &x)? {
                let used = [arg::SRC, arg::SCALE, arg::SHIFT, arg::MEAN, arg::VARIANCE];
                let src = [0, 1, 2, 3, 4].map(|i| (i, used[i], pd.exec_arg_md(used[i])));
                return compiler.primitive(&pd, &src, &[(0, arg::DST, pd.dst_md(0))]);
            }
        }
        let channels = Channels::of(compiler.src_shape(0));
        let norm = self.clone();
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            let [y, statistics @ ..] = dst else { return };
            let (mut mean, mut var) = (src[3], src[4]);
            let mut mask = None;
            if let [new_mean, new_var, batch_mean, batch_var, rest @ ..] = statistics {
                channels.statistics(src[0], batch_mean, batch_var);
                norm.average(mean, batch_mean, new_mean);
                norm.average(var, batch_var, new_var);
                (mean, var) = (&**batch_mean, &**batch_var);
                mask = rest.first_mut();
            }
            for c in 0..channels.c {
                let factor = src[1][c] / (var[c] + norm.epsilon).sqrt();
                for i in channels.elements(c) {
                    let value = (src[0][i] - mean[c]) * factor + src[2][c];
                    y[i] = if relu { value.max(0.0) } else { value };
                }
            }
            if let Some(mask) = mask {
                mask.iter_mut().zip(&**y).for_each(|(m, &y)| *m = f32::from(u8::from(y > 0.0)));
            }
        })
    }

    /// oneDNN's primitive gives the batch's statistics; the running ones take a step of their own.
    fn emit_training(
        &self,
        relu: bool,
        pd: &PrimitiveDesc,
        x: MemoryDesc,
        compiler: &mut Compiler<'_>,
    ) -> Result<(), Error> {
        let of = |pd: &PrimitiveDesc, i: usize, arg: i32| (i, arg, pd.exec_arg_md(arg));
        let src = [(0, arg::SRC, x), of(pd, 1, arg::SCALE), of(pd, 2, arg::SHIFT)];
        let mut dst = vec![of(pd, 0, arg::DST), of(pd, 3, arg::MEAN), of(pd, 4, arg::VARIANCE)];
        if relu {
            dst.push(of(pd, 5, arg::WORKSPACE));
        }
        compiler.primitive(pd, &src, &dst)?;
        let norm = self.clone();
        let kernel = move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            norm.average(src[0], src[2], dst[0]);
            norm.average(src[1], src[3], dst[1]);
        };
        let src = [Operand::Src(3), Operand::Src(4), Operand::Dst(3), Operand::Dst(4)];
        compiler.kernel_on(kernel, &src, &[1, 2])
    }

    fn average(&self, running: &[f32], batch: &[f32], dst: &mut [f32]) {
        for ((new, running), batch) in dst.iter_mut().zip(running).zip(batch) {
            *new = running * self.momentum + batch * (1.0 - self.momentum);
        }
    }

    fn config(&self, relu: bool) -> batch_normalization::Config {
        batch_normalization::Config {
            epsilon: self.epsilon,
            use_global_stats: !self.training,
            use_scale: true,
            use_shift: true,
            fuse_norm_relu: relu,
        }
    }

    fn forward(
        &self,
        prop: PropKind,
        relu: bool,
        compiler: &Compiler<'_>,
        x: &MemoryDesc,
    ) -> Result<Option<PrimitiveDesc>, Error> {
        let config = self.config(relu);
        compiler.offered(batch_normalization::forward(prop, x, x, &config, &Attr::new()))
    }

    /// Both directions, or none: what a fused ReLU keeps is only understood by the same kernel.
    fn both_directions(
        &self,
        relu: bool,
        compiler: &Compiler<'_>,
        x: &MemoryDesc,
    ) -> Result<Option<(PrimitiveDesc, PrimitiveDesc)>, Error> {
        let forward = self.forward(PropKind::ForwardTraining, relu, compiler, x)?;
        let Some(forward) = forward else { return Ok(None) };
        let (prop, config) = (PropKind::Backward, self.config(relu));
        let backward = batch_normalization::backward(prop, x, x, x, &config, &forward);
        Ok(compiler.offered(backward)?.map(|backward| (forward, backward)))
    }
}

/// Where the elements of each channel are in a row-major [n, c, …].
#[derive(Clone, Copy, Debug)]
struct Channels {
    n: usize,
    c: usize,
    plane: usize,
}

impl Channels {
    /// Of a shape that `infer` accepted.
    fn of(x: &Shape) -> Channels {
        let (outer, inner) = x.dims().split_at(2);
        Channels { n: outer[0], c: outer[1], plane: inner.iter().product() }
    }

    fn elements(self, c: usize) -> impl Iterator<Item = usize> {
        (0..self.n).flat_map(move |n| {
            let start = (n * self.c + c) * self.plane;
            start..start + self.plane
        })
    }

    /// Elements per channel.
    fn count(self) -> f64 {
        (self.n * self.plane) as f64
    }

    /// Mean and biased variance of each channel, summed in f64.
    fn statistics(self, x: &[f32], mean: &mut [f32], var: &mut [f32]) {
        for c in 0..self.c {
            let sum: f64 = self.elements(c).map(|i| f64::from(x[i])).sum();
            let center = sum / self.count();
            let squares: f64 = self.elements(c).map(|i| (f64::from(x[i]) - center).powi(2)).sum();
            (mean[c], var[c]) = (center as f32, (squares / self.count()) as f32);
        }
    }
}
