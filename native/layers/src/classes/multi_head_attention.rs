use crate::layer::{Layer, Scope, Weight, layer, single};
use crate::settings::Fan;
use crate::{Initializer, Misfit};
use nn::{ParameterKind, ValueId, ops};
use tensor::Shape;

layer! {
    /// Every step of a sequence looks at all steps (Vaswani et al., 2017).
    ///
    /// `q, k, v = qkv.weight · src + qkv.bias`, then in each head
    /// `softmax(q · kᵀ / √(inputs / num_heads)) · v`, then `dst = proj.weight · heads + proj.bias`.
    ///
    /// Shapes: src and dst `[steps, inputs]`, qkv.weight `[3 · inputs, inputs]`, qkv.bias
    /// `[3 · inputs]`, proj.weight `[inputs, inputs]`, proj.bias `[inputs]`.
    MultiHeadAttention(
        /// Number of heads; divides the inputs.
        num_heads: usize,
    ) {
        /// Whether a step sees only itself and the steps before it.
        causal: bool = false,
        /// Initial values of the weights.
        kernel_initializer: Initializer = Initializer::GlorotUniform,
        /// Initial values of the biases.
        bias_initializer: Initializer = Initializer::Zeros,
    }
}

impl Layer for MultiHeadAttention {
    fn output_shape(&self, src: &[Shape]) -> Result<Shape, Misfit> {
        let shape = single(src)?;
        match *shape.dims() {
            [_, inputs] if inputs % self.num_heads == 0 => Ok(shape.clone()),
            _ => Err(Misfit::new(
                format!(
                    "expected a sequence [steps, inputs] for {} heads, got {shape}",
                    self.num_heads
                ),
                "Choose a number of heads that divides the inputs.",
            )),
        }
    }

    fn weights(&self, src: &[Shape]) -> Vec<Weight> {
        let inputs = src[0].dims()[1];
        let weight = |name, units: usize, dims: &[usize], initializer: Initializer| Weight {
            name,
            shape: Shape::new(dims),
            kind: ParameterKind::Trainable,
            initializer: initializer.with(Fan { fan_in: inputs, fan_out: units }),
        };
        let (kernel, bias) = (self.kernel_initializer, self.bias_initializer);
        vec![
            weight("qkv.weight", 3 * inputs, &[3 * inputs, inputs], kernel),
            weight("qkv.bias", 3 * inputs, &[3 * inputs], bias),
            weight("proj.weight", inputs, &[inputs, inputs], kernel),
            weight("proj.bias", inputs, &[inputs], bias),
        ]
    }

    fn build(&self, scope: &mut Scope, src: &[ValueId]) -> Result<ValueId, nn::Error> {
        let dims: Vec<i64> = scope.shape(src[0]).dims().iter().map(|&dim| dim as i64).collect();
        let [batch, steps, inputs] = [dims[0], dims[1], dims[2]];
        let rows = |scope: &mut Scope, value, part: &str| {
            let flat = scope.add(ops::Reshape { shape: vec![batch * steps, inputs] }, &[value])?;
            let weight = scope.parameter(&format!("{part}.weight"))?;
            let bias = scope.parameter(&format!("{part}.bias"))?;
            let product = scope.add(ops::Gemm::new(false, true), &[flat, weight, bias])?;
            let columns = scope.shape(product).dims()[1] as i64;
            scope.add(ops::Reshape { shape: vec![batch, steps, columns] }, &[product])
        };
        let qkv = rows(scope, src[0], "qkv")?;
        let attention = ops::Attention {
            q_num_heads: self.num_heads,
            kv_num_heads: self.num_heads,
            is_causal: self.causal,
            packed: true,
            ..ops::Attention::default()
        };
        let heads = scope.add_all(attention, &[qkv])?[0];
        rows(scope, heads, "proj")
    }
}
