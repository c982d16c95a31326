//! Attention, of opsets behind 22.

use super::super::node::{Made, Node};
use super::{Row, row};
use nn::ops::{Attention, Where};
use tensor::{DType, Tensor};

pub(super) const ROWS: &[Row] = &[row("Attention", 23, attention)];

/// Sources: queries, keys, values and a mask that is added, or tells which keys are seen.
fn attention(n: &mut Node<'_, '_>) -> Made {
    let odd = n.count() > 4
        || n.proto.output.len() > 1
        || n.float("softcap").is_some_and(|cap| cap != 0.0)
        || n.int("left_window_size").is_some_and(|size| size >= 0)
        || n.int("right_window_size").is_some_and(|size| size >= 0);
    if odd {
        return Err(n.fail("caches, windows, a softcap and results beside y are not supported"));
    }
    let heads = |name: &str| usize::try_from(n.int(name).unwrap_or(0)).unwrap_or(0);
    let op = Attention {
        q_num_heads: heads("q_num_heads"),
        kv_num_heads: heads("kv_num_heads"),
        scale: n.float("scale"),
        is_causal: n.flag("is_causal"),
        packed: false,
    };
    let mut src = n.inputs()?;
    if src.len() > 3 && n.ty(src[3]).dtype == DType::Bool {
        let dtype = n.ty(src[0]).dtype;
        let [seen, hidden] = [0.0, f32::NEG_INFINITY].map(|x| Tensor::scalar(x).cast(dtype));
        let (seen, hidden) = (n.constant(seen), n.constant(hidden));
        src[3] = n.one(Where {}, &[src[3], seen, hidden])?;
    }
    Ok(vec![n.one(op, &src)?.into()])
}
