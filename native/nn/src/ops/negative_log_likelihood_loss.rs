//! The loss of log probabilities, with weights of classes and places that are ignored.

use super::softmax::{Form, SoftmaxBackward};
use crate::error::expect_operands;
use crate::op::{Cost, Op, elementwise_cost};
use crate::{Compiler, Error, Gradient, OpError, TensorType, ValueId};
use serde::{Deserialize, Serialize};
use tensor::{DType, Shape, Tensor, View, ViewMut};

/// What becomes of the losses of all places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reduction {
    /// They stay apart.
    None,
    /// Their sum.
    Sum,
    /// Their sum, divided by the sum of the weights of their classes.
    #[default]
    Mean,
}

/// loss\[n, …\] = −weight\[t\] · x\[n, t, …\] with the class t = target\[n, …\]. ONNX
/// `NegativeLogLikelihoodLoss`.
///
/// Sources: x \[n, classes, …\] of log probabilities, target \[n, …\] (i32 or i64), (optional) weight
/// \[classes\]. Result: loss \[n, …\], or one number if reduced. A class that is neither one of x nor
/// ignored is an error. The target has no gradient, nor has the weight.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NegativeLogLikelihoodLoss {
    /// Sum, mean or none.
    pub reduction: Reduction,
    /// Target whose places have no loss.
    pub ignore_index: Option<i64>,
}

/// [`NegativeLogLikelihoodLoss`] of the logarithm of softmax along axis 1. ONNX
/// `SoftmaxCrossEntropyLoss`.
///
/// Sources as there, with scores instead of log probabilities. Results: loss; log probabilities like
/// the scores.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SoftmaxCrossEntropyLoss {
    /// Sum, mean or none.
    pub reduction: Reduction,
    /// Target whose places have no loss.
    pub ignore_index: Option<i64>,
}

impl Op for NegativeLogLikelihoodLoss {
    fn name(&self) -> &'static str {
        "NegativeLogLikelihoodLoss"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        Ok(vec![infer(src, self.reduction)?])
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        if g.needs(0) {
            let diff = differentiate(self, g)?;
            g.set(0, diff);
        }
        Ok(())
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let (places, loss) = (Places::of(compiler.src_shape(0)), self.clone());
        compiler.typed_kernel(move |src: &[View<'_>], dst: &mut [ViewMut<'_>]| {
            loss.reduce(&places, src[0].get::<f32>()?, &src[1..], dst[0].get::<f32>()?)
        })
    }

    fn compiles(&self, src: &[DType]) -> bool {
        src.iter().enumerate().all(|(i, &dtype)| i == 1 || dtype == DType::F32)
    }

    fn takes_empty(&self) -> bool {
        true
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(src, dst, 2.0)
    }
}

impl Op for SoftmaxCrossEntropyLoss {
    fn name(&self) -> &'static str {
        "SoftmaxCrossEntropyLoss"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        Ok(vec![infer(src, self.reduction)?, src[0].clone()])
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        if !g.needs(0) {
            return Ok(());
        }
        let mut diff = differentiate(&self.likelihood(), g)?;
        if let Some(other) = g.diff_dst(1) {
            diff = g.emit(super::Add::default(), &[diff, other])?[0];
        }
        let backward = SoftmaxBackward(Form { axis: 1, log: true });
        let diff = g.emit(backward, &[g.dst(1), diff])?[0];
        g.set(0, diff);
        Ok(())
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let (places, loss) = (Places::of(compiler.src_shape(0)), self.likelihood());
        compiler.typed_kernel(move |src: &[View<'_>], dst: &mut [ViewMut<'_>]| {
            let [value, log] = dst else { return Ok(()) };
            let log = log.get::<f32>()?;
            places.log_softmax(src[0].get::<f32>()?, log);
            loss.reduce(&places, log, &src[1..], value.get::<f32>()?)
        })
    }

    fn compiles(&self, src: &[DType]) -> bool {
        self.likelihood().compiles(src)
    }

    fn takes_empty(&self) -> bool {
        true
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(src, &dst[1..], 5.0)
    }
}

impl SoftmaxCrossEntropyLoss {
    fn likelihood(&self) -> NegativeLogLikelihoodLoss {
        let Self { reduction, ignore_index } = *self;
        NegativeLogLikelihoodLoss { reduction, ignore_index }
    }
}

/// Type of the loss.
fn infer(src: &[&TensorType], reduction: Reduction) -> Result<TensorType, OpError> {
    expect_operands(src, 2..=3)?;
    let (x, target) = (src[0], src[1]);
    let fits = match x.dims() {
        &[n, classes, ref rest @ ..] => {
            target.dims() == [&[n], rest].concat()
                && src.get(2).is_none_or(|w| w.dims() == [classes] && w.dtype == x.dtype)
        }
        _ => false,
    };
    if fits && x.dtype.is_float() && matches!(target.dtype, DType::I32 | DType::I64) {
        let all = target.dims().to_vec();
        return Ok(x.with_shape(if reduction == Reduction::None { all } else { Vec::new() }));
    }
    let got: Vec<String> = src.iter().map(|ty| ty.to_string()).collect();
    Err(OpError::mismatch(
        "x [n, classes, …], target [n, …] of type i32 or i64 and a weight [classes] like x",
        got.join(", "),
        "Put the classes second, and cast the target.",
    ))
}

/// Adds the gradient of the log probabilities.
fn differentiate(loss: &NegativeLogLikelihoodLoss, g: &mut Gradient<'_>) -> Result<ValueId, Error> {
    if g.needs(2) {
        return Err(g.refuse());
    }
    // A loss that nothing depends on is what is made small.
    let seed = match g.diff_dst(0) {
        Some(diff) => diff,
        None => {
            let shape = g.shape(g.dst(0));
            let ones = vec![1.0f32; shape.len()];
            let ones = Tensor::new(shape, ones).expect("as many as the shape has");
            g.constant(ones)
        }
    };
    let shape = g.shape(g.src(0));
    let mut src = vec![seed];
    src.extend((1..g.sources()).map(|i| g.src(i)));
    Ok(g.emit(Backward { loss: loss.clone(), shape }, &src)?[0])
}

/// −weight · dy at the class of each place, else 0. Sources: dy, target, (optional) weight.
#[derive(Clone, Debug)]
struct Backward {
    loss: NegativeLogLikelihoodLoss,
    shape: Shape,
}

impl Op for Backward {
    fn name(&self) -> &'static str {
        "NegativeLogLikelihoodLossBackward"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        Ok(vec![src[0].with_shape(self.shape.clone())])
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let (places, loss) = (Places::of(&self.shape), self.loss.clone());
        compiler.typed_kernel(move |src: &[View<'_>], dst: &mut [ViewMut<'_>]| {
            let (dy, dx) = (src[0].get::<f32>()?, dst[0].get::<f32>()?);
            let mut total = 0.0;
            loss.each(&places, &src[1..], |_, _, weight| total += weight)?;
            dx.fill(0.0);
            loss.each(&places, &src[1..], |place, at, weight| {
                dx[at] = match loss.reduction {
                    Reduction::None => -weight * dy[place],
                    Reduction::Sum => -weight * dy[0],
                    Reduction::Mean => -weight * dy[0] / total,
                };
            })
        })
    }

    fn compiles(&self, src: &[DType]) -> bool {
        self.loss.compiles(src)
    }

    fn takes_empty(&self) -> bool {
        true
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(src, dst, 1.0)
    }
}

impl NegativeLogLikelihoodLoss {
    /// Calls `visit` with the number of each place that is not ignored, where its class is among the
    /// log probabilities, and the weight of the class. Sources: target, (optional) weight.
    fn each(
        &self,
        places: &Places,
        src: &[View<'_>],
        mut visit: impl FnMut(usize, usize, f32),
    ) -> Result<(), OpError> {
        let weights = src.get(1).map(|weights| weights.get::<f32>()).transpose()?;
        let class = |place: usize| match src[0] {
            View::I32(classes) => Ok(i64::from(classes[place])),
            classes => classes.get::<i64>().map(|classes| classes[place]),
        };
        for place in 0..places.n * places.inner {
            let class = class(place)?;
            if self.ignore_index == Some(class) {
                continue;
            }
            let Some(c) = usize::try_from(class).ok().filter(|&c| c < places.classes) else {
                return Err(OpError::mismatch(
                    format!("targets below {}", places.classes),
                    format!("target {class}"),
                    "Count classes from 0, or ignore this one.",
                ));
            };
            visit(place, places.at(place, c), weights.map_or(1.0, |weights| weights[c]));
        }
        Ok(())
    }

    fn reduce(
        &self,
        places: &Places,
        log: &[f32],
        src: &[View<'_>],
        loss: &mut [f32],
    ) -> Result<(), OpError> {
        let (mut sum, mut total) = (0.0f64, 0.0f64);
        loss.fill(0.0);
        self.each(places, src, |place, at, weight| {
            if self.reduction == Reduction::None {
                loss[place] = -weight * log[at];
            }
            sum -= f64::from(weight) * f64::from(log[at]);
            total += f64::from(weight);
        })?;
        match self.reduction {
            Reduction::None => {}
            Reduction::Sum => loss[0] = sum as f32,
            Reduction::Mean => loss[0] = (sum / total) as f32,
        }
        Ok(())
    }
}

/// \[n, classes, …\] as \[n, classes, inner\].
#[derive(Clone, Copy, Debug)]
struct Places {
    n: usize,
    classes: usize,
    inner: usize,
}

impl Places {
    fn of(x: &Shape) -> Places {
        let dims = x.dims();
        Places { n: dims[0], classes: dims[1], inner: dims[2..].iter().product() }
    }

    /// Where class `c` of a place is.
    fn at(&self, place: usize, c: usize) -> usize {
        (place / self.inner * self.classes + c) * self.inner + place % self.inner
    }

    fn log_softmax(&self, x: &[f32], log: &mut [f32]) {
        for place in 0..self.n * self.inner {
            let all = || (0..self.classes).map(|c| self.at(place, c));
            let max = all().fold(f32::NEG_INFINITY, |max, at| max.max(x[at]));
            let sum: f64 = all().map(|at| f64::from(x[at] - max).exp()).sum();
            let shift = sum.ln() as f32;
            all().for_each(|at| log[at] = x[at] - max - shift);
        }
    }
}
