//! The workspaces of one replica, by plan, in one piece of memory.

use crate::Error;
use nn::{Arena, Plan, Prepared, Workspace};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

/// Workspaces that take turns in one arena, which is as large as the largest of them needs.
pub(crate) struct Workspaces<K> {
    arena: Option<Arc<Arena>>,
    by_key: BTreeMap<K, Workspace>,
}

impl<K: Ord + Copy> Workspaces<K> {
    pub fn new() -> Self {
        Workspaces { arena: None, by_key: BTreeMap::new() }
    }

    /// Makes the workspaces of these plans, if they are not there; may drop others.
    pub fn ready(&mut self, plans: &[(K, &Arc<Plan>, &Prepared)]) -> Result<(), Error> {
        let needed = plans.iter().map(|(_, plan, _)| plan.arena_bytes()).max();
        let arena = match self.arena.take() {
            Some(arena) if Some(arena.bytes()) >= needed => arena,
            small => {
                // The old memory goes before the new comes.
                self.by_key.clear();
                drop(small);
                Arena::new(needed.unwrap_or(0))?
            }
        };
        for &(key, plan, prepared) in plans {
            if let Entry::Vacant(entry) = self.by_key.entry(key) {
                entry.insert(Workspace::sharing(prepared, plan, &arena)?);
            }
        }
        self.arena = Some(arena);
        Ok(())
    }

    pub fn get(&mut self, key: K) -> Option<&mut Workspace> {
        self.by_key.get_mut(&key)
    }
}
