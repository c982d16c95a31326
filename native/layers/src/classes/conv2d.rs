use crate::layer::{Layer, Scope, Weight, layer, single};
use crate::settings::{Fan, Window};
use crate::{ActivationFunction, Initializer, Misfit, Padding};
use nn::{ParameterKind, ValueId, ops};
use tensor::Shape;

layer! {
    /// Convolution over images (strictly: cross-correlation, as everywhere in deep learning).
    ///
    /// `dst[o, y, x] = activation(bias[o] + Σ weight[o, i, r, c] ·
    /// src[i, y · stride + r · dilation − top, x · stride + c · dilation − left])`
    ///
    /// Shapes: src `[channels, height, width]`, dst `[filters, height', width']`, weight
    /// `[filters, channels / groups, kernel height, kernel width]`, bias `[filters]`.
    Conv2D(
        /// Number of output channels; a multiple of `groups`.
        filters: usize,
        /// Height and width of the kernel.
        kernel_size: [usize; 2],
    ) {
        /// Rows and columns from one position of the kernel to the next.
        strides: [usize; 2] = [1, 1],
        /// Zeros around the image.
        padding: Padding = Padding::Valid,
        /// Distance between neighbouring elements of the kernel; 1 is a dense kernel.
        dilation_rate: [usize; 2] = [1, 1],
        /// Number of groups of channels that are convolved separately; divides the number of
        /// channels and `filters`. As many as there are channels: a depthwise convolution.
        groups: usize = 1,
        /// Function applied to the result.
        activation: ActivationFunction = ActivationFunction::Linear,
        /// Whether a bias is added.
        use_bias: bool = true,
        /// Initial values of the weights.
        kernel_initializer: Initializer = Initializer::GlorotUniform,
        /// Initial values of the bias.
        bias_initializer: Initializer = Initializer::Zeros,
    }
}

impl Conv2D {
    fn window(&self) -> Window {
        Window {
            what: "kernel",
            size: self.kernel_size,
            strides: self.strides,
            dilation: self.dilation_rate,
            padding: self.padding,
        }
    }
}

impl Layer for Conv2D {
    fn output_shape(&self, src: &[Shape]) -> Result<Shape, Misfit> {
        let [channels, height, width] = Window::image(single(src)?.dims())?;
        if [channels, self.filters].iter().any(|count| !count.is_multiple_of(self.groups)) {
            return Err(Misfit::new(
                format!(
                    "groups {} does not divide the {channels} channels and {} filters",
                    self.groups, self.filters
                ),
                "Choose a number of groups that divides both.",
            ));
        }
        let [height, width] = self.window().output([height, width])?;
        Ok(Shape::new(&[self.filters, height, width]))
    }

    fn weights(&self, src: &[Shape]) -> Vec<Weight> {
        let channels = src[0].dims()[0] / self.groups;
        let [height, width] = self.kernel_size;
        let taps = height.saturating_mul(width);
        let fan = Fan {
            fan_in: channels.saturating_mul(taps),
            fan_out: self.filters.saturating_mul(taps),
        };
        let mut weights = vec![Weight {
            name: "weight",
            shape: Shape::new(&[self.filters, channels, height, width]),
            kind: ParameterKind::Trainable,
            initializer: self.kernel_initializer.with(fan),
        }];
        if self.use_bias {
            weights.push(Weight {
                name: "bias",
                shape: Shape::new(&[self.filters]),
                kind: ParameterKind::Trainable,
                initializer: self.bias_initializer.with(fan),
            });
        }
        weights
    }

    fn build(&self, scope: &mut Scope, src: &[ValueId]) -> Result<ValueId, nn::Error> {
        let dims = scope.shape(src[0]).dims().to_vec();
        let mut operands = vec![src[0], scope.parameter("weight")?];
        if self.use_bias {
            operands.push(scope.parameter("bias")?);
        }
        let conv = ops::Conv::new(
            &self.kernel_size,
            &self.strides,
            &self.window().pads([dims[2], dims[3]]),
            &self.dilation_rate,
            self.groups,
        );
        let result = scope.add(conv, &operands)?;
        self.activation.build(scope, result)
    }
}
