// SPDX-License-Identifier: Apache-2.0
//! A closed list of words that still reads what is not on it.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An enumeration of words as they are written in YAML.
pub trait Word: Copy + Eq + 'static {
    /// Every spelling that is accepted and what it means; the first spelling of a meaning is the one shown to users.
    const SPELLINGS: &'static [(&'static str, Self)];

    /// The spellings as one list for messages: `a, b, c`.
    #[must_use]
    fn supported() -> String {
        Self::SPELLINGS.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ")
    }

    /// The first spelling of this meaning.
    #[must_use]
    fn as_str(self) -> &'static str {
        Self::SPELLINGS.iter().find(|(_, meaning)| *meaning == self).map_or("", |(word, _)| word)
    }
}

/// A word of `T`, or whatever else was written: the schema refuses the latter, the rules explain it.
#[derive(Clone, PartialEq, Eq)]
pub struct Open<T> {
    written: String,
    meaning: Option<T>,
}

impl<T: Word> Open<T> {
    /// What the word means; `None` for a word that is not on the list.
    pub fn known(&self) -> Option<T> {
        self.meaning
    }

    /// The word as the user wrote it.
    pub fn written(&self) -> &str {
        &self.written
    }
}

/// The word that was not written: it means nothing.
impl<T: Word> Default for Open<T> {
    fn default() -> Self {
        Self::from("")
    }
}

impl<T: Word> From<T> for Open<T> {
    fn from(meaning: T) -> Self {
        Self { written: meaning.as_str().to_owned(), meaning: Some(meaning) }
    }
}

impl<T: Word> From<&str> for Open<T> {
    fn from(written: &str) -> Self {
        let meaning = T::SPELLINGS.iter().find(|(word, _)| *word == written).map(|(_, meaning)| *meaning);
        Self { written: written.to_owned(), meaning }
    }
}

impl<T: Word> fmt::Debug for Open<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.written, f)
    }
}

impl<T: Word> Serialize for Open<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.written)
    }
}

impl<'de, T: Word> Deserialize<'de> for Open<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = String::deserialize(deserializer)?;
        Ok(Self::from(written.as_str()))
    }
}

impl<T: Word> JsonSchema for Open<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        std::any::type_name::<T>().into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words: Vec<&str> = T::SPELLINGS.iter().map(|(word, _)| *word).collect();
        json_schema!({ "type": "string", "enum": words })
    }
}
