//! Steps that a shard takes by itself.

use crate::plans::{PlanKey, Plans};
use crate::tree::Root;
use crate::{Error, Optimizer, Update};
use nn::{ParameterTable, Prepared};
use std::collections::BTreeSet;
use std::sync::Arc;
use tensor::{Buffer, SharedSlice};

/// How a shard trains by itself between two exchanges.
#[derive(Clone, Debug)]
pub struct LocalSteps {
    /// Steps from one exchange to the next, 1 or more.
    pub steps: usize,
    /// The rule of a step; it begins without state each time.
    pub optimizer: Optimizer,
}

/// Weights of a replica's own, as they are after each step, and the state of its optimizer.
pub(crate) struct Own {
    prepared: Option<Prepared>,
    served: BTreeSet<PlanKey>,
    /// Before and after a step.
    weights: [Arc<Buffer>; 2],
    state: [Vec<f32>; 2],
}

/// What a step of a shard is made with.
#[derive(Clone, Copy)]
pub(crate) struct Rule<'a> {
    pub optimizer: &'a Optimizer,
    pub parameters: &'a ParameterTable,
    /// Exchanges before this one.
    pub iteration: u64,
    pub rate_factor: f64,
}

impl Own {
    /// Memory for `len` weights and their state.
    pub fn new(optimizer: &Optimizer, len: usize) -> Result<Own, Error> {
        let vector = || Ok::<_, Error>(Arc::new(Buffer::new(len * size_of::<f32>())?));
        let state = vec![0.0; optimizer.slots() * len];
        Ok(Own {
            prepared: None,
            served: BTreeSet::new(),
            weights: [vector()?, vector()?],
            state: [state.clone(), state],
        })
    }

    /// Serves the plans of `keys`.
    pub fn ready(&mut self, keys: &BTreeSet<PlanKey>, plans: &Plans) -> Result<(), Error> {
        for &key in keys.difference(&self.served) {
            let plan = plans.plan(key).ok_or_else(|| Error::missing_plan(key.batch))?;
            match &mut self.prepared {
                Some(prepared) => prepared.add(plan)?,
                none => *none = Some(Prepared::new(plan)?),
            }
        }
        self.served.extend(keys);
        Ok(())
    }

    /// The weights in the layouts of its plans, if it serves any.
    pub fn prepared(&self) -> Option<&Prepared> {
        self.prepared.as_ref()
    }

    /// Begins with these weights and no state.
    pub fn begin(&mut self, weights: &Buffer) -> Result<(), Error> {
        let own = &self.weights[0];
        SharedSlice::new(own, 0, own.bytes())?.f32_mut().copy_from_slice(weights.f32());
        self.state[0].fill(0.0);
        Ok(())
    }

    /// Brings the weights into the layouts of its plans.
    pub fn prepare(&mut self) -> Result<(), Error> {
        let weights = &self.weights[0];
        Ok(self.prepared.as_mut().map_or(Ok(()), |prepared| prepared.prepare(weights))?)
    }

    /// Takes step `age` along `gradient`.
    pub fn step(&mut self, rule: &Rule<'_>, age: u64, gradient: &Buffer) -> Result<(), Error> {
        let [old, new] = &self.weights;
        let [state_old, state_new] = &mut self.state;
        let update = Update {
            optimizer: rule.optimizer,
            parameters: rule.parameters,
            slice: 0..rule.parameters.len(),
            iteration: rule.iteration,
            age,
            rate_factor: rule.rate_factor,
            sums: &[],
            shards: 1,
            roots: &[Root { first: 0, level: 0 }],
            gradients: &[gradient.f32()],
            rounding: None,
            weights_old: old.f32(),
            state_old,
        };
        let sums = update.partial_sums()?;
        let mut new = SharedSlice::new(new, 0, new.bytes())?;
        Update { sums: &sums, ..update }.run(new.f32_mut(), state_new)?;
        self.weights.swap(0, 1);
        self.state.swap(0, 1);
        Ok(())
    }

    /// The weights after the last step.
    pub fn weights(&self) -> &[f32] {
        self.weights[0].f32()
    }
}
