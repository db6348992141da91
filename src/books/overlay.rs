//! Changed copies over values that stay as they are, with the steps that undo the latest changes.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};

/// The changed values by key.
#[derive(Debug)]
pub(super) struct Overlay<K, V, S> {
    changed: HashMap<K, V, S>,
    /// What each key changed since the last mark had before: `None` if it had not been changed.
    undo: Vec<(K, Option<V>)>,
}

impl<K, V, S> Overlay<K, V, S>
where
    K: Copy + Eq + Hash,
    V: Clone,
    S: BuildHasher + Default,
{
    pub(super) fn new() -> Self {
        Self {
            changed: HashMap::default(),
            undo: Vec::new(),
        }
    }

    /// The changed value, if the key has one.
    pub(super) fn get(&self, key: K) -> Option<&V> {
        self.changed.get(&key)
    }

    pub(super) fn put(&mut self, key: K, value: V) {
        let before = self.changed.insert(key, value);
        self.undo.push((key, before));
    }

    /// Keeps every change up to here.
    pub(super) fn mark(&mut self) {
        self.undo.clear();
    }

    /// Undoes the changes since the last mark.
    pub(super) fn undo(&mut self) {
        for (key, before) in self.undo.drain(..).rev() {
            match before {
                Some(value) => self.changed.insert(key, value),
                None => self.changed.remove(&key),
            };
        }
    }

    /// Forgets every change.
    pub(super) fn clear(&mut self) {
        self.changed.clear();
        self.undo.clear();
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (K, &V)> {
        self.changed.iter().map(|(key, value)| (*key, value))
    }
}
