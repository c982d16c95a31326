//! Primitives that take an operand in an unusual way.

use super::{Compiler, Representation, copy};
use crate::Error;
use crate::graph::{Source, ValueId};
use crate::layout::Layout;
use crate::step::{Action, Place};
use onednn::{Attr, MemoryDesc, PrimitiveDesc, arg};
use std::sync::Arc;
use tensor::DType;

impl Compiler<'_> {
    /// Emits a primitive that adds to what its destination holds: to source `onto`, in its own
    /// memory if nobody reads it afterwards, else in a copy.
    ///
    /// # Errors
    /// [`Error::Onednn`] if the primitive cannot be made.
    pub fn primitive_onto(
        &mut self,
        descriptor: &PrimitiveDesc,
        src: &[(usize, i32, MemoryDesc)],
        onto: usize,
        dst: (usize, i32, MemoryDesc),
    ) -> Result<(), Error> {
        let node = self.current();
        let mut args = Vec::with_capacity(src.len() + 1);
        let mut sources = Vec::with_capacity(src.len());
        for (i, number, md) in src {
            sources.push(self.represent(node.src[*i], &Layout::of(md))?);
            args.push((*number, md.clone()));
        }
        let (o, number, md) = dst;
        let layout = Layout::of(&md);
        let mut slot = self.represent(node.src[onto], &layout)?;
        if sources.contains(&slot) || self.is_read_later(slot) {
            let from = slot;
            slot = self.slot(&layout, Place::Arena);
            let step = self.step(Action::Typed(Arc::new(copy)), vec![from], vec![slot]);
            self.steps.push(step);
        }
        self.values[node.dst[o].0].push(Representation { layout, slot });
        args.push((number, md));
        self.emit_primitive(descriptor, args, sources, vec![slot])
    }

    /// True if a slot must keep its numbers beyond the current node.
    fn is_read_later(&self, slot: usize) -> bool {
        let mut held = (0..self.values.len()).map(ValueId).filter(|value| {
            self.values[value.0].iter().any(|representation| representation.slot == slot)
        });
        let later = &self.graph.nodes[self.node + 1..];
        self.slots[slot].place != Place::Arena
            || held.any(|value| {
                !matches!(self.graph.values[value.0].source, Source::Node(_))
                    || self.graph.roots().any(|root| root == value)
                    || later.iter().any(|node| node.src.contains(&value))
            })
    }

    /// As [`Compiler::primitive`] with one more source: its number, its argument, how the primitive
    /// is to see its row-major bytes, and the layout in which it takes them.
    ///
    /// # Errors
    /// [`Error::Onednn`] if the primitive cannot be made.
    pub fn primitive_seeing(
        &mut self,
        descriptor: &PrimitiveDesc,
        src: &[(usize, i32, MemoryDesc)],
        (seen, seen_arg, from, to): (usize, i32, MemoryDesc, MemoryDesc),
        (o, dst_arg, dst): (usize, i32, MemoryDesc),
    ) -> Result<(), Error> {
        let node = self.current();
        let mut args = vec![(seen_arg, to.clone())];
        let slot = if from == to {
            self.plain_slot(node.src[seen])?
        } else {
            // A weight is read where it is.
            let given = match &self.values[node.src[seen].0][0] {
                Representation { layout: Layout::Plain(ty), slot } if ty.dtype == DType::F32 => {
                    *slot
                }
                _ => self.plain_slot(node.src[seen])?,
            };
            let slot = self.slot(&Layout::Native(to.clone()), Place::Arena);
            let reorder = onednn::ops::reorder::forward(&from, &to, &Attr::new());
            let reorder = self.check(reorder)?;
            self.emit_primitive(
                &reorder,
                vec![(arg::FROM, from), (arg::TO, to)],
                vec![given],
                vec![slot],
            )?;
            slot
        };
        let mut sources = vec![slot];
        for (i, number, md) in src {
            sources.push(self.represent(node.src[*i], &Layout::of(md))?);
            args.push((*number, md.clone()));
        }
        let layout = Layout::of(&dst);
        let slot = self.slot(&layout, Place::Arena);
        self.values[node.dst[o].0].push(Representation { layout, slot });
        args.push((dst_arg, dst));
        self.emit_primitive(descriptor, args, sources, vec![slot])
    }
}
