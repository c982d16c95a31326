//! The graphs in which a case is run.

use super::{Case, Operand};
use nn::ops::{Cast, Gemm, MeanSquaredError, Mul, Reshape, Unsqueeze};
use nn::{Graph, Initializer, ParameterKind, ParameterTable, TensorType, ValueId, differentiate};
use oracle::{Array, ops::loss};
use tensor::{DType, Shape, Tensor};

/// A case with a loss behind it, differentiated by some of its operands.
pub struct Training {
    /// The graph; its output is the loss of each sample.
    pub graph: Graph,
    /// The operands that it is differentiated by, one after the other.
    pub weights: Vec<f32>,
    /// Its inputs.
    pub inputs: Vec<Tensor>,
    target: Array,
    scale: f64,
}

/// What is put around an op.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Alone,
    Gated,
    BetweenProducts,
}

/// The value as it is, if it is f32 the result of a product.
fn product_by_one(graph: &mut Graph, value: ValueId) -> ValueId {
    let ty = graph.tensor_type(value).clone();
    if ty.dtype != DType::F32 || ty.shape.is_empty() {
        return value;
    }
    let n = ty.dims().last().copied().unwrap_or(1);
    let ones = (0..n * n).map(|i| if i % (n + 1) == 0 { 1.0f32 } else { 0.0 }).collect::<Vec<_>>();
    let ones = graph.constant(Tensor::new([n, n], ones).unwrap());
    let dims = |dims: &[usize]| dims.iter().map(|&dim| dim as i64).collect();
    let rows = Reshape { shape: dims(&[ty.shape.len() / n, n]) };
    let rows = graph.add("rows", rows, &[value]).unwrap()[0];
    let same = graph.add("one", Gemm::default(), &[rows, ones]).unwrap()[0];
    graph.add("back", Reshape { shape: dims(ty.dims()) }, &[same]).unwrap()[0]
}

impl Case {
    /// The op alone, all operands given at run time, with its first `results` as outputs.
    pub fn forward(&self, results: usize) -> (Graph, Vec<Tensor>) {
        let mut graph = Graph::new(ParameterTable::new());
        let inputs: Vec<Tensor> = self.operands.iter().map(Operand::tensor).collect();
        let src: Vec<ValueId> =
            inputs.iter().map(|tensor| graph.input("operand", TensorType::of(tensor))).collect();
        for &value in self.add(&mut graph, &src).iter().take(results) {
            graph.output("result", value);
        }
        (graph, inputs)
    }

    /// The op on constants.
    pub fn constant(&self) -> (Graph, Vec<ValueId>) {
        let mut graph = Graph::new(ParameterTable::new());
        let src: Vec<ValueId> =
            self.operands.iter().map(|operand| graph.constant(operand.tensor())).collect();
        let dst = self.add(&mut graph, &src);
        (graph, dst)
    }

    /// The op, the mean squared error of its first result (unless that is a loss itself) against
    /// scattered numbers, and the gradients by the operands `by`.
    pub fn training(&self, by: &[usize]) -> Training {
        self.build(by, Way::Alone)
    }

    /// [`Case::training`] with a product by one around each operand and the first result, so that a
    /// plan in bf16 hands them over in it where the op takes that.
    pub fn training_between_products(&self, by: &[usize]) -> Training {
        self.build(by, Way::BetweenProducts)
    }

    /// [`Case::training`] by all operands, each multiplied by an input before. Without that, what
    /// depends on weights alone is computed once and not in each run.
    pub fn timed_training(&self) -> Training {
        let by = (0..self.operands.len()).filter(|&i| self.operands[i].differentiable);
        self.build(&by.collect::<Vec<_>>(), Way::Gated)
    }

    fn build(&self, by: &[usize], way: Way) -> Training {
        let operands = self.arrays();
        let mut parameters = ParameterTable::new();
        let mut weights = Vec::new();
        for &i in by {
            let (shape, kind) = (Shape::new(&operands[i].dims), ParameterKind::Trainable);
            parameters.push(&i.to_string(), shape, kind, Initializer::Zeros).unwrap();
            weights.extend(operands[i].to_f32());
        }
        let mut graph = Graph::new(parameters);
        let mut inputs = Vec::new();
        let mut src = Vec::new();
        for (i, operand) in self.operands.iter().enumerate() {
            src.push(if by.contains(&i) {
                graph.parameter(&i.to_string()).unwrap()
            } else {
                inputs.push(operand.tensor());
                graph.input("operand", TensorType::of(&inputs[inputs.len() - 1]))
            });
        }
        if way == Way::Gated {
            let gate = graph.input("gate", Shape::new(&[1]));
            inputs.push(Tensor::vector(vec![1.0f32]));
            for &i in by {
                src[i] = graph.add("gate", Mul::default(), &[src[i], gate]).unwrap()[0];
            }
        }
        if way == Way::BetweenProducts {
            src.iter_mut().for_each(|value| *value = product_by_one(&mut graph, *value));
        }
        let mut y = self.add(&mut graph, &src)[0];
        if way == Way::BetweenProducts && !self.is_loss {
            y = product_by_one(&mut graph, y);
        }
        if graph.tensor_type(y).dtype != DType::F32 {
            y = graph.add("loss", Cast { to: DType::F32 }, &[y]).unwrap()[0];
        }
        if graph.shape(y).rank() == 0 {
            // A loss is one per sample.
            y = graph.add("loss", Unsqueeze { axes: vec![0] }, &[y]).unwrap()[0];
        }
        let shape = graph.shape(y).clone();
        let target = Array::sample(shape.dims(), 99).map(|t| f64::from(t as f32));
        // So that the gradient by y is y − target.
        let scale = (shape.len() / shape.dims()[0].max(1)) as f64 / 2.0;
        let loss = if self.is_loss {
            y
        } else {
            let [t, s] = [shape, Shape::new(&[1])].map(|shape| graph.input("loss", shape));
            inputs.push(Tensor::new(&target.dims[..], target.to_f32()).unwrap());
            inputs.push(Tensor::vector(vec![scale as f32]));
            graph.add("loss", MeanSquaredError::default(), &[y, t, s]).unwrap()[0]
        };
        graph.output("loss", loss);
        differentiate(&mut graph, loss).unwrap();
        Training { graph, weights, inputs, target, scale }
    }

    /// The number whose gradient a training computes, for these operands, in f64.
    pub fn total(&self, training: &Training, operands: &[Array]) -> f64 {
        let y = &self.expected(operands)[0];
        if self.is_loss {
            return y.data.iter().sum::<f64>() * operands[2].data[0];
        }
        let y = Array::new(&training.target.dims, y.data.clone());
        let losses = loss::mean_squared_error(&y, &training.target);
        losses.data.iter().sum::<f64>() * training.scale
    }
}
