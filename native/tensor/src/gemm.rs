//! Matrix product without oneDNN: the fallback of dense layers and convolutions.

/// A matrix of `rows`×`cols` over a slice: element (i, j) is `data[i * row_stride + j * col_stride]`.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    /// The numbers.
    pub data: &'a [f32],
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub cols: usize,
    /// Distance between rows.
    pub row_stride: usize,
    /// Distance between columns.
    pub col_stride: usize,
}

impl<'a> Matrix<'a> {
    /// Row-major matrix.
    pub fn new(data: &'a [f32], rows: usize, cols: usize) -> Matrix<'a> {
        Matrix { data, rows, cols, row_stride: cols, col_stride: 1 }
    }

    /// The same numbers with rows and columns exchanged.
    pub fn transposed(self) -> Matrix<'a> {
        Matrix {
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
            ..self
        }
    }

    fn last(&self) -> usize {
        (self.rows.max(1) - 1) * self.row_stride + (self.cols.max(1) - 1) * self.col_stride
    }
}

/// `c = alpha · a · b + beta · c` with `c` row-major of `a.rows`×`b.cols`; one thread, fixed order.
///
/// # Panics
/// If the extents do not fit each other or their slices: a bug of the calling kernel.
pub fn gemm(alpha: f32, a: Matrix<'_>, b: Matrix<'_>, beta: f32, c: &mut [f32]) {
    assert_eq!(c.len(), a.rows * b.cols, "gemm: c does not have the result's size");
    gemm_rows(alpha, a, b, beta, c, b.cols);
}

/// [`gemm`] into rows that begin `row_stride` apart; what lies between them stays.
///
/// # Panics
/// As [`gemm`].
pub fn gemm_rows(
    alpha: f32,
    a: Matrix<'_>,
    b: Matrix<'_>,
    beta: f32,
    c: &mut [f32],
    row_stride: usize,
) {
    assert_eq!(a.cols, b.rows, "gemm: columns of a and rows of b differ");
    if a.rows == 0 || b.cols == 0 {
        return;
    }
    let last = (a.rows - 1) * row_stride + b.cols;
    assert!(last <= c.len() && b.cols <= row_stride, "gemm: c does not have the result's rows");
    if a.cols == 0 {
        let rows = c.chunks_mut(row_stride).take(a.rows);
        rows.flat_map(|row| &mut row[..b.cols]).for_each(|v| *v *= beta);
        return;
    }
    assert!(a.last() < a.data.len() && b.last() < b.data.len(), "gemm: matrix leaves its slice");
    // SAFETY: every element that sgemm reads or writes lies inside the slices (asserted above);
    // c is a unique borrow, so it overlaps neither a nor b.
    unsafe {
        matrixmultiply::sgemm(
            a.rows,
            a.cols,
            b.cols,
            alpha,
            a.data.as_ptr(),
            a.row_stride as isize,
            a.col_stride as isize,
            b.data.as_ptr(),
            b.row_stride as isize,
            b.col_stride as isize,
            beta,
            c.as_mut_ptr(),
            row_stride as isize,
            1,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transposed_factor_is_read_by_its_strides() {
        let a = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let mut c = [1.0; 4];
        let m = Matrix::new(&a, 2, 3);
        gemm(1.0, m, m.transposed(), 1.0, &mut c);
        assert_eq!(c, [15.0, 33.0, 33.0, 78.0]);
    }

    #[test]
    fn what_lies_between_the_rows_of_the_result_stays() {
        let a = [1.0, 2.0, 3.0, 4.0];
        let mut c = [9.0; 5];
        let m = Matrix::new(&a, 2, 2);
        gemm_rows(1.0, m, m, 0.0, &mut c, 3);
        assert_eq!(c, [7.0, 10.0, 9.0, 15.0, 22.0]);
        gemm_rows(1.0, Matrix::new(&[], 2, 0), Matrix::new(&[], 0, 2), 2.0, &mut c, 3);
        assert_eq!(c, [14.0, 20.0, 9.0, 30.0, 44.0]);
    }

    #[test]
    fn an_empty_inner_dimension_leaves_beta_times_c() {
        let mut c = [2.0; 2];
        gemm(1.0, Matrix::new(&[], 2, 0), Matrix::new(&[], 0, 1), 0.5, &mut c);
        assert_eq!(c, [1.0; 2]);
    }
}
