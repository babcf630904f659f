// SPDX-License-Identifier: Apache-2.0
//! From the text of a document to a [`Node`].
//!
//! Bounded in every direction: the size of the text, the depth, and what aliases add up to, since nine lines of
//! aliases can stand for a billion values.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use granit_parser::{ErrorKind, Event, Options, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};
use serde_json::Value;

use super::node::{Content, Entry, Node};
use super::scalar;
use super::split::Chunk;
use crate::rules::quoted;

/// Largest document: an API server takes no larger object.
const MAX_TEXT: usize = 3 * 1024 * 1024;
/// Deepest nesting: nothing that Kubernetes knows comes near.
const MAX_DEPTH: usize = 100;
/// What a document may weigh with its aliases written out.
const MAX_WEIGHT: usize = 16 * 1024 * 1024;
/// What a value weighs beside its characters.
const VALUE: usize = 16;

/// What to do about a Helm template.
pub(in crate::cli) const RENDER_FIRST: &str =
    "render the chart first: helm template CHART | celery-operator lint -";

/// Why a document cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Defect {
    /// Line within the file.
    pub(super) line: usize,
    /// What is wrong.
    pub(super) why: String,
}

/// The documents of a chunk, the empty ones left out.
///
/// # Errors
/// The first [`Defect`]: after it nothing can be told for sure.
pub(super) fn nodes(chunk: &Chunk<'_>) -> Result<Vec<Node>, Defect> {
    let before = chunk.lines_before;
    if chunk.text.len() > MAX_TEXT {
        let why =
            format!("the document is larger than {} MiB, which no API server takes", MAX_TEXT / 1024 / 1024);
        return Err(Defect { line: before + 1, why });
    }
    // In JSON a tab is as good as a blank; YAML does not take one for indentation.
    let is_json = chunk.text.trim_start_matches(['-', ' ', '\t', '\r', '\n']).starts_with(['{', '[']);
    let text = if is_json { Cow::from(chunk.text.replace('\t', " ")) } else { Cow::from(chunk.text) };
    Reader::new(&text, before).documents().map_err(|defect| {
        let why = if chunk.text.contains("{{") {
            format!("is a Helm template and no YAML yet; {RENDER_FIRST}")
        } else {
            defect.why
        };
        Defect { why, ..defect }
    })
}

struct Reader<'t> {
    parser: Parser<'t, StrInput<'t>>,
    text: &'t str,
    /// Anchored nodes with their weight.
    anchors: HashMap<usize, (Node, usize)>,
    weight: usize,
    /// Lines of the file before the text.
    before: usize,
}

type Next<'t> = (Event<'t>, usize);

impl<'t> Reader<'t> {
    fn new(text: &'t str, before: usize) -> Self {
        let mut options = Options::default();
        options.set_emit_comments(false);
        Self {
            parser: Parser::new_from_str_with_options(text, options),
            text,
            anchors: HashMap::new(),
            weight: 0,
            before,
        }
    }

    fn next(&mut self) -> Result<Option<Next<'t>>, Defect> {
        let before = self.before;
        let defect =
            |error: ScanError| Defect { line: before + error.marker().line().max(1), why: told(&error) };
        let next = self.parser.next_event().transpose().map_err(defect)?;
        Ok(next.map(|(event, span): (Event<'t>, Span)| {
            (self.as_written(event, &span), before + span.start.line().max(1))
        }))
    }

    /// The parser gives a `~` where nothing is written.
    fn as_written(&self, event: Event<'t>, span: &Span) -> Event<'t> {
        match event {
            Event::Scalar(text, style, anchor, tag) if text == "~" => {
                let is_there = span
                    .start
                    .byte_offset()
                    .and_then(|at| self.text.get(at..))
                    .is_some_and(|rest| rest.starts_with('~'));
                let text = if is_there || style != ScalarStyle::Plain { text } else { Cow::default() };
                Event::Scalar(text, style, anchor, tag)
            }
            event => event,
        }
    }

    fn documents(mut self) -> Result<Vec<Node>, Defect> {
        let mut nodes = Vec::new();
        while let Some((event, line)) = self.next()? {
            match event {
                Event::DocumentStart(..) => {
                    self.anchors.clear();
                    self.weight = 0;
                }
                Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
                event => {
                    let node = self.node(event, line, 0)?;
                    if !matches!(&node.content, Content::Scalar { meaning: Value::Null, .. }) {
                        nodes.push(node);
                    }
                }
            }
        }
        Ok(nodes)
    }

    fn node(&mut self, event: Event<'t>, line: usize, depth: usize) -> Result<Node, Defect> {
        if depth > MAX_DEPTH {
            return Err(Defect { line, why: too_deep() });
        }
        let before = self.weight;
        let (node, anchor) = match event {
            Event::Alias(id) => {
                let (node, weight) = self.anchors.get(&id).cloned().ok_or_else(|| Defect {
                    line,
                    why: "has an alias inside of its own anchor".to_owned(),
                })?;
                self.add(weight, line)?;
                return Ok(node);
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.add(VALUE + text.len(), line)?;
                let meaning = meaning(&text, style, tag.as_deref());
                (Node { line, content: Content::Scalar { meaning, text: Arc::from(text.as_ref()) } }, anchor)
            }
            Event::SequenceStart(_, anchor, _) => {
                self.add(VALUE, line)?;
                (Node { line, content: Content::List(Arc::new(self.items(depth)?)) }, anchor)
            }
            Event::MappingStart(_, anchor, _) => {
                self.add(VALUE, line)?;
                (Node { line, content: Content::Map(Arc::new(self.entries(depth)?)) }, anchor)
            }
            _ => return Err(Defect { line, why: "is not YAML: a value is missing".to_owned() }),
        };
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), self.weight - before));
        }
        Ok(node)
    }

    fn add(&mut self, weight: usize, line: usize) -> Result<(), Defect> {
        self.weight = self.weight.saturating_add(weight);
        if self.weight > MAX_WEIGHT {
            let why = "holds more values than an API server takes, its aliases written out".to_owned();
            return Err(Defect { line, why });
        }
        Ok(())
    }

    fn items(&mut self, depth: usize) -> Result<Vec<Node>, Defect> {
        let mut items = Vec::new();
        while let Some((event, line)) = self.next()? {
            if event == Event::SequenceEnd {
                break;
            }
            items.push(self.node(event, line, depth + 1)?);
        }
        Ok(items)
    }

    fn entries(&mut self, depth: usize) -> Result<Vec<Entry>, Defect> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut merged = Vec::new();
        let mut lines: HashMap<String, usize> = HashMap::new();
        while let Some((event, line)) = self.next()? {
            if event == Event::MappingEnd {
                break;
            }
            let is_merge = matches!(&event, Event::Scalar(text, ScalarStyle::Plain, _, _) if text == "<<");
            let key = self.node(event, line, depth + 1)?;
            let Some((event, value_line)) = self.next()? else { break };
            let node = self.node(event, value_line, depth + 1)?;
            if is_merge {
                merged.extend(merge_sources(node, line)?);
                continue;
            }
            let key = key_text(&key)?;
            if let Some(first) = lines.insert(key.clone(), line) {
                let why =
                    format!("has the key \"{}\" twice, first in line {first}; remove one", quoted(&key));
                return Err(Defect { line, why });
            }
            entries.push(Entry { key, line, node });
        }
        // What is written here counts more than what is merged in, and an earlier source more than a later one.
        for entry in merged {
            if !lines.contains_key(&entry.key) {
                lines.insert(entry.key.clone(), entry.line);
                entries.push(entry);
            }
        }
        Ok(entries)
    }
}

/// What the parser stumbled over, where that has words of ours.
fn told(error: &ScanError) -> String {
    match error.kind() {
        ErrorKind::RecursionLimitExceeded => too_deep(),
        ErrorKind::UnexpectedCharacter { character: letter @ ('@' | '`' | '%' | '|' | '>') } => {
            format!("is not YAML: no text begins with {letter}; put it in quotes")
        }
        _ => format!("is not YAML: {}", error.info()),
    }
}

fn too_deep() -> String {
    format!(
        "is nested more than {MAX_DEPTH} levels deep, as no object is; look for brackets that nothing closes"
    )
}

/// The entries that `<<` brings in.
fn merge_sources(node: Node, line: usize) -> Result<Vec<Entry>, Defect> {
    match node.content {
        Content::Map(entries) => Ok(entries.as_ref().clone()),
        Content::List(nodes) => {
            let sources: Result<Vec<Vec<Entry>>, Defect> = nodes
                .iter()
                .map(|node| match &node.content {
                    Content::Map(entries) => Ok(entries.as_ref().clone()),
                    _ => Err(Defect { line, why: "merges something that is no mapping".to_owned() }),
                })
                .collect();
            Ok(sources?.concat())
        }
        Content::Scalar { .. } => Err(Defect { line, why: "merges something that is no mapping".to_owned() }),
    }
}

/// A key as JSON has it: numbers and truth values become texts.
fn key_text(key: &Node) -> Result<String, Defect> {
    match &key.content {
        Content::Scalar { meaning: Value::String(text), .. } => Ok(text.clone()),
        Content::Scalar { meaning: Value::Bool(value), .. } => Ok(value.to_string()),
        Content::Scalar { meaning: Value::Number(number), .. } => Ok(number.to_string()),
        _ => Err(Defect { line: key.line, why: "has a key that is no text".to_owned() }),
    }
}

fn meaning(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Value {
    match tag.and_then(Tag::core_suffix) {
        Some("int" | "float" | "bool" | "null") => scalar::resolved(text),
        None if style == ScalarStyle::Plain && tag.is_none() => scalar::resolved(text),
        _ => Value::String(text.to_owned()),
    }
}
