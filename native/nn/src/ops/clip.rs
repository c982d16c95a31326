//! Limiting numbers to an interval.

use super::unary::{config, unary};
use onednn::ops::eltwise::Algorithm;

unary! {
    /// y = min(max(x, min), max), which is `max` where `min` is larger. ONNX `Clip`. The gradient is
    /// 1 between the limits and 0 at them and beyond.
    Clip {
        /// Lower limit; none if absent.
        min: Option<f64> = None,
        /// Upper limit; none if absent.
        max: Option<f64> = None
    } => {
        |op, x| {
            let x = op.min.map_or(x, |min| if x < min { min } else { x });
            op.max.map_or(x, |max| if x > max { max } else { x })
        },
        |op, x, _y| {
            let inside = op.min.is_none_or(|min| x > min) && op.max.is_none_or(|max| x < max);
            f64::from(u8::from(inside))
        },
        eltwise |op| {
            let (min, max) = (op.min.unwrap_or(f64::MIN) as f32, op.max.unwrap_or(f64::MAX) as f32);
            (min <= max).then(|| config(Algorithm::ClipV2, min.max(f32::MIN), max.min(f32::MAX)))
        },
        integer |op, x| {
            let x = op.min.map_or(x, |min| x.max(min.ceil() as i128));
            op.max.map_or(x, |max| x.min(max.floor() as i128))
        },
    }
}
