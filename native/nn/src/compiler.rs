//! From graph to steps: each op emits primitives or plain kernels; layouts are kept from op to op
//! and reorders are placed where two ops disagree.

use crate::graph::{Graph, Node, Source, ValueId};
use crate::layout::{Layout, plain};
use crate::op::Kernel;
use crate::{Error, PlanOptions};
use onednn::{Attr, DataType, MemoryDesc, Primitive, PrimitiveDesc, arg};
use std::sync::Arc;
use tensor::Shape;

/// Where a slot's bytes live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the replica's arena.
    Arena,
    /// With the weights in kernel layout, which replicas share.
    Prepared,
    /// In the flat vector of weights, at this float.
    Weights(usize),
    /// In the flat gradient vector, at this float.
    Gradient(usize),
}

/// A piece of memory that steps read and write.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub bytes: usize,
    pub place: Place,
    /// Layout of a copy of another slot.
    pub layout: Option<Layout>,
}

/// What a step does.
#[derive(Clone)]
pub(crate) enum Action {
    /// A primitive; `args[i]` goes with the i-th of the step's sources and destinations.
    Primitive { primitive: Primitive, args: Vec<(i32, MemoryDesc)>, scratchpad: Option<MemoryDesc> },
    /// A plain kernel.
    Kernel(Arc<dyn Kernel>),
}

/// One step of a plan.
#[derive(Clone)]
pub(crate) struct Step {
    pub name: String,
    pub action: Action,
    pub src: Vec<usize>,
    pub dst: Vec<usize>,
}

/// An operand of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// Source by number.
    Src(usize),
    /// Output by number.
    Dst(usize),
}

/// A value in one layout.
#[derive(Clone)]
struct Representation {
    layout: Layout,
    slot: usize,
}

/// What an op sees when it emits its steps.
pub struct Compiler<'g> {
    pub(crate) graph: &'g Graph,
    pub(crate) slots: Vec<Slot>,
    pub(crate) prologue: Vec<Step>,
    pub(crate) steps: Vec<Step>,
    values: Vec<Vec<Representation>>,
    node: usize,
    onednn: bool,
}

impl<'g> Compiler<'g> {
    pub(crate) fn new(graph: &'g Graph, options: PlanOptions) -> Compiler<'g> {
        let mut compiler = Compiler {
            graph,
            slots: Vec::new(),
            prologue: Vec::new(),
            steps: Vec::new(),
            values: vec![Vec::new(); graph.values.len()],
            node: 0,
            onednn: options.onednn && onednn::loaded().is_some(),
        };
        for (i, value) in graph.values.iter().enumerate() {
            let place = match value.source {
                Source::Input => Place::Arena,
                Source::Parameter(p) => Place::Weights(graph.parameters.at(p).offset),
                Source::Node(_) => continue,
            };
            let layout = Layout::Plain(value.shape.clone());
            let slot = compiler.slot(layout.bytes(), place);
            compiler.values[i].push(Representation { layout, slot });
        }
        compiler
    }

    /// Emits the steps of one node and moves its results to the gradient vector.
    pub(crate) fn node(&mut self, index: usize) -> Result<(), Error> {
        self.node = index;
        let node = &self.graph.nodes[index];
        let is_empty = |&v: &ValueId| self.graph.shape(v).is_empty();
        if node.dst.iter().all(is_empty)
            || (!node.op.takes_empty() && node.src.iter().any(is_empty))
        {
            // Sums over nothing are zero, and everything else is empty.
            self.kernel(|_: &[&[f32]], dst: &mut [&mut [f32]]| {
                dst.iter_mut().for_each(|d| d.fill(0.0));
            })?;
        } else {
            node.op.compile(self)?;
        }
        for &(parameter, value) in &self.graph.results {
            if node.dst.contains(&value) {
                self.deliver(parameter, value)?;
            }
        }
        Ok(())
    }

    fn current(&self) -> &'g Node {
        &self.graph.nodes[self.node]
    }

    /// True if oneDNN is to be asked.
    pub fn onednn(&self) -> bool {
        self.onednn
    }

    /// Shape of source `i`.
    pub fn src_shape(&self, i: usize) -> &'g Shape {
        self.graph.shape(self.current().src[i])
    }

    /// Number of sources.
    pub fn sources(&self) -> usize {
        self.current().src.len()
    }

    /// Shape of output `o`.
    pub fn dst_shape(&self, o: usize) -> &'g Shape {
        self.graph.shape(self.current().dst[o])
    }

    /// True if a node or the outside reads output `o`.
    pub fn is_used(&self, o: usize) -> bool {
        let value = self.current().dst[o];
        let mut read = self.graph.nodes.iter().flat_map(|node| &node.src);
        read.any(|&v| v == value) || self.graph.roots().any(|v| v == value)
    }

    /// Name of the node, for kernels that need a key of their own.
    pub fn name(&self) -> &'g str {
        &self.current().name
    }

    /// The layout in which source `i` arrives, as a descriptor with its shape's dimensions.
    ///
    /// # Errors
    /// [`Error::Onednn`] if the descriptor cannot be made.
    pub fn src_descriptor(&self, i: usize) -> Result<MemoryDesc, Error> {
        let value = self.current().src[i];
        match &self.values[value.0][0].layout {
            Layout::Native(md) => Ok(md.clone()),
            Layout::Plain(_) => self.check(plain(self.graph.shape(value))),
        }
    }

    /// Row-major descriptor of these dimensions.
    ///
    /// # Errors
    /// [`Error::Onednn`] if the descriptor cannot be made.
    pub fn plain(&self, shape: &Shape) -> Result<MemoryDesc, Error> {
        self.check(plain(shape))
    }

    /// Descriptor of these dimensions whose layout a primitive may choose.
    ///
    /// # Errors
    /// [`Error::Onednn`] if the descriptor cannot be made.
    pub fn any(&self, shape: &Shape) -> Result<MemoryDesc, Error> {
        self.check(MemoryDesc::any(shape.dims(), DataType::F32))
    }

    /// Adds the node's name to an error of oneDNN.
    ///
    /// # Errors
    /// [`Error::Onednn`] for what failed.
    pub fn check<T>(&self, result: Result<T, onednn::Error>) -> Result<T, Error> {
        result.map_err(|source| Error::Onednn { node: self.current().name.clone(), source })
    }

    /// A primitive descriptor, or none if oneDNN has no implementation for this case.
    ///
    /// # Errors
    /// [`Error::Onednn`] for any other failure.
    pub fn offered(
        &self,
        result: Result<PrimitiveDesc, onednn::Error>,
    ) -> Result<Option<PrimitiveDesc>, Error> {
        match result {
            Ok(descriptor) => Ok(Some(descriptor)),
            Err(onednn::Error::Unimplemented { .. }) => Ok(None),
            Err(error) => self.check(Err(error)),
        }
    }

    /// Emits a primitive. `src` and `dst` name the operand, its argument number and the layout in
    /// which the primitive takes it; sources in another layout are reordered first.
    ///
    /// # Errors
    /// [`Error::Onednn`] if the primitive cannot be made.
    pub fn primitive(
        &mut self,
        descriptor: &PrimitiveDesc,
        src: &[(usize, i32, MemoryDesc)],
        dst: &[(usize, i32, MemoryDesc)],
    ) -> Result<(), Error> {
        let node = self.current();
        let mut args = Vec::with_capacity(src.len() + dst.len());
        let mut sources = Vec::with_capacity(src.len());
        for (i, arg, md) in src {
            sources.push(self.represent(node.src[*i], &Layout::of(md))?);
            args.push((*arg, md.clone()));
        }
        let mut destinations = Vec::with_capacity(dst.len());
        for (o, arg, md) in dst {
            let layout = Layout::of(md);
            let slot = self.slot(layout.bytes(), Place::Arena);
            self.values[node.dst[*o].0].push(Representation { layout, slot });
            destinations.push(slot);
            args.push((*arg, md.clone()));
        }
        self.emit_primitive(descriptor, args, sources, destinations)
    }

    /// Emits a primitive whose operands are all row-major: sources 0, 1, … as these arguments (as
    /// many as the node has) and output 0. The descriptor's strides say how it reads those bytes.
    ///
    /// # Errors
    /// [`Error::Onednn`] if the primitive cannot be made.
    pub fn primitive_plain(
        &mut self,
        descriptor: &PrimitiveDesc,
        src: &[i32],
        dst: i32,
    ) -> Result<(), Error> {
        let node = self.current();
        let mut sources = Vec::with_capacity(node.src.len());
        let mut args = Vec::with_capacity(node.src.len() + 1);
        for (&value, &arg) in node.src.iter().zip(src) {
            sources.push(self.plain_slot(value)?);
            args.push((arg, descriptor.exec_arg_md(arg)));
        }
        let layout = Layout::Plain(self.dst_shape(0).clone());
        let slot = self.slot(layout.bytes(), Place::Arena);
        self.values[node.dst[0].0].push(Representation { layout, slot });
        args.push((dst, descriptor.exec_arg_md(dst)));
        self.emit_primitive(descriptor, args, sources, vec![slot])
    }

    fn emit_primitive(
        &mut self,
        descriptor: &PrimitiveDesc,
        args: Vec<(i32, MemoryDesc)>,
        src: Vec<usize>,
        dst: Vec<usize>,
    ) -> Result<(), Error> {
        let primitive = self.check(Primitive::new(descriptor))?;
        let scratchpad = descriptor.scratchpad_md();
        let scratchpad = (scratchpad.bytes() > 0).then_some(scratchpad);
        self.emit(Action::Primitive { primitive, args, scratchpad }, src, dst);
        Ok(())
    }

    /// Emits a plain kernel over all sources and outputs, each row-major.
    ///
    /// # Errors
    /// [`Error::Onednn`] if a source cannot be reordered.
    pub fn kernel(&mut self, kernel: impl Kernel) -> Result<(), Error> {
        let node = self.current();
        let read = (0..node.src.len()).filter(|&i| node.op.reads(i));
        let src: Vec<Operand> = read.map(Operand::Src).collect();
        let dst: Vec<usize> = (0..node.dst.len()).collect();
        self.kernel_on(kernel, &src, &dst)
    }

    /// Emits a plain kernel that reads these operands, outputs of earlier steps of the node among
    /// them, and makes these outputs.
    ///
    /// # Errors
    /// [`Error::Onednn`] if an operand cannot be reordered.
    pub fn kernel_on(
        &mut self,
        kernel: impl Kernel,
        src: &[Operand],
        dst: &[usize],
    ) -> Result<(), Error> {
        let node = self.current();
        let mut sources = Vec::with_capacity(src.len());
        for operand in src {
            let value = match *operand {
                Operand::Src(i) => node.src[i],
                Operand::Dst(o) => node.dst[o],
            };
            sources.push(self.plain_slot(value)?);
        }
        let mut destinations = Vec::with_capacity(dst.len());
        for &o in dst {
            let value = node.dst[o];
            let layout = Layout::Plain(self.graph.shape(value).clone());
            let slot = self.slot(layout.bytes(), Place::Arena);
            self.values[value.0].push(Representation { layout, slot });
            destinations.push(slot);
        }
        self.emit(Action::Kernel(Arc::new(kernel)), sources, destinations);
        Ok(())
    }

    /// Makes output 0 another view of source 0's row-major bytes.
    ///
    /// # Errors
    /// [`Error::Onednn`] if the source cannot be reordered.
    pub fn alias(&mut self) -> Result<(), Error> {
        let node = self.current();
        let (src, dst) = (node.src[0], node.dst[0]);
        let layout = Layout::Plain(self.graph.shape(dst).clone());
        let slot = self.represent(src, &layout)?;
        self.values[dst.0].push(Representation { layout, slot });
        Ok(())
    }

    /// The slot of a value in a layout; a step that makes it is added if there is none yet.
    fn represent(&mut self, value: ValueId, want: &Layout) -> Result<usize, Error> {
        let raw = |r: &&Representation| !matches!(self.slots[r.slot].place, Place::Weights(_));
        let known = self.values[value.0].iter().filter(raw).find(|r| r.layout.same(want));
        if let Some(known) = known {
            return Ok(known.slot);
        }
        let from = self.values[value.0][0].clone();
        let slot = self.slot(want.bytes(), Place::Arena);
        self.convert(&from, want, slot)?;
        self.values[value.0].push(Representation { layout: want.clone(), slot });
        Ok(slot)
    }

    /// Emits the copy or reorder of one representation into a slot.
    fn convert(&mut self, from: &Representation, to: &Layout, slot: usize) -> Result<(), Error> {
        self.slots[slot].layout = Some(to.clone());
        if from.layout.same(to) {
            let copy = |src: &[&[f32]], dst: &mut [&mut [f32]]| dst[0].copy_from_slice(src[0]);
            self.emit(Action::Kernel(Arc::new(copy)), vec![from.slot], vec![slot]);
            return Ok(());
        }
        let src = self.check(from.layout.descriptor(to))?;
        let dst = self.check(to.descriptor(&from.layout))?;
        let descriptor = self.check(onednn::ops::reorder::forward(&src, &dst, &Attr::new()))?;
        let args = vec![(arg::SRC, src), (arg::DST, dst)];
        self.emit_primitive(&descriptor, args, vec![from.slot], vec![slot])
    }

    /// Puts a result where the gradient vector wants it: written there at once if its layout is
    /// plain and nobody else holds the slot, else by a reorder behind it.
    fn deliver(&mut self, parameter: usize, value: ValueId) -> Result<(), Error> {
        let from = self.values[value.0][0].clone();
        let place = Place::Gradient(self.graph.parameters.at(parameter).offset);
        let to = Layout::Plain(self.graph.shape(value).clone());
        let owned = self.steps.last().is_some_and(|step| step.dst.contains(&from.slot));
        if owned && from.layout.same(&to) && self.slots[from.slot].place == Place::Arena {
            self.slots[from.slot].place = place;
            return Ok(());
        }
        let slot = self.slot(to.bytes(), place);
        self.convert(&from, &to, slot)
    }

    fn slot(&mut self, bytes: usize, place: Place) -> usize {
        self.slots.push(Slot { bytes, place, layout: None });
        self.slots.len() - 1
    }

    /// Adds a step; one that reads nothing but weights runs once per weights, not once per run.
    fn emit(&mut self, action: Action, src: Vec<usize>, dst: Vec<usize>) {
        let constant =
            |&s: &usize| matches!(self.slots[s].place, Place::Weights(_) | Place::Prepared);
        let name = self.current().name.clone();
        let varies = matches!(&action, Action::Kernel(kernel) if kernel.depends_on_run());
        let prologue = !varies && !src.is_empty() && src.iter().all(constant);
        if prologue {
            dst.iter().for_each(|&d| self.slots[d].place = Place::Prepared);
        }
        let step = Step { name, action, src, dst };
        if prologue { self.prologue.push(step) } else { self.steps.push(step) }
    }

    /// Slot of a value in row-major layout, for the outputs of the graph.
    pub(crate) fn plain_slot(&mut self, value: ValueId) -> Result<usize, Error> {
        self.represent(value, &Layout::Plain(self.graph.shape(value).clone()))
    }

    /// Slot of an input.
    pub(crate) fn input_slot(&self, value: ValueId) -> usize {
        self.values[value.0][0].slot
    }
}
