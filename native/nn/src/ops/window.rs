//! Arithmetic of sliding windows over one to three spatial dimensions, shared by convolution and
//! pooling. Inside, every window has three: missing ones are of size 1 and come first.

use crate::OpError;
use serde::{Deserialize, Serialize};
use tensor::Shape;

/// Most spatial dimensions that a window has.
pub(crate) const SPATIAL: usize = 3;

/// Who decides how a source is padded. ONNX `auto_pad`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AutoPad {
    /// The pads that are given.
    #[default]
    NotSet,
    /// As much as makes the result ⌈size / stride⌉ large; an odd place comes behind.
    SameUpper,
    /// As much as makes the result ⌈size / stride⌉ large; an odd place comes first.
    SameLower,
    /// Nothing.
    Valid,
}

/// The attributes of a window, one number per spatial dimension in each list; empty lists mean 1,
/// and 0 for `pads`, which hold the padding before each dimension and then behind each.
#[derive(Clone, Copy, Default)]
pub(crate) struct Attributes<'a> {
    pub kernel: &'a [usize],
    pub strides: &'a [usize],
    pub dilations: &'a [usize],
    pub pads: &'a [usize],
    pub auto_pad: AutoPad,
    /// Round the size of the result up.
    pub ceil: bool,
}

/// A window over a source of known size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Window {
    /// Number of spatial dimensions.
    pub rank: usize,
    pub src: [usize; SPATIAL],
    pub dst: [usize; SPATIAL],
    pub kernel: [usize; SPATIAL],
    pub strides: [usize; SPATIAL],
    pub dilations: [usize; SPATIAL],
    /// Padding before and behind.
    pub pads: [[usize; SPATIAL]; 2],
}

/// What a list of attributes says of each dimension.
fn spread(
    list: &[usize],
    rank: usize,
    default: usize,
    what: &str,
) -> Result<[usize; SPATIAL], OpError> {
    let mut all = [default; SPATIAL];
    match list.len() {
        0 => Ok([default; SPATIAL]),
        given if given == rank => {
            all[SPATIAL - rank..].copy_from_slice(list);
            Ok(all)
        }
        _ => Err(OpError::mismatch(
            format!("{what} for {rank} spatial dimensions"),
            format!("{list:?}"),
            "Give one number per spatial dimension.",
        )),
    }
}

impl Window {
    /// The window over these spatial dimensions.
    pub fn new(attributes: &Attributes<'_>, spatial: &[usize]) -> Result<Window, OpError> {
        let mut window = Window::padded(attributes, spatial)?;
        for d in SPATIAL - window.rank..SPATIAL {
            window.dst[d] = window.output(d, attributes.ceil)?;
        }
        Ok(window)
    }

    /// The window with its padding, but without a result.
    pub fn padded(attributes: &Attributes<'_>, spatial: &[usize]) -> Result<Window, OpError> {
        let rank = spatial.len();
        if !(1..=SPATIAL).contains(&rank) {
            return Err(OpError::mismatch(
                "one to three spatial dimensions",
                format!("{spatial:?}"),
                "Reshape the input to batch, channels and up to three others.",
            ));
        }
        let mut src = [1; SPATIAL];
        src[SPATIAL - rank..].copy_from_slice(spatial);
        let mut window = Window {
            rank,
            src,
            dst: [1; SPATIAL],
            kernel: spread(attributes.kernel, rank, 1, "kernel_shape")?,
            strides: spread(attributes.strides, rank, 1, "strides")?,
            dilations: spread(attributes.dilations, rank, 1, "dilations")?,
            pads: [[0; SPATIAL]; 2],
        };
        let all = [window.kernel, window.strides, window.dilations];
        if all.as_flattened().contains(&0) {
            return Err(OpError::mismatch(
                "kernel, strides and dilations of at least 1",
                format!("{:?}", all.each_ref().map(|list| window.of(list))),
                "Use positive numbers.",
            ));
        }
        window.pad(attributes)?;
        Ok(window)
    }

    fn pad(&mut self, attributes: &Attributes<'_>) -> Result<(), OpError> {
        let (rank, pads) = (self.rank, attributes.pads);
        match attributes.auto_pad {
            AutoPad::Valid => {}
            AutoPad::NotSet => {
                if !pads.is_empty() && pads.len() != 2 * rank {
                    let expected = match rank {
                        1 => "pads [begin, end]",
                        2 => "pads [top, left, bottom, right]",
                        _ => "pads [front, top, left, back, bottom, right]",
                    };
                    return Err(OpError::mismatch(
                        expected,
                        format!("{pads:?}"),
                        "Give the padding before, then behind, each spatial dimension.",
                    ));
                }
                let (before, behind) = pads.split_at(pads.len() / 2);
                self.pads = [spread(before, rank, 0, "pads")?, spread(behind, rank, 0, "pads")?];
            }
            AutoPad::SameUpper | AutoPad::SameLower => {
                for d in 0..SPATIAL {
                    let windows = self.src[d].div_ceil(self.strides[d]);
                    let needed = (windows.max(1) - 1) * self.strides[d] + self.extent(d);
                    self.share(d, needed.saturating_sub(self.src[d]), attributes.auto_pad);
                }
            }
        }
        Ok(())
    }

    /// Splits a padding of dimension `d` in two halves.
    pub fn share(&mut self, d: usize, total: usize, auto_pad: AutoPad) {
        let (less, more) = (total / 2, total - total / 2);
        let (before, behind) =
            if auto_pad == AutoPad::SameUpper { (less, more) } else { (more, less) };
        (self.pads[0][d], self.pads[1][d]) = (before, behind);
    }

    /// The part of a list that belongs to dimensions which the source has.
    pub fn of<'l>(&self, list: &'l [usize; SPATIAL]) -> &'l [usize] {
        &list[SPATIAL - self.rank..]
    }

    /// Extent of the dilated kernel in dimension `d`.
    pub fn extent(&self, d: usize) -> usize {
        (self.kernel[d] - 1) * self.dilations[d] + 1
    }

    /// Number of taps of the kernel.
    pub fn taps(&self) -> usize {
        self.kernel.iter().product()
    }

    /// Number of elements of one plane of the result.
    pub fn plane(&self) -> usize {
        self.dst.iter().product()
    }

    /// [n, channels, …] of the result.
    pub fn dst_shape(&self, n: usize, channels: usize) -> Shape {
        Shape::from([&[n, channels], self.of(&self.dst)].concat())
    }

    /// [n, channels, …] of the source.
    pub fn src_shape(&self, n: usize, channels: usize) -> Shape {
        Shape::from([&[n, channels], self.of(&self.src)].concat())
    }

    fn output(&self, d: usize, ceil: bool) -> Result<usize, OpError> {
        let size = self.src[d];
        let padded = size + self.pads[0][d] + self.pads[1][d];
        let Some(room) = padded.checked_sub(self.extent(d)) else {
            let times =
                |list: &[usize]| list.iter().map(usize::to_string).collect::<Vec<_>>().join("×");
            let pads = self.pads.each_ref().map(|side| self.of(side));
            return Err(OpError::mismatch(
                format!(
                    "a kernel that fits input {} with padding {pads:?}",
                    times(self.of(&self.src))
                ),
                format!("kernel {}", times(self.of(&self.kernel))),
                "Use padding = same or a smaller kernel.",
            ));
        };
        let stride = self.strides[d];
        let output = if ceil { room.div_ceil(stride) } else { room / stride } + 1;
        // A window that starts in the padding behind the image would see nothing.
        let begins_outside = ceil && (output - 1) * stride >= size + self.pads[0][d];
        Ok(output - usize::from(begins_outside))
    }

    /// Padding behind that makes the last window fit (larger than asked with ceil).
    pub fn padding_behind(&self) -> [usize; SPATIAL] {
        std::array::from_fn(|d| {
            let needed = (self.dst[d].max(1) - 1) * self.strides[d] + self.extent(d);
            needed.saturating_sub(self.src[d] + self.pads[0][d])
        })
    }

    /// First and one-past-last result index in dimension `d` at which kernel tap `k` lies inside
    /// the source, and the source index of the first.
    pub fn met(&self, d: usize, k: usize) -> (usize, usize, usize) {
        let (offset, pad, stride) = (k * self.dilations[d], self.pads[0][d], self.strides[d]);
        let first = pad.saturating_sub(offset).div_ceil(stride);
        let last = (self.src[d] + pad).saturating_sub(offset).div_ceil(stride).min(self.dst[d]);
        if first >= last {
            return (0, 0, 0);
        }
        (first, last, first * stride + offset - pad)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taps_name_exactly_the_results_whose_source_exists() {
        for (size, kernel, stride, dilation, pad) in
            [(7, 3, 2, 1, 1), (5, 5, 1, 1, 4), (9, 2, 3, 3, 0), (1, 3, 1, 1, 1), (6, 3, 2, 2, 3)]
        {
            let attributes = Attributes {
                kernel: &[kernel],
                strides: &[stride],
                dilations: &[dilation],
                pads: &[pad, pad],
                ..Attributes::default()
            };
            let w = Window::new(&attributes, &[size]).unwrap();
            for k in 0..kernel {
                let (first, last, at) = w.met(2, k);
                let inside = |o: usize| {
                    (o * stride + k * dilation).checked_sub(pad).is_some_and(|i| i < size)
                };
                assert!((0..w.dst[2]).all(|o| inside(o) == (first..last).contains(&o)));
                assert!(first == last || at == first * stride + k * dilation - pad);
            }
        }
    }

    #[test]
    fn same_padding_divides_the_size_by_the_stride() {
        for (size, kernel, stride, lower, upper) in
            [(5, 3, 1, [1, 1], [1, 1]), (6, 3, 2, [1, 0], [0, 1]), (5, 4, 1, [2, 1], [1, 2])]
        {
            for (auto_pad, pads) in [(AutoPad::SameLower, lower), (AutoPad::SameUpper, upper)] {
                let (kernel, strides) = (&[kernel][..], &[stride][..]);
                let attributes = Attributes { kernel, strides, auto_pad, ..Attributes::default() };
                let w = Window::new(&attributes, &[size]).unwrap();
                assert_eq!(w.dst[2], size.div_ceil(stride));
                assert_eq!(w.pads.map(|side| side[2]), pads);
            }
        }
    }
}
