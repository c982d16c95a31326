/// A dense row-major tensor of f64.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Extent of each dimension, slowest first; empty for a scalar.
    pub dims: Vec<usize>,
    /// The elements in row-major order.
    pub data: Vec<f64>,
}

impl Array {
    /// An array of these elements.
    ///
    /// # Panics
    /// If the number of elements is not the product of `dims`.
    pub fn new(dims: &[usize], data: Vec<f64>) -> Self {
        assert_eq!(data.len(), dims.iter().product::<usize>(), "elements of {dims:?}");
        Array { dims: dims.to_vec(), data }
    }

    /// All zeros.
    pub fn zeros(dims: &[usize]) -> Self {
        Array::new(dims, vec![0.0; dims.iter().product()])
    }

    /// The array whose element at each index is `f(index)`.
    pub fn from_fn(dims: &[usize], mut f: impl FnMut(&[usize]) -> f64) -> Self {
        Array::new(dims, indices(dims).map(|index| f(&index)).collect())
    }

    /// Copy of f32 elements.
    pub fn from_f32(dims: &[usize], data: &[f32]) -> Self {
        Array::new(dims, data.iter().map(|&value| value.into()).collect())
    }

    /// The elements rounded to f32.
    pub fn to_f32(&self) -> Vec<f32> {
        self.data.iter().map(|&value| value as f32).collect()
    }

    /// Scattered values in (-1, 1), different for each seed; the same in every run.
    pub fn sample(dims: &[usize], seed: u64) -> Self {
        // The golden ratio's multiples modulo 1 are evenly spread and no two are equal.
        let start = seed as f64 * 0.754_877_666;
        let value = |i: usize| 2.0 * ((start + (i + 1) as f64 * 0.618_033_988_75) % 1.0) - 1.0;
        Array::new(dims, (0..dims.iter().product()).map(value).collect())
    }

    /// The element at `index`.
    pub fn at(&self, index: &[usize]) -> f64 {
        self.data[self.offset(index)]
    }

    /// The element at `index`, to be changed.
    pub fn at_mut(&mut self, index: &[usize]) -> &mut f64 {
        let offset = self.offset(index);
        &mut self.data[offset]
    }

    /// Position of `index` in the row-major elements.
    pub fn offset(&self, index: &[usize]) -> usize {
        assert_eq!(index.len(), self.dims.len(), "index {index:?} of {:?}", self.dims);
        index.iter().zip(&self.dims).fold(0, |offset, (&i, &dim)| {
            assert!(i < dim, "index {index:?} of {:?}", self.dims);
            offset * dim + i
        })
    }

    /// `f` of every element.
    pub fn map(&self, f: impl Fn(f64) -> f64) -> Self {
        Array::new(&self.dims, self.data.iter().map(|&value| f(value)).collect())
    }

    /// `f` of every pair of elements of two arrays of one shape.
    pub fn zip(&self, other: &Array, f: impl Fn(f64, f64) -> f64) -> Self {
        assert_eq!(self.dims, other.dims, "shapes of the two arrays");
        Array::new(&self.dims, self.data.iter().zip(&other.data).map(|(&a, &b)| f(a, b)).collect())
    }

    /// The sum of the products of the elements of two arrays of one shape.
    pub fn dot(&self, other: &Array) -> f64 {
        self.zip(other, |a, b| a * b).data.iter().sum()
    }

    /// The largest absolute difference of the elements of two arrays of one shape; NaN if any is.
    pub fn distance(&self, other: &Array) -> f64 {
        let differences = self.zip(other, |a, b| (a - b).abs()).data;
        differences.into_iter().fold(0.0, |m, d| if d > m || d.is_nan() { d } else { m })
    }
}

/// All indices of a shape in row-major order.
pub(crate) fn indices(dims: &[usize]) -> impl Iterator<Item = Vec<usize>> + '_ {
    (0..dims.iter().product()).map(move |mut offset: usize| {
        let mut index = vec![0; dims.len()];
        for (i, &dim) in index.iter_mut().zip(dims).rev() {
            (*i, offset) = (offset % dim, offset / dim);
        }
        index
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_run_in_row_major_order() {
        let array = Array::from_fn(&[2, 3, 2], |i| (100 * i[0] + 10 * i[1] + i[2]) as f64);
        assert_eq!(array.data[..7], [0.0, 1.0, 10.0, 11.0, 20.0, 21.0, 100.0]);
        assert_eq!(array.at(&[1, 2, 1]), 121.0);
        assert_eq!(indices(&[]).collect::<Vec<_>>(), [Vec::<usize>::new()]);
        assert_eq!(indices(&[3, 0]).count(), 0);
    }

    #[test]
    fn a_nan_is_a_distance() {
        let (a, b) = (Array::new(&[2], vec![f64::NAN, 0.0]), Array::zeros(&[2]));
        assert!(a.distance(&b).is_nan());
    }
}
