//! `firesteel.jni.NativeHistogram`: how the numbers of a buffer are distributed.

use crate::buffer::NativeBuffer;
use crate::convert::{array, size};
use crate::guard::guard;
use crate::handle::get;
use jni::objects::{JClass, JDoubleArray};
use jni::sys::jlong;
use jni::{EnvUnowned, jni_mangle};
use train::Histogram;

/// Least, greatest, number, sum, sum of squares; then low, high and count of each bucket.
#[jni_mangle("firesteel.jni.NativeHistogram")]
pub fn of0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    buffer: jlong,
    offset: jlong,
    length: jlong,
) -> JDoubleArray<'local> {
    guard(env, |env| {
        let buffer = get::<NativeBuffer>(buffer)?;
        let offset = size("NativeHistogram: offset", offset)?;
        let length = size("NativeHistogram: length", length)?;
        let numbers = buffer.read(offset..offset.saturating_add(length))?;
        let Histogram { min, max, num, sum, sum_squares, buckets } = Histogram::of(numbers.f32());
        let mut values = vec![min, max, num, sum, sum_squares];
        values.extend(buckets.iter().flat_map(|bucket| [bucket.low, bucket.high, bucket.count]));
        array(env, &values)
    })
}
