// SPDX-License-Identifier: Apache-2.0
//! A document as it is written: values with their lines.

use std::sync::Arc;

use serde_json::{Map, Value};

/// A value and the line it begins in, from 1. Cheap to clone: an alias shares what its anchor holds.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::cli) struct Node {
    pub(super) line: usize,
    pub(super) content: Content,
}

/// What stands there.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Content {
    /// A scalar: its meaning, and the text as it is written, without quotes.
    Scalar { meaning: Value, text: Arc<str> },
    /// A list.
    List(Arc<Vec<Node>>),
    /// A mapping, in the order of the text.
    Map(Arc<Vec<Entry>>),
}

/// A key with its value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    /// Line of the key.
    pub(super) line: usize,
    pub(super) node: Node,
}

impl Node {
    /// The value without its lines.
    #[must_use]
    pub(in crate::cli) fn value(&self) -> Value {
        match &self.content {
            Content::Scalar { meaning, .. } => meaning.clone(),
            Content::List(items) => Value::Array(items.iter().map(Node::value).collect()),
            Content::Map(entries) => {
                let pairs = entries.iter().map(|entry| (entry.key.clone(), entry.node.value()));
                Value::Object(pairs.collect::<Map<String, Value>>())
            }
        }
    }

    /// The line of the field at a path such as `spec.scaleTargetRef[0].kind` or `metadata.labels[a.b/c]`; of the nearest
    /// parent that is written when the field is absent.
    #[must_use]
    pub(in crate::cli) fn line_at(&self, path: &str) -> usize {
        self.walk(path).0
    }

    /// The text of the scalar at a path, as it is written; `None` when there is no scalar.
    #[must_use]
    pub(in crate::cli) fn text_at(&self, path: &str) -> Option<&str> {
        match &self.walk(path).1?.content {
            Content::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The nearest line, and the node when the path is there in full.
    fn walk(&self, path: &str) -> (usize, Option<&Self>) {
        let (mut node, mut line, mut rest) = (self, self.line, path);
        while !rest.is_empty() {
            let Some((next, at, remaining)) = node.step(rest) else {
                return (line, None);
            };
            (node, line) = (next, at);
            rest = remaining.strip_prefix('.').unwrap_or(remaining);
        }
        (line, Some(node))
    }

    /// One step into the value: the next node, the line that names it, what is left of the path. Keys may hold points,
    /// so the longest key that fits is taken.
    fn step<'p>(&self, path: &'p str) -> Option<(&Self, usize, &'p str)> {
        match &self.content {
            Content::Scalar { .. } => None,
            Content::List(items) => {
                let (index, rest) = path.strip_prefix('[')?.split_once(']')?;
                let item = items.get(index.parse::<usize>().ok()?)?;
                Some((item, item.line, rest))
            }
            Content::Map(entries) => {
                let fits = |entry: &Entry| {
                    let plain = path.strip_prefix(entry.key.as_str()).filter(|rest| {
                        !entry.key.is_empty() && (rest.is_empty() || rest.starts_with(['.', '[']))
                    });
                    let bracketed =
                        || path.strip_prefix('[')?.strip_prefix(entry.key.as_str())?.strip_prefix(']');
                    plain.or_else(bracketed).map(str::len)
                };
                let (rest, entry) = entries
                    .iter()
                    .filter_map(|entry| Some((fits(entry)?, entry)))
                    .min_by_key(|(rest, _)| *rest)?;
                Some((&entry.node, entry.line, path.get(path.len() - rest..)?))
            }
        }
    }

    /// The items of a `List` object, or the node itself when it is none.
    pub(super) fn take_items(self, is_list: bool) -> Result<Vec<Self>, Self> {
        if let Content::Map(entries) = &self.content
            && is_list
            && let Some(items) = entries.iter().find(|entry| entry.key == "items")
            && let Content::List(items) = &items.node.content
        {
            return Ok(items.as_ref().clone());
        }
        Err(self)
    }
}
