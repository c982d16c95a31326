//! Arithmetic of two elements, besides Add and Mul.

use super::pairs::pair;
use onednn::ops::binary::Algorithm;

pair! {
    /// y = a − b. ONNX `Sub`.
    Sub {} => {
        |_op, a, b| a - b,
        derivative |_a, _b| [1.0, -1.0],
        integer |_op, a, b| a - b,
        algorithm Algorithm::Sub,
    }

    /// y = a / b; integers are divided towards zero, and by 0 give 0. ONNX `Div`.
    Div {} => {
        |_op, a, b| a / b,
        derivative |a, b| [1.0 / b, -a / (b * b)],
        integer |_op, a, b| a.checked_div(b).unwrap_or(0),
        algorithm Algorithm::Div,
    }

    /// y = aᵇ. ONNX `Pow`. An integer to a negative power is 0, unless it is 1 or −1.
    Pow {} => {
        |_op, a, b| a.powf(b),
        derivative |a, b| {
            // The base has a slope of 0 where the power is constant, also at a = 0.
            let by_a = if b == 0.0 { 0.0 } else { b * a.powf(b - 1.0) };
            [by_a, if a > 0.0 { a.powf(b) * a.ln() } else { 0.0 }]
        },
        integer |_op, a, b| integer_power(a, b),
    }

    /// y = a − b ⌊a / b⌋, which has b's sign; or with `fmod` a − b trunc(a / b), which has a's. A
    /// remainder of integers by 0 is 0. ONNX `Mod`.
    Mod {
        /// Take a's sign.
        fmod: bool = false
    } => {
        |op, a, b| {
            let rest = a % b;
            if !op.fmod && rest != 0.0 && (rest < 0.0) != (b < 0.0) { rest + b } else { rest }
        },
        integer |op, a, b| {
            let rest = a.checked_rem(b).unwrap_or(0);
            if !op.fmod && rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest }
        },
    }

    /// y = the larger of a and b; NaN if one of them is. ONNX `Max`. The gradient goes to the larger
    /// one, and to a where they are equal.
    Max {} => {
        |_op, a, b| if a.is_nan() || a > b { a } else { b },
        derivative |a, b| if a >= b { [1.0, 0.0] } else { [0.0, 1.0] },
        integer |_op, a, b| a.max(b),
    }

    /// y = the smaller of a and b; NaN if one of them is. ONNX `Min`. The gradient goes to the
    /// smaller one, and to a where they are equal.
    Min {} => {
        |_op, a, b| if a.is_nan() || a < b { a } else { b },
        derivative |a, b| if a <= b { [1.0, 0.0] } else { [0.0, 1.0] },
        integer |_op, a, b| a.min(b),
    }

    /// y = a for a ≥ 0, a · b below, b being the slope (He et al.: "Delving deep into rectifiers",
    /// ICCV 2015). ONNX `PRelu`.
    PRelu {} => {
        |_op, a, b| if a < 0.0 { a * b } else { a },
        derivative |a, b| if a < 0.0 { [b, a] } else { [1.0, 0.0] },
        integer |_op, a, b| if a < 0 { a * b } else { a },
    }
}

/// Squares and multiplies, modulo 2¹²⁸.
fn integer_power(base: i128, exponent: i128) -> i128 {
    match (base, exponent) {
        (1, _) => 1,
        (-1, _) => 1 - 2 * (exponent & 1),
        (_, ..0) => 0,
        _ => {
            let (mut power, mut square, mut left) = (1i128, base, exponent);
            while left > 0 {
                if left & 1 == 1 {
                    power = power.wrapping_mul(square);
                }
                square = square.wrapping_mul(square);
                left >>= 1;
            }
            power
        }
    }
}
