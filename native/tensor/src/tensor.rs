use crate::{DType, Data, Element, Error, Held, Shape, View, ViewMut, for_dtype, for_elements};

/// Elements of any type in row-major order, with their shape; owned.
///
/// ```
/// use tensor::{DType, Tensor};
/// let tensor = Tensor::new([2, 2], vec![1i64, 2, 3, 4])?;
/// assert_eq!((tensor.dtype(), tensor.get::<i64>()?), (DType::I64, &[1, 2, 3, 4][..]));
/// assert_eq!(tensor.cast(DType::F32).get::<f32>()?, [1.0, 2.0, 3.0, 4.0]);
/// # Ok::<(), tensor::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    shape: Shape,
    data: Data,
}

impl Tensor {
    /// A tensor of these elements.
    ///
    /// # Errors
    /// [`Error::Count`] unless there are as many as the shape has.
    pub fn new(shape: impl Into<Shape>, data: impl Into<Data>) -> Result<Tensor, Error> {
        let (shape, data) = (shape.into(), data.into());
        if shape.len() != data.len() {
            return Err(Error::Count { expected: shape.len(), got: data.len() });
        }
        Ok(Tensor { shape, data })
    }

    /// A tensor of one element and no dimension.
    pub fn scalar<T: Held>(element: T) -> Tensor {
        Tensor { shape: Shape::default(), data: T::hold(vec![element]) }
    }

    /// A tensor of one dimension.
    pub fn vector<T: Held>(elements: Vec<T>) -> Tensor {
        Tensor { shape: Shape::from([elements.len()]), data: T::hold(elements) }
    }

    /// All zeros, or all false.
    pub fn zeros(dtype: DType, shape: impl Into<Shape>) -> Tensor {
        let shape = shape.into();
        let data = Data::zeros(dtype, shape.len());
        Tensor { shape, data }
    }

    /// Type of the elements.
    pub fn dtype(&self) -> DType {
        self.data.dtype()
    }

    /// The shape.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The dimensions, slowest first.
    pub fn dims(&self) -> &[usize] {
        self.shape.dims()
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.data.len()
    }

    /// True if there is no element.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// The elements.
    pub fn data(&self) -> &Data {
        &self.data
    }

    /// The elements, without the tensor.
    pub fn into_data(self) -> Data {
        self.data
    }

    /// The elements, to be read.
    pub fn view(&self) -> View<'_> {
        self.data.view()
    }

    /// The elements, to be written.
    pub fn view_mut(&mut self) -> ViewMut<'_> {
        self.data.view_mut()
    }

    /// The elements of a known type.
    ///
    /// # Errors
    /// [`Error::DType`] if they have another type.
    pub fn get<T: Held>(&self) -> Result<&[T], Error> {
        self.view().get()
    }

    /// The elements of a known type, without the tensor.
    ///
    /// # Errors
    /// [`Error::DType`] if they have another type.
    pub fn into_vec<T: Held>(self) -> Result<Vec<T>, Error> {
        let got = self.dtype();
        T::of_data(self.data).map_err(|_| Error::DType { expected: T::DTYPE, got })
    }

    /// The same elements under other dimensions.
    ///
    /// # Errors
    /// [`Error::Count`] unless the number of elements is the same.
    pub fn reshaped(self, shape: impl Into<Shape>) -> Result<Tensor, Error> {
        Tensor::new(shape, self.data)
    }

    /// The elements converted by the rules of [`Element::from_wide`].
    pub fn cast(&self, to: DType) -> Tensor {
        if to == self.dtype() {
            return self.clone();
        }
        let data = for_elements!(Data, &self.data, elements => for_dtype!(to, T => Data::from(
            elements.iter().map(|e| T::from_wide(e.wide())).collect::<Vec<T>>()
        )));
        Tensor { shape: self.shape.clone(), data }
    }

    /// The elements as 64-bit integers; what indices, axes and shapes are read with.
    ///
    /// # Errors
    /// [`Error::DType`] if the elements are no integers.
    pub fn to_i64s(&self) -> Result<Vec<i64>, Error> {
        if !self.dtype().is_integer() {
            return Err(Error::DType { expected: DType::I64, got: self.dtype() });
        }
        self.cast(DType::I64).into_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use half::{bf16, f16};

    fn cast<A: Held, B: Held>(from: Vec<A>) -> Vec<B> {
        Tensor::vector(from).cast(B::DTYPE).into_vec().unwrap()
    }

    #[test]
    fn elements_of_another_type_are_refused_by_name() {
        let error = Tensor::scalar(1i64).get::<f32>().unwrap_err();
        assert_eq!(error.to_string(), "elements: expected f32, got i64. Cast the tensor first");
        assert!(Tensor::new([3], vec![1.0f32]).is_err());
    }

    #[test]
    fn every_type_converts_to_every_other() {
        for from in DType::ALL {
            for to in DType::ALL {
                let ones = Tensor::vector(vec![0.0f32, 1.0]).cast(from).cast(to);
                assert_eq!(ones.dtype(), to);
                assert_eq!(ones.cast(DType::F64).get::<f64>().unwrap(), [0.0, 1.0], "{from} {to}");
            }
        }
    }

    #[test]
    fn floats_round_to_even_and_towards_zero_to_integers() {
        assert_eq!(cast::<_, i32>(vec![1.9f32, -1.9, 0.5, f32::NAN]), [1, -1, 0, 0]);
        assert_eq!(cast::<_, u8>(vec![300.0f32, -5.0]), [255, 0]);
        assert_eq!(cast::<_, f16>(vec![65_520.0f32, 1.0 + 1.0 / 2048.0])[0], f16::INFINITY);
        assert_eq!(cast::<_, f16>(vec![1.0f32 + 1.0 / 2048.0]), [f16::ONE]);
        assert_eq!(cast::<_, bf16>(vec![1.0f32 + 1.0 / 256.0]), [bf16::ONE]);
    }

    #[test]
    fn integers_wrap_and_large_ones_keep_all_digits() {
        assert_eq!(cast::<_, i8>(vec![200i64, -129]), [-56, 127]);
        assert_eq!(cast::<_, i64>(vec![u64::MAX, (1 << 53) + 1]), [-1, (1 << 53) + 1]);
        assert_eq!(cast::<_, f32>(vec![u64::MAX]), [18_446_744_073_709_551_615.0]);
        assert_eq!(cast::<_, bool>(vec![0.0f32, -0.0, 0.1, f32::NAN]), [false, false, true, true]);
    }

    #[test]
    fn only_integers_are_read_as_indices() {
        assert_eq!(Tensor::vector(vec![1i32, -1]).to_i64s().unwrap(), [1, -1]);
        assert!(Tensor::scalar(1.0f32).to_i64s().is_err());
        assert!(Tensor::scalar(true).to_i64s().is_err());
    }
}
