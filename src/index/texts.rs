// SPDX-License-Identifier: Apache-2.0
//! Texts that many objects have in common, each kept once.

use std::collections::HashSet;
use std::sync::Arc;

/// Texts, each once, for as long as somebody has it.
#[derive(Default)]
pub(super) struct Texts(HashSet<Arc<str>>);

impl Texts {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The text itself, or the same one where it is here already.
    pub(super) fn shared(&mut self, text: Arc<str>) -> Arc<str> {
        if let Some(known) = self.0.get(&text) {
            return known.clone();
        }
        self.0.insert(text.clone());
        text
    }

    /// Takes note that somebody drops a text: one that nobody else has goes.
    pub(super) fn release(&mut self, text: &Arc<str>) {
        // The set has one, the caller the other.
        if Arc::strong_count(text) <= 2 {
            self.0.remove(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_once_and_as_long_as_somebody_has_it() {
        let mut texts = Texts::default();
        let (first, second) = (texts.shared("a".into()), texts.shared("a".into()));
        let other = texts.shared("b".into());
        assert!(Arc::ptr_eq(&first, &second));
        texts.release(&first);
        drop(first);
        assert_eq!(texts.len(), 2);
        texts.release(&second);
        assert_eq!(texts.0, HashSet::from([other]));
    }
}
