//! Java values to Rust values and back.

use crate::exceptions::Error;
use jni::Env;
use jni::objects::{JPrimitiveArray, JString, TypeArray};
use jni::sys::{jint, jlong};
use tensor::Shape;
use train::tree::Root;

/// The text of a Java string.
///
/// # Errors
/// [`Error::Jni`] if it is null.
pub fn text(env: &Env<'_>, string: &JString<'_>) -> Result<String, Error> {
    Ok(string.try_to_string(env)?)
}

/// A copy of a Java array.
///
/// # Errors
/// [`Error::Jni`] if it is null.
pub fn vector<T>(env: &Env<'_>, array: &JPrimitiveArray<'_, T>) -> Result<Vec<T>, Error>
where
    T: TypeArray + Default + Clone,
{
    let mut values = vec![T::default(); array.len(env)?];
    array.get_region(env, 0, &mut values)?;
    Ok(values)
}

/// A new Java array.
///
/// # Errors
/// [`Error::Jni`] if the Java heap has no room.
pub fn array<'local, T: TypeArray>(
    env: &mut Env<'local>,
    values: &[T],
) -> Result<JPrimitiveArray<'local, T>, Error> {
    let array = JPrimitiveArray::new(env, values.len())?;
    array.set_region(env, 0, values)?;
    Ok(array)
}

/// A number that must not be negative.
///
/// # Errors
/// [`Error::Argument`] naming the argument.
pub fn size(who: &'static str, value: impl Into<jlong>) -> Result<usize, Error> {
    let value = value.into();
    usize::try_from(value).map_err(|_| Error::Argument {
        who,
        expected: "0 or more".to_string(),
        got: value.to_string(),
        remedy: "Correct the argument",
    })
}

/// A number that must be positive.
///
/// # Errors
/// [`Error::Argument`] naming the argument.
pub fn count(who: &'static str, value: jint) -> Result<usize, Error> {
    usize::try_from(value).ok().filter(|&value| value > 0).ok_or_else(|| Error::Argument {
        who,
        expected: "1 or more".to_string(),
        got: value.to_string(),
        remedy: "Correct the argument",
    })
}

/// Subtrees as pairs of first shard and level.
pub fn pairs(roots: &[Root]) -> Vec<jint> {
    roots.iter().flat_map(|root| [root.first as jint, root.level as jint]).collect()
}

/// Shapes one after the other, each as its rank and its sizes.
pub fn shapes<'a>(shapes: impl IntoIterator<Item = &'a Shape>) -> Vec<jlong> {
    let mut flat = Vec::new();
    for shape in shapes {
        flat.push(shape.rank() as jlong);
        flat.extend(shape.dims().iter().map(|&size| size as jlong));
    }
    flat
}
