//! One enum over the element types for each way to hold elements: owned, read, written.

use crate::{DType, Element, Error};
use bytemuck::checked;
use half::{bf16, f16};

/// Runs `$body` for whichever variant of `$enum` (`Data`, `View` or `ViewMut`) `$value` is, with
/// `$elements` bound to what it holds.
///
/// ```
/// use tensor::{Data, for_elements};
/// let data = Data::I64(vec![1, 2, 3]);
/// assert_eq!(for_elements!(Data, &data, elements => elements.len()), 3);
/// ```
#[macro_export]
macro_rules! for_elements {
    ($enum:ident, $value:expr, $elements:pat => $body:expr) => {
        match $value {
            $crate::$enum::F32($elements) => $body,
            $crate::$enum::F64($elements) => $body,
            $crate::$enum::F16($elements) => $body,
            $crate::$enum::BF16($elements) => $body,
            $crate::$enum::I8($elements) => $body,
            $crate::$enum::I16($elements) => $body,
            $crate::$enum::I32($elements) => $body,
            $crate::$enum::I64($elements) => $body,
            $crate::$enum::U8($elements) => $body,
            $crate::$enum::U16($elements) => $body,
            $crate::$enum::U32($elements) => $body,
            $crate::$enum::U64($elements) => $body,
            $crate::$enum::Bool($elements) => $body,
        }
    };
}

/// Runs `$body` with `$type` standing for the Rust type of the elements of a [`DType`].
///
/// ```
/// use tensor::{DType, for_dtype};
/// assert_eq!(for_dtype!(DType::I64, T => size_of::<T>()), 8);
/// ```
#[macro_export]
macro_rules! for_dtype {
    ($dtype:expr, $type:ident => $body:expr) => {
        $crate::for_dtype!(@arms $dtype, $type, $body,
            F32 f32, F64 f64, F16 $crate::f16, BF16 $crate::bf16,
            I8 i8, I16 i16, I32 i32, I64 i64, U8 u8, U16 u16, U32 u32, U64 u64, Bool bool)
    };
    (@arms $dtype:expr, $type:ident, $body:expr, $($variant:ident $element:ty),*) => {
        match $dtype {
            $($crate::DType::$variant => {
                type $type = $element;
                $body
            })*
        }
    };
}

macro_rules! held {
    ($(#[$doc:meta])* $name:ident $(<$life:lifetime>)?, $($variant:ident $held:ty),*) => {
        $(#[$doc])*
        #[allow(missing_docs, reason = "the variants are those of DType")]
        pub enum $name $(<$life>)? {
            $($variant($held),)*
        }

        impl $(<$life>)? $name $(<$life>)? {
            /// Type of the elements.
            pub fn dtype(&self) -> DType {
                match self {
                    $($name::$variant(_) => DType::$variant,)*
                }
            }

            /// Number of elements.
            pub fn len(&self) -> usize {
                for_elements!($name, self, elements => elements.len())
            }

            /// True if there is no element.
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }
        }
    };
}

held! {
    /// Owned elements of any type.
    #[derive(Clone, Debug, PartialEq)]
    Data,
    F32 Vec<f32>, F64 Vec<f64>, F16 Vec<f16>, BF16 Vec<bf16>,
    I8 Vec<i8>, I16 Vec<i16>, I32 Vec<i32>, I64 Vec<i64>,
    U8 Vec<u8>, U16 Vec<u16>, U32 Vec<u32>, U64 Vec<u64>, Bool Vec<bool>
}

held! {
    /// Elements of any type, to be read.
    #[derive(Clone, Copy, Debug, PartialEq)]
    View<'a>,
    F32 &'a [f32], F64 &'a [f64], F16 &'a [f16], BF16 &'a [bf16],
    I8 &'a [i8], I16 &'a [i16], I32 &'a [i32], I64 &'a [i64],
    U8 &'a [u8], U16 &'a [u16], U32 &'a [u32], U64 &'a [u64], Bool &'a [bool]
}

held! {
    /// Elements of any type, to be written.
    #[derive(Debug, PartialEq)]
    ViewMut<'a>,
    F32 &'a mut [f32], F64 &'a mut [f64], F16 &'a mut [f16], BF16 &'a mut [bf16],
    I8 &'a mut [i8], I16 &'a mut [i16], I32 &'a mut [i32], I64 &'a mut [i64],
    U8 &'a mut [u8], U16 &'a mut [u16], U32 &'a mut [u32], U64 &'a mut [u64],
    Bool &'a mut [bool]
}

/// An [`Element`] that knows its variant in [`Data`], [`View`] and [`ViewMut`].
pub trait Held: Element {
    /// The elements, if they are of this type.
    fn of(view: View<'_>) -> Option<&[Self]>;
    /// The elements, if they are of this type.
    fn of_mut<'v>(view: &'v mut ViewMut<'_>) -> Option<&'v mut [Self]>;
    /// The elements, if they are of this type.
    fn of_data(data: Data) -> Result<Vec<Self>, Data>;
    /// These elements under their type.
    fn hold(elements: Vec<Self>) -> Data;
}

macro_rules! convert {
    ($($variant:ident $element:ty),*) => {
        $(
            impl Held for $element {
                fn of(view: View<'_>) -> Option<&[$element]> {
                    if let View::$variant(elements) = view { Some(elements) } else { None }
                }

                fn of_mut<'v>(view: &'v mut ViewMut<'_>) -> Option<&'v mut [$element]> {
                    if let ViewMut::$variant(elements) = view { Some(elements) } else { None }
                }

                fn of_data(data: Data) -> Result<Vec<$element>, Data> {
                    if let Data::$variant(elements) = data { Ok(elements) } else { Err(data) }
                }

                fn hold(elements: Vec<$element>) -> Data {
                    Data::$variant(elements)
                }
            }

            impl From<Vec<$element>> for Data {
                fn from(elements: Vec<$element>) -> Data {
                    Data::$variant(elements)
                }
            }
        )*

        impl Data {
            /// The elements, to be read.
            pub fn view(&self) -> View<'_> {
                match self {
                    $(Data::$variant(elements) => View::$variant(elements),)*
                }
            }

            /// The elements, to be written.
            pub fn view_mut(&mut self) -> ViewMut<'_> {
                match self {
                    $(Data::$variant(elements) => ViewMut::$variant(elements),)*
                }
            }

            /// `len` zeros.
            pub fn zeros(dtype: DType, len: usize) -> Data {
                match dtype {
                    $(DType::$variant => Data::$variant(vec![<$element>::default(); len]),)*
                }
            }
        }

        impl<'a> View<'a> {
            /// Memory as elements; what is left of a last, incomplete one is an error.
            ///
            /// # Errors
            /// [`Error::Memory`] if the memory's size, alignment or content is none of this type.
            pub fn new(dtype: DType, bytes: &'a [u8]) -> Result<View<'a>, Error> {
                let refuse = |_| Error::Memory { dtype, bytes: bytes.len() };
                Ok(match dtype {
                    $(DType::$variant => {
                        View::$variant(checked::try_cast_slice(bytes).map_err(refuse)?)
                    })*
                })
            }

            /// A copy of the elements.
            pub fn to_data(self) -> Data {
                match self {
                    $(View::$variant(elements) => Data::$variant(elements.to_vec()),)*
                }
            }

            /// The elements as they lie in memory.
            pub fn bytes(self) -> &'a [u8] {
                for_elements!(View, self, elements => bytemuck::cast_slice(elements))
            }
        }

        impl<'a> ViewMut<'a> {
            /// Memory as elements; truth values are cleared if they are none.
            ///
            /// # Errors
            /// [`Error::Memory`] if the memory's size or alignment is none of this type.
            pub fn new(dtype: DType, bytes: &'a mut [u8]) -> Result<ViewMut<'a>, Error> {
                if dtype == DType::Bool {
                    bytes.iter_mut().for_each(|byte| *byte = (*byte == 1).into());
                }
                let size = bytes.len();
                let refuse = |_| Error::Memory { dtype, bytes: size };
                Ok(match dtype {
                    $(DType::$variant => {
                        ViewMut::$variant(checked::try_cast_slice_mut(bytes).map_err(refuse)?)
                    })*
                })
            }

            /// Copies elements of the same type and number.
            ///
            /// # Errors
            /// [`Error::DType`] or [`Error::Count`] if type or number differ.
            pub fn copy_from(&mut self, src: View<'_>) -> Result<(), Error> {
                if self.len() != src.len() {
                    return Err(Error::Count { expected: self.len(), got: src.len() });
                }
                match self {
                    $(ViewMut::$variant(dst) => dst.copy_from_slice(src.get()?),)*
                }
                Ok(())
            }

            /// Sets every element to zero.
            pub fn clear(&mut self) {
                for_elements!(ViewMut, self, elements => elements.fill(Default::default()));
            }
        }
    };
}

convert! {
    F32 f32, F64 f64, F16 f16, BF16 bf16, I8 i8, I16 i16, I32 i32, I64 i64,
    U8 u8, U16 u16, U32 u32, U64 u64, Bool bool
}

impl Default for View<'_> {
    fn default() -> Self {
        View::F32(&[])
    }
}

impl Default for ViewMut<'_> {
    fn default() -> Self {
        ViewMut::F32(&mut [])
    }
}

impl<'a> View<'a> {
    /// The elements of a known type.
    ///
    /// # Errors
    /// [`Error::DType`] if they have another type.
    pub fn get<T: Held>(self) -> Result<&'a [T], Error> {
        T::of(self).ok_or(Error::DType { expected: T::DTYPE, got: self.dtype() })
    }
}

impl ViewMut<'_> {
    /// The elements of a known type.
    ///
    /// # Errors
    /// [`Error::DType`] if they have another type.
    pub fn get<T: Held>(&mut self) -> Result<&mut [T], Error> {
        let got = self.dtype();
        T::of_mut(self).ok_or(Error::DType { expected: T::DTYPE, got })
    }
}
