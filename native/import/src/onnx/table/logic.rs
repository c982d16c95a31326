//! Comparisons, logic, bits.

use super::super::node::{Made, Node};
use super::arithmetic::second;
use super::{Row, between, row};
use nn::Op;
use nn::ops::{
    And, BitwiseAnd, BitwiseOr, BitwiseXor, Equal, Greater, GreaterOrEqual, Less, LessOrEqual, Or,
    ShiftLeft, ShiftRight, Where, Xor,
};

pub(super) const ROWS: &[Row] = &[
    between("And", 1, 6, |n| aligned(n, And {})),
    between("Or", 1, 6, |n| aligned(n, Or {})),
    between("Xor", 1, 6, |n| aligned(n, Xor {})),
    between("Equal", 1, 6, |n| aligned(n, Equal {})),
    between("Less", 1, 6, |n| aligned(n, Less {})),
    between("Greater", 1, 6, |n| aligned(n, Greater {})),
    row("And", 7, |n| n.map(And {})),
    row("Or", 7, |n| n.map(Or {})),
    row("Xor", 7, |n| n.map(Xor {})),
    row("Equal", 7, |n| n.map(Equal {})),
    row("Less", 7, |n| n.map(Less {})),
    row("LessOrEqual", 12, |n| n.map(LessOrEqual {})),
    row("Greater", 7, |n| n.map(Greater {})),
    row("GreaterOrEqual", 12, |n| n.map(GreaterOrEqual {})),
    row("Where", 9, |n| n.map(Where {})),
    row("BitwiseAnd", 18, |n| n.map(BitwiseAnd {})),
    row("BitwiseOr", 18, |n| n.map(BitwiseOr {})),
    row("BitwiseXor", 18, |n| n.map(BitwiseXor {})),
    row("BitShift", 11, |n| match n.text("direction")? {
        Some("LEFT") => n.map(ShiftLeft {}),
        Some("RIGHT") => n.map(ShiftRight {}),
        other => Err(n.fail(format!("expected LEFT or RIGHT as direction, got {other:?}"))),
    }),
];

fn aligned(n: &mut Node<'_, '_>, op: impl Op) -> Made {
    let (a, b) = (n.input(0)?, second(n)?);
    Ok(vec![n.one(op, &[a, b])?.into()])
}
