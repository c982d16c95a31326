//! Images of another size.

mod axis;

use crate::error::expect_operands;
use crate::op::{Cost, Op};
use crate::tensor_type::float_types;
use crate::{Compiler, Error, Gradient, OpError, TensorType};
pub(super) use axis::cubic;
use axis::{Axis, Sampled};
use serde::{Deserialize, Serialize};
use tensor::{DType, Shape, Tensor};

/// How a resized number is made of those around its place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interpolation {
    /// The nearest one.
    #[default]
    Nearest,
    /// A line through the two around it.
    Linear,
    /// A cubic through the four around it.
    Cubic,
}

/// Which place of the source a place of the result means; names as in ONNX.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the formulas are ONNX's")]
pub enum Coordinates {
    #[default]
    HalfPixel,
    HalfPixelSymmetric,
    PytorchHalfPixel,
    AlignCorners,
    Asymmetric,
    TfCropAndResize,
}

/// Which neighbour is the nearest; names as in ONNX.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Nearest {
    #[default]
    RoundPreferFloor,
    RoundPreferCeil,
    Floor,
    Ceil,
}

/// What becomes of the ratio of height and width if sizes are given; names as in ONNX.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AspectRatio {
    /// It is not kept.
    #[default]
    Stretch,
    /// It is kept, with no dimension larger than asked.
    NotLarger,
    /// It is kept, with no dimension smaller than asked.
    NotSmaller,
}

/// y = x read at other places, dimension by dimension. ONNX `Resize`; `Upsample` is this with
/// `Coordinates::Asymmetric` and `Nearest::Floor`.
///
/// Shapes: x any; y with ⌊scale · size⌋ or the given size along each of `axes`. Either `scales` or
/// `sizes` is given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Resize {
    /// How numbers are made.
    pub mode: Interpolation,
    /// Which places are read.
    pub coordinates: Coordinates,
    /// Which neighbour is the nearest.
    pub nearest: Nearest,
    /// Factor a of the cubic (Keys: "Cubic convolution interpolation for digital image
    /// processing", 1981).
    pub cubic_coeff_a: f32,
    /// Give no weight to places outside x, instead of repeating its border.
    pub exclude_outside: bool,
    /// What places outside x are with `Coordinates::TfCropAndResize`.
    pub extrapolation_value: f32,
    /// Widen the kernel when the result is smaller, so that all of x counts.
    pub antialias: bool,
    /// Dimensions that `scales`, `sizes` and `roi` are of; empty means all.
    pub axes: Vec<i64>,
    /// What becomes of the ratio of the sizes.
    pub aspect_ratio: AspectRatio,
    /// Size of the result by that of x; empty if `sizes` are given.
    pub scales: Vec<f32>,
    /// Size of the result; empty if `scales` are given.
    pub sizes: Vec<i64>,
    /// Begins, then ends, of what is read of x, as shares of it, with
    /// `Coordinates::TfCropAndResize`.
    pub roi: Vec<f32>,
}

impl Default for Resize {
    fn default() -> Resize {
        Resize {
            mode: Interpolation::Nearest,
            coordinates: Coordinates::HalfPixel,
            nearest: Nearest::RoundPreferFloor,
            cubic_coeff_a: -0.75,
            exclude_outside: false,
            extrapolation_value: 0.0,
            antialias: false,
            axes: vec![],
            aspect_ratio: AspectRatio::Stretch,
            scales: vec![],
            sizes: vec![],
            roi: vec![],
        }
    }
}

impl Resize {
    /// What each dimension that changes is read by.
    fn axes(&self, src: &Shape) -> Result<Vec<Axis>, OpError> {
        let rank = src.rank();
        let axes: Option<Vec<usize>> = match self.axes.is_empty() {
            true => Some((0..rank).collect()),
            false => self.axes.iter().map(|&axis| dimension(axis, rank)).collect(),
        };
        let given = self.scales.len().max(self.sizes.len());
        let wrong = |what: &str| {
            let got = format!(
                "scales {:?}, sizes {:?}, axes {:?}, roi {:?} of src {src}",
                self.scales, self.sizes, self.axes, self.roi
            );
            OpError::mismatch(what, got, "Give one number for each axis.")
        };
        let axes = axes
            .filter(|axes| axes.len() == given)
            .ok_or_else(|| wrong("a scale or a size for each axis"))?;
        let fits = self.scales.is_empty() != self.sizes.is_empty()
            && self.scales.iter().all(|&scale| scale > 0.0)
            && self.sizes.iter().all(|&size| size > 0);
        if !fits {
            return Err(wrong("positive scales or positive sizes"));
        }
        let crops = self.coordinates == Coordinates::TfCropAndResize;
        if crops && self.roi.len() != 2 * axes.len() {
            return Err(wrong("a roi of a begin and an end for each axis"));
        }
        let size = |i: usize| src.dims()[axes[i]] as f64;
        let ratios = (0..self.sizes.len()).map(|i| self.sizes[i] as f64 / size(i));
        let common = match self.aspect_ratio {
            AspectRatio::Stretch => None,
            AspectRatio::NotLarger => ratios.reduce(f64::min),
            AspectRatio::NotSmaller => ratios.reduce(f64::max),
        };
        let made = axes.iter().enumerate().map(|(i, &axis)| {
            let (scale, dst) = match (self.sizes.get(i), common) {
                (Some(_), Some(scale)) => (scale, (scale * size(i) + 0.5).floor() as usize),
                (Some(&to), None) => (to as f64 / size(i), to as usize),
                (None, _) => {
                    let scale = f64::from(self.scales[i]);
                    (scale, (scale * size(i)).floor() as usize)
                }
            };
            let roi = if crops { [self.roi[i], self.roi[i + axes.len()]] } else { [0.0, 1.0] };
            Axis { axis, src: src.dims()[axis], dst, scale, roi: roi.map(f64::from) }
        });
        let made: Vec<Axis> = made.collect();
        if made.iter().any(|axis| axis.src == 0 && axis.dst > 0) {
            return Err(wrong("elements along each axis"));
        }
        Ok(made)
    }

    fn shape(src: &Shape, axes: &[Axis]) -> Shape {
        let mut dims = src.dims().to_vec();
        axes.iter().for_each(|axis| dims[axis.axis] = axis.dst);
        dims.into()
    }

    /// All that is done, for a shape that `infer` accepted.
    fn passes(&self, src: &Shape) -> Passes {
        let axes = self.axes(src).expect("shapes were checked when the node was added");
        let changes = |axis: &&Axis| axis.src != axis.dst || axis.scale != 1.0 || self.crops();
        let sampled = axes.iter().filter(changes).map(|axis| axis.sample(self)).collect();
        Passes { src: src.clone(), sampled, outside: self.extrapolation_value }
    }

    fn crops(&self) -> bool {
        self.coordinates == Coordinates::TfCropAndResize
    }
}

/// Number of a dimension that may be counted from behind.
fn dimension(axis: i64, rank: usize) -> Option<usize> {
    let axis = if axis < 0 { axis + rank as i64 } else { axis };
    usize::try_from(axis).ok().filter(|&axis| axis < rank)
}

impl Op for Resize {
    fn name(&self) -> &'static str {
        "Resize"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        expect_operands(src, 1..=1)?;
        Ok(vec![src[0].with_shape(Resize::shape(&src[0].shape, &self.axes(&src[0].shape)?))])
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        if let (Some(diff), true) = (g.diff_dst(0), g.needs(0)) {
            let passes = self.passes(&g.shape(g.src(0)));
            let diff = g.emit(ResizeBackward { passes }, &[diff])?[0];
            g.set(0, diff);
        }
        Ok(())
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        expect_operands(src, 1..=1)?;
        if src[0].dtype() == DType::F32 {
            return Err(OpError::NotEvaluated);
        }
        self.axes(src[0].shape())?;
        let passes = self.passes(src[0].shape());
        let x = src[0].cast(DType::F64);
        let y = Tensor::new(passes.dst(), passes.forward(x.get::<f64>()?))?;
        Ok(vec![y.cast(src[0].dtype())])
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let passes = self.passes(compiler.src_shape(0));
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            dst[0].copy_from_slice(&passes.forward(src[0]));
        })
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        self.passes(&src[0]).cost(src, dst)
    }
}

/// dx of a resizing. Source: dy.
#[derive(Clone, Debug)]
struct ResizeBackward {
    passes: Passes,
}

impl Op for ResizeBackward {
    fn name(&self) -> &'static str {
        "ResizeBackward"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |_| Ok(vec![self.passes.src.clone()]))
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let passes = self.passes.clone();
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            dst[0].copy_from_slice(&passes.backward(src[0]));
        })
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        self.passes.cost(src, dst)
    }
}

/// The dimensions to be resized, one after the other.
#[derive(Clone, Debug)]
struct Passes {
    src: Shape,
    sampled: Vec<Sampled>,
    /// What is read outside the source where that is not clamped.
    outside: f32,
}

impl Passes {
    fn dst(&self) -> Shape {
        let mut dims = self.src.dims().to_vec();
        self.sampled.iter().for_each(|s| dims[s.axis] = s.rows.len());
        dims.into()
    }

    fn forward<T: axis::Real>(&self, x: &[T]) -> Vec<T> {
        let mut dims = self.src.dims().to_vec();
        let mut y = x.to_vec();
        for sampled in &self.sampled {
            y = sampled.forward(&y, &dims);
            dims[sampled.axis] = sampled.rows.len();
        }
        self.each_outside(&dims, |range| y[range].fill(T::of(self.outside.into())));
        y
    }

    fn backward(&self, dy: &[f32]) -> Vec<f32> {
        let mut dims = self.dst().dims().to_vec();
        let mut dx = dy.to_vec();
        self.each_outside(&dims, |range| dx[range].fill(0.0));
        for sampled in self.sampled.iter().rev() {
            dx = sampled.backward(&dx, &dims);
            dims[sampled.axis] = sampled.size;
        }
        dx
    }

    /// Visits what lies outside along any dimension.
    fn each_outside(&self, dims: &[usize], mut visit: impl FnMut(std::ops::Range<usize>)) {
        for sampled in &self.sampled {
            let inner: usize = dims[sampled.axis + 1..].iter().product();
            let outer: usize = dims[..sampled.axis].iter().product();
            for o in 0..outer {
                for (i, _) in sampled.rows.iter().enumerate().filter(|r| r.1.is_empty()) {
                    let start = (o * sampled.rows.len() + i) * inner;
                    visit(start..start + inner);
                }
            }
        }
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        let taps: usize = self.sampled.iter().map(|s| s.rows.first().map_or(0, Vec::len)).sum();
        crate::op::elementwise_cost(src, dst, 2.0 * taps as f64)
    }
}
