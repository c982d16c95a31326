//! From graph to steps: each op emits primitives or plain kernels; layouts are kept from op to op
//! and reorders are placed where two ops disagree.

mod descriptors;
mod inference;
mod primitives;

use crate::evaluate::Evaluate;
use crate::graph::{Graph, Node, Source, ValueId};
use crate::layout::{Layout, elements};
use crate::op::{Kernel, TypedKernel};
use crate::precision::Half;
use crate::step::{Action, Place, REORDER, Slot, Step};
use crate::{Error, OpError, PlanOptions, TensorType};
use onednn::{Attr, MemoryDesc, Primitive, PrimitiveDesc, arg};
use std::sync::Arc;
use tensor::{Buffer, DType, Shape, View, ViewMut};

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
    pub(crate) constants: Vec<Arc<Buffer>>,
    pub(crate) prologue: Vec<Step>,
    pub(crate) steps: Vec<Step>,
    values: Vec<Vec<Representation>>,
    node: usize,
    onednn: bool,
    threads: usize,
    half: Half,
}

impl<'g> Compiler<'g> {
    pub(crate) fn new(graph: &'g Graph, options: PlanOptions) -> Result<Compiler<'g>, Error> {
        let mut compiler = Compiler {
            graph,
            slots: Vec::new(),
            constants: Vec::new(),
            prologue: Vec::new(),
            steps: Vec::new(),
            values: vec![Vec::new(); graph.values.len()],
            node: 0,
            onednn: options.onednn && onednn::loaded().is_some(),
            threads: options.threads,
            half: Half::new(graph, options.precision),
        };
        let mut used = vec![false; graph.values.len()];
        let read = graph.nodes.iter().flat_map(|node| node.src.iter().copied());
        read.chain(graph.roots()).for_each(|value| used[value.0] = true);
        for (i, value) in graph.values.iter().enumerate() {
            let place = match &value.source {
                Source::Input => Place::Arena,
                &Source::Parameter(p) => Place::Weights(graph.parameters.at(p).offset),
                Source::Constant(tensor) if used[i] => {
                    compiler.constants.push(Arc::new(Buffer::from_view(tensor.view())?));
                    Place::Constant(compiler.constants.len() - 1)
                }
                Source::Constant(_) | Source::Node(_) => continue,
            };
            let layout = Layout::Plain(value.ty.clone());
            let slot = compiler.slot(&layout, place);
            compiler.values[i].push(Representation { layout, slot });
        }
        Ok(compiler)
    }

    /// Emits the steps of one node and moves its results to the gradient vector.
    pub(crate) fn node(&mut self, index: usize) -> Result<(), Error> {
        self.node = index;
        let first = self.steps.len();
        let node = &self.graph.nodes[index];
        let is_empty = |&v: &ValueId| self.graph.shape(v).is_empty();
        let dtypes: Vec<DType> =
            node.src.iter().map(|&v| self.graph.tensor_type(v).dtype).collect();
        if !node.op.compiles(&dtypes) {
            self.evaluated(false)?;
        } else if node.dst.iter().all(is_empty)
            || (!node.op.takes_empty() && node.src.iter().any(is_empty))
        {
            // Sums over nothing are zero, and everything else is empty.
            self.typed_kernel(|_: &[View<'_>], dst: &mut [ViewMut<'_>]| {
                dst.iter_mut().for_each(ViewMut::clear);
                Ok(())
            })?;
        } else {
            node.op.compile(self)?;
        }
        // What an op computes is in its last step; those before prepare it.
        if let Some(step) = self.steps[first..].iter_mut().rfind(|step| step.op != REORDER) {
            step.flops = self.graph.node_cost(node).flops;
        }
        for &(parameter, value) in &self.graph.results {
            if node.dst.contains(&value) {
                self.deliver(parameter, value)?;
            }
        }
        Ok(())
    }

    /// Moves results that no node makes to the gradient vector, and gives the outputs' slots.
    pub(crate) fn finish(&mut self) -> Result<Vec<usize>, Error> {
        for &(parameter, value) in &self.graph.results {
            if !matches!(self.graph.values[value.0].source, Source::Node(_)) {
                self.deliver(parameter, value)?;
            }
        }
        self.graph.outputs.iter().map(|&(_, value)| self.output_slot(value)).collect()
    }

    /// Slot of an output, in the arena.
    fn output_slot(&mut self, value: ValueId) -> Result<usize, Error> {
        let slot = self.plain_slot(value)?;
        if self.slots[slot].place == Place::Arena {
            return Ok(slot);
        }
        let layout = Layout::Plain(self.graph.tensor_type(value).clone());
        let output = self.slot(&layout, Place::Arena);
        let action = Action::Typed(Arc::new(copy));
        let (name, op) = ("output".into(), "Output");
        let (src, dst) = (vec![slot], vec![output]);
        self.steps.push(Step { name, op, action, src, dst, flops: 0.0 });
        Ok(output)
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

    /// Element type and shape of source `i`.
    pub fn src_type(&self, i: usize) -> &'g TensorType {
        self.graph.tensor_type(self.current().src[i])
    }

    /// Element type and shape of output `o`.
    pub fn dst_type(&self, o: usize) -> &'g TensorType {
        self.graph.tensor_type(self.current().dst[o])
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
            let slot = self.slot(&layout, Place::Arena);
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
            let md = descriptor.exec_arg_md(arg);
            sources.push(self.represent(value, &self.row_major(value, elements(&md)))?);
            args.push((arg, md));
        }
        let md = descriptor.exec_arg_md(dst);
        let layout = self.row_major(node.dst[0], elements(&md));
        let slot = self.slot(&layout, Place::Arena);
        self.values[node.dst[0].0].push(Representation { layout, slot });
        args.push((dst, md));
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

    /// Emits a plain kernel over all sources and outputs, each row-major f32.
    ///
    /// # Errors
    /// [`Error::Onednn`] if a source cannot be reordered.
    pub fn kernel(&mut self, kernel: impl Kernel) -> Result<(), Error> {
        let (src, dst) = self.operands();
        self.kernel_on(kernel, &src, &dst)
    }

    /// Emits a plain kernel over all sources and outputs, each row-major and of its own type.
    ///
    /// # Errors
    /// [`Error::Onednn`] if a source cannot be reordered.
    pub fn typed_kernel(&mut self, kernel: impl TypedKernel) -> Result<(), Error> {
        let (src, dst) = self.operands();
        self.action_on(Action::Typed(Arc::new(kernel)), &src, &dst)
    }

    /// As [`Compiler::typed_kernel`]; in a bf16 plan an f32 source may come in bf16.
    ///
    /// # Errors
    /// [`Error::Onednn`] if a source cannot be reordered.
    pub fn kernel_as_given(&mut self, kernel: impl TypedKernel) -> Result<(), Error> {
        let (src, dst) = self.operands();
        let mut slots = Vec::with_capacity(src.len());
        for operand in src {
            let value = self.value(operand);
            let dtype = self.values[value.0][0].layout.dtype();
            slots.push(self.represent(value, &self.row_major(value, dtype))?);
        }
        self.step_on(Action::Typed(Arc::new(kernel)), slots, &dst);
        Ok(())
    }

    /// Emits a step that calls the op's `evaluate`.
    ///
    /// # Errors
    /// [`Error::Onednn`] if a source cannot be reordered.
    pub fn evaluate(&mut self) -> Result<(), Error> {
        self.evaluated(true)
    }

    fn evaluated(&mut self, only: bool) -> Result<(), Error> {
        let node = self.current();
        let src = node.src.iter().map(|&v| self.graph.tensor_type(v).clone()).collect();
        let kernel = Evaluate { op: node.op.clone(), src, only };
        let src: Vec<Operand> = (0..node.src.len()).map(Operand::Src).collect();
        let dst: Vec<usize> = (0..node.dst.len()).collect();
        self.action_on(Action::Typed(Arc::new(kernel)), &src, &dst)
    }

    /// The sources that are read, and all outputs.
    fn operands(&self) -> (Vec<Operand>, Vec<usize>) {
        let node = self.current();
        let read = (0..node.src.len()).filter(|&i| node.op.reads(i));
        (read.map(Operand::Src).collect(), (0..node.dst.len()).collect())
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
        self.action_on(Action::Kernel(Arc::new(kernel)), src, dst)
    }

    fn action_on(&mut self, action: Action, src: &[Operand], dst: &[usize]) -> Result<(), Error> {
        let mut sources = Vec::with_capacity(src.len());
        for &operand in src {
            let value = self.value(operand);
            sources.push(self.plain_slot(value)?);
        }
        self.step_on(action, sources, dst);
        Ok(())
    }

    fn value(&self, operand: Operand) -> ValueId {
        match operand {
            Operand::Src(i) => self.current().src[i],
            Operand::Dst(o) => self.current().dst[o],
        }
    }

    /// Emits a kernel that makes these outputs, each row-major.
    fn step_on(&mut self, action: Action, sources: Vec<usize>, dst: &[usize]) {
        let node = self.current();
        let mut destinations = Vec::with_capacity(dst.len());
        for &o in dst {
            let value = node.dst[o];
            let layout = Layout::Plain(self.graph.tensor_type(value).clone());
            let slot = self.slot(&layout, Place::Arena);
            self.values[value.0].push(Representation { layout, slot });
            destinations.push(slot);
        }
        let all = || sources.iter().chain(&destinations);
        debug_assert!(
            !matches!(action, Action::Kernel(_))
                || all().all(|&slot| self.slots[slot].dtype == DType::F32),
            "{}: a kernel on f32 has operands of other types",
            self.current().op.name()
        );
        self.emit(action, sources, destinations);
    }

    /// Makes output 0 another view of source 0's row-major bytes.
    ///
    /// # Errors
    /// [`Error::Onednn`] if the source cannot be reordered.
    pub fn alias(&mut self) -> Result<(), Error> {
        let node = self.current();
        let (src, dst) = (node.src[0], node.dst[0]);
        let layout = self.row_major(dst, self.values[src.0][0].layout.dtype());
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
        let slot = self.slot(want, Place::Arena);
        self.convert(&from, want, slot)?;
        self.values[value.0].push(Representation { layout: want.clone(), slot });
        Ok(slot)
    }

    /// Emits the copy or reorder of one representation into a slot.
    fn convert(&mut self, from: &Representation, to: &Layout, slot: usize) -> Result<(), Error> {
        let first = self.steps.len();
        self.reorder(from, to, slot)?;
        self.steps[first..].iter_mut().for_each(|step| step.op = REORDER);
        Ok(())
    }

    fn reorder(&mut self, from: &Representation, to: &Layout, slot: usize) -> Result<(), Error> {
        self.slots[slot].layout = Some(to.clone());
        if from.layout.same(to) {
            self.emit(Action::Typed(Arc::new(copy)), vec![from.slot], vec![slot]);
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
        let to = Layout::Plain(self.graph.tensor_type(value).clone());
        let owned = self.steps.last().is_some_and(|step| step.dst.contains(&from.slot));
        if owned && from.layout.same(&to) && self.slots[from.slot].place == Place::Arena {
            self.slots[from.slot].place = place;
            return Ok(());
        }
        let slot = self.slot(&to, place);
        self.convert(&from, &to, slot)
    }

    fn slot(&mut self, layout: &Layout, place: Place) -> usize {
        let (bytes, dtype) = (layout.bytes(), layout.dtype());
        self.slots.push(Slot { bytes, dtype, place, layout: None });
        self.slots.len() - 1
    }

    /// Adds a step; one that reads nothing but weights and constants runs once per weights, not
    /// once per run.
    fn emit(&mut self, action: Action, src: Vec<usize>, dst: Vec<usize>) {
        let varies = match &action {
            Action::Kernel(kernel) => kernel.depends_on_run(),
            Action::Typed(kernel) => kernel.depends_on_run(),
            Action::Primitive { .. } | Action::Pieces(..) => false,
        };
        let place = |&slot: &usize| self.slots[slot].place;
        let kept =
            |place| matches!(place, Place::Weights(_) | Place::Prepared | Place::Constant(_));
        let written = |slot| self.steps.iter().any(|step| step.dst.contains(slot));
        let free = dst.iter().all(|d| place(d) == Place::Arena && !written(d));
        let prologue = !varies && free && !src.is_empty() && src.iter().map(place).all(kept);
        if prologue {
            dst.iter().for_each(|&d| self.slots[d].place = Place::Prepared);
        }
        let step = self.step(action, src, dst);
        if prologue { self.prologue.push(step) } else { self.steps.push(step) }
    }

    fn step(&self, action: Action, src: Vec<usize>, dst: Vec<usize>) -> Step {
        let node = self.current();
        Step { name: node.name.clone(), op: node.op.name(), action, src, dst, flops: 0.0 }
    }

    /// Row-major layout of a value with elements of this type.
    fn row_major(&self, value: ValueId, dtype: DType) -> Layout {
        Layout::Plain(TensorType::new(dtype, self.graph.shape(value).clone()))
    }

    /// Slot of a value in row-major layout, for the outputs of the graph.
    pub(crate) fn plain_slot(&mut self, value: ValueId) -> Result<usize, Error> {
        self.represent(value, &Layout::Plain(self.graph.tensor_type(value).clone()))
    }

    /// Slot of an input.
    pub(crate) fn input_slot(&self, value: ValueId) -> usize {
        self.values[value.0][0].slot
    }
}

/// Copies the only source.
fn copy(src: &[View<'_>], dst: &mut [ViewMut<'_>]) -> Result<(), OpError> {
    Ok(dst[0].copy_from(src[0])?)
}
