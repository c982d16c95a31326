//! Sums of products by Einstein's convention.

use crate::Array;
use crate::array::indices;

/// The output of an equation that names every dimension by one letter, such as `"ij,jk->ik"`.
pub fn einsum(equation: &str, src: &[Array]) -> Array {
    let (left, right) = equation.split_once("->").expect("an equation with an output");
    let terms: Vec<Vec<char>> = left.split(',').map(|term| term.chars().collect()).collect();
    let mut letters: Vec<char> = terms.iter().flatten().copied().collect();
    letters.sort_unstable();
    letters.dedup();
    let at = |letter: char| letters.iter().position(|&l| l == letter).expect("a known letter");
    let mut dims = vec![0; letters.len()];
    for (term, array) in terms.iter().zip(src) {
        term.iter().zip(&array.dims).for_each(|(&letter, &dim)| dims[at(letter)] = dim);
    }
    let output: Vec<usize> = right.chars().map(|letter| dims[at(letter)]).collect();
    let mut y = Array::zeros(&output);
    for index in indices(&dims) {
        let of = |term: &[char]| term.iter().map(|&l| index[at(l)]).collect::<Vec<usize>>();
        let product: f64 = terms.iter().zip(src).map(|(term, array)| array.at(&of(term))).product();
        *y.at_mut(&of(&right.chars().collect::<Vec<_>>())) += product;
    }
    y
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_and_a_trace_have_known_numbers() {
        let a = Array::new(&[2, 2], vec![1.0, 2.0, 3.0, 4.0]);
        let b = Array::new(&[2], vec![5.0, 6.0]);
        assert_eq!(einsum("ij,j->i", &[a.clone(), b]).data, [17.0, 39.0]);
        assert_eq!(einsum("ii->", &[a]).data, [5.0]);
    }
}
