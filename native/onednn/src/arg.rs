//! Numbers of the arguments of a primitive, for [`Bound::new`](crate::Bound::new).

use onednn_sys::constants as c;

/// Source.
pub const SRC: i32 = c::ARG_SRC_0;
/// First source of two.
pub const SRC_0: i32 = c::ARG_SRC_0;
/// Second source of two.
pub const SRC_1: i32 = c::ARG_SRC_1;
/// Source of a reorder.
pub const FROM: i32 = c::ARG_SRC_0;
/// Destination of a reorder.
pub const TO: i32 = c::ARG_DST;
/// Destination.
pub const DST: i32 = c::ARG_DST;
/// Weights.
pub const WEIGHTS: i32 = c::ARG_WEIGHTS;
/// Bias.
pub const BIAS: i32 = c::ARG_BIAS;
/// Mean per channel (batch normalization) or per row (layer normalization).
pub const MEAN: i32 = c::ARG_MEAN;
/// Variance, shaped like [`MEAN`].
pub const VARIANCE: i32 = c::ARG_VARIANCE;
/// Scale of a normalization.
pub const SCALE: i32 = c::ARG_SCALE;
/// Shift of a normalization.
pub const SHIFT: i32 = c::ARG_SHIFT;
/// What forward keeps for backward.
pub const WORKSPACE: i32 = c::ARG_WORKSPACE;
/// Scratch memory of one execution.
pub const SCRATCHPAD: i32 = c::ARG_SCRATCHPAD;
/// Gradient of the source.
pub const DIFF_SRC: i32 = c::ARG_DIFF_SRC;
/// Gradient of the destination.
pub const DIFF_DST: i32 = c::ARG_DIFF_DST;
/// Gradient of the weights.
pub const DIFF_WEIGHTS: i32 = c::ARG_DIFF_WEIGHTS;
/// Gradient of the bias.
pub const DIFF_BIAS: i32 = c::ARG_DIFF_BIAS;
/// Gradient of the scale.
pub const DIFF_SCALE: i32 = c::ARG_DIFF_SCALE;
/// Gradient of the shift.
pub const DIFF_SHIFT: i32 = c::ARG_DIFF_SHIFT;
/// Source `i` of a concat or sum is `MULTIPLE_SRC + i`.
pub const MULTIPLE_SRC: i32 = c::ARG_MULTIPLE_SRC;

/// Base of the arguments of post-op `i`; the second operand of a binary one is
/// `ATTR_MULTIPLE_POST_OP(i) | SRC_1`.
#[allow(non_snake_case)]
pub const fn ATTR_MULTIPLE_POST_OP(i: i32) -> i32 {
    c::ARG_ATTR_MULTIPLE_POST_OP_BASE * (i + 1)
}

/// Name of an argument for messages: `DST`, `MULTIPLE_SRC+2`, `POST_OP(0)|SRC_1`.
pub(crate) fn name(arg: i32) -> String {
    let base = c::ARG_ATTR_MULTIPLE_POST_OP_BASE;
    if arg >= base {
        return format!("POST_OP({})|{}", arg / base - 1, name(arg % base));
    }
    if (MULTIPLE_SRC..2 * MULTIPLE_SRC).contains(&arg) {
        return format!("MULTIPLE_SRC+{}", arg - MULTIPLE_SRC);
    }
    let known = match arg {
        SRC => "SRC",
        SRC_1 => "SRC_1",
        DST => "DST",
        WEIGHTS => "WEIGHTS",
        BIAS => "BIAS",
        MEAN => "MEAN",
        VARIANCE => "VARIANCE",
        SCALE => "SCALE",
        SHIFT => "SHIFT",
        WORKSPACE => "WORKSPACE",
        SCRATCHPAD => "SCRATCHPAD",
        DIFF_SRC => "DIFF_SRC",
        DIFF_DST => "DIFF_DST",
        DIFF_WEIGHTS => "DIFF_WEIGHTS",
        DIFF_BIAS => "DIFF_BIAS",
        DIFF_SCALE => "DIFF_SCALE",
        DIFF_SHIFT => "DIFF_SHIFT",
        other => return format!("argument {other}"),
    };
    known.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compound_arguments_have_readable_names() {
        assert_eq!(name(ATTR_MULTIPLE_POST_OP(1) | SRC_1), "POST_OP(1)|SRC_1");
        assert_eq!(name(MULTIPLE_SRC + 2), "MULTIPLE_SRC+2");
        assert_eq!(name(DIFF_BIAS), "DIFF_BIAS");
    }
}
