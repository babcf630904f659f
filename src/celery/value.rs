// SPDX-License-Identifier: Apache-2.0
//! What a release makes of the value of an option.

use super::options::ValueKind;
use super::version::{Release, Target};
use super::{closest, number};

/// The names of log levels.
pub const LOG_LEVELS: &[&str] = &["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", "FATAL"];
/// The names of pools; the last one came with 5.3.
pub const POOLS: &[&str] = &["prefork", "eventlet", "gevent", "solo", "processes", "threads", "custom"];

/// A value as it takes effect.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// The option was there.
    Flag,
    /// What a switch was set to.
    Switch(bool),
    /// An integer, cut to what fits.
    Int(i64),
    /// A number.
    Float(f64),
    /// As many processes as the container may use cpus.
    Auto,
    /// Most and fewest children.
    Range(i64, i64),
    /// A text, the name of a level in upper case.
    Text(&'a str),
    /// Names as they were written between commas.
    List(Vec<&'a str>),
}

/// Why a release refuses a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not an integer.
    NotAnInteger,
    /// Not a number.
    NotANumber,
    /// Neither an integer from 0 on nor `auto`.
    NotAConcurrency,
    /// None of the words that are possible; the second is probably meant.
    NotAChoice(&'static [&'static str], Option<&'static str>),
    /// Neither one integer nor two between a comma.
    NotARange,
    /// A `%` with a letter behind it that stands for nothing.
    UnknownFormat(char),
}

/// The value of an option that takes one.
///
/// # Errors
/// What Celery says no to, or crashes over.
pub fn value(kind: ValueKind, text: &str, release: Release) -> Result<Value<'_>, Refusal> {
    match kind {
        ValueKind::Choice(words) if release.has_click() => choice(words, text),
        ValueKind::Flag | ValueKind::Switch | ValueKind::Text | ValueKind::Choice(_) => Ok(Value::Text(text)),
        ValueKind::Int => number::int(text).map(Value::Int).ok_or(Refusal::NotAnInteger),
        ValueKind::Float => number::float(text).map(Value::Float).ok_or(Refusal::NotANumber),
        ValueKind::Concurrency => concurrency(text, release),
        ValueKind::Pool => pool(text, release),
        ValueKind::LogLevel => level(text, release),
        ValueKind::Autoscale => range(text).ok_or(Refusal::NotARange),
        ValueKind::List => Ok(Value::List(text.split(',').collect())),
        ValueKind::NodeName => format(text, "hndiI", release),
        // Here the node's own name is one more word.
        ValueKind::NodePath => format(text, "hndiIp", release),
    }
}

/// Why every release in question refuses a value, in the words of the newest.
#[must_use]
pub fn refused_by_all(kind: ValueKind, text: &str, target: Target) -> Option<Refusal> {
    let read = |release: &Release| value(kind, text, *release).err();
    let refusals: Option<Vec<Refusal>> = target.releases().iter().map(read).collect();
    refusals?.pop()
}

/// What a switch is set to by a variable; `None` for a text that is refused. The words are click's, in any case, and those
/// of Flower, which reads its own variables.
#[must_use]
pub fn click_truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "t" | "yes" | "y" | "on" => Some(true),
        "0" | "false" | "f" | "no" | "n" | "off" => Some(false),
        _ => None,
    }
}

/// Since 5.7 the text is looked at by Celery itself, which takes an empty one for no answer.
fn concurrency(text: &str, release: Release) -> Result<Value<'_>, Refusal> {
    if release < Release::V5_7 {
        return number::int(text).map(Value::Int).ok_or(Refusal::NotAnInteger);
    }
    let blank = |c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c);
    match number::int(text) {
        _ if text.is_empty() => Ok(Value::Int(0)),
        _ if text.trim_matches(blank).to_lowercase() == "auto" => Ok(Value::Auto),
        Some(count) if count >= 0 => Ok(Value::Int(count)),
        _ => Err(Refusal::NotAConcurrency),
    }
}

fn choice<'a>(words: &'static [&'static str], text: &'a str) -> Result<Value<'a>, Refusal> {
    if words.contains(&text) {
        return Ok(Value::Text(text));
    }
    Err(Refusal::NotAChoice(words, closest::of(text, words.iter().copied())))
}

fn pool(text: &str, release: Release) -> Result<Value<'_>, Refusal> {
    match release {
        Release::V4_4 => Ok(Value::Text(text)),
        Release::V5_2 => choice(&POOLS[..POOLS.len() - 1], text),
        _ => choice(POOLS, text),
    }
}

fn level(text: &str, release: Release) -> Result<Value<'_>, Refusal> {
    if !release.has_click() {
        return Ok(Value::Text(text));
    }
    let upper = text.to_uppercase();
    let known = LOG_LEVELS.iter().find(|level| **level == upper);
    known.map(|level| Value::Text(level)).ok_or_else(|| {
        let meant = match upper.as_str() {
            "WARN" => Some("WARNING"),
            "TRACE" | "VERBOSE" | "ALL" => Some("DEBUG"),
            _ => closest::of(&upper, LOG_LEVELS.iter().copied()),
        };
        Refusal::NotAChoice(LOG_LEVELS, meant)
    })
}

/// `max,min` in any order; one number alone is the most, with 0 as the fewest.
fn range(text: &str) -> Option<Value<'_>> {
    let mut ends = text.split(',').map(number::int);
    let (first, second) = (ends.next()??, ends.next().unwrap_or(Some(0))?);
    ends.next().is_none().then(|| Value::Range(first.max(second), first.min(second)))
}

/// Whether a release puts the name of the host, or the part of it that is a name, into the name of a node. Since 5.7
/// `%%h` is the text `%h`; before, it is a `%` and the host.
#[must_use]
pub fn names_the_host(node: &str, release: Release) -> bool {
    let node = if release >= Release::V5_7 { node.replace("%%", "") } else { node.to_owned() };
    node.contains("%h") || node.contains("%n")
}

/// A text in which a `%` stands before a letter of `words`. Since 5.7 `%%` stands for one `%`; before, each `%` is
/// looked at by itself.
fn format<'a>(text: &'a str, words: &str, release: Release) -> Result<Value<'a>, Refusal> {
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let Some(word) = letters.peek().copied().filter(|_| letter == '%') else { continue };
        let doubled = word == '%' && release >= Release::V5_7;
        let is_word = word.is_alphanumeric() || word == '_';
        if is_word && !words.contains(word) {
            return Err(Refusal::UnknownFormat(word));
        }
        if is_word || doubled {
            letters.next();
        }
    }
    Ok(Value::Text(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percent_sign_before_a_letter_stands_for_something() {
        for text in ["", "%", "100% sure", "w@%h", "%n@%d%i%I", "%%h", "%-"] {
            assert!(format(text, "hndiI", Release::V5_6).is_ok(), "{text}");
        }
        assert_eq!(format("w%x", "hndiI", Release::V5_6), Err(Refusal::UnknownFormat('x')));
        assert_eq!(format("%%x", "hndiI", Release::V5_6), Err(Refusal::UnknownFormat('x')));
        assert!(format("%%x", "hndiI", Release::V5_7).is_ok());
    }

    #[test]
    fn two_percent_signs_are_one_since_5_7() {
        for (node, before, since) in
            [("a@%h", true, true), ("a@%%h", true, false), ("a@%%%h", true, true), ("a@%d", false, false)]
        {
            assert_eq!(names_the_host(node, Release::V5_6), before, "{node}");
            assert_eq!(names_the_host(node, Release::V5_7), since, "{node}");
        }
    }

    #[test]
    fn a_range_has_the_greater_end_first() {
        assert_eq!(range("3,10"), Some(Value::Range(10, 3)));
        assert_eq!(range("10"), Some(Value::Range(10, 0)));
        for text in ["", "a", "1,", ",1", "1,2,3", "a,b"] {
            assert_eq!(range(text), None, "{text}");
        }
    }

    #[test]
    fn words_that_people_know_from_elsewhere_are_translated() {
        assert_eq!(
            value(ValueKind::LogLevel, "warn", Release::V5_6),
            Err(Refusal::NotAChoice(LOG_LEVELS, Some("WARNING")))
        );
        assert_eq!(value(ValueKind::LogLevel, "info", Release::V5_6), Ok(Value::Text("INFO")));
        assert_eq!(
            value(ValueKind::Pool, "Prefork", Release::V5_6),
            Err(Refusal::NotAChoice(POOLS, Some("prefork")))
        );
        assert!(value(ValueKind::Pool, "custom", Release::V5_2).is_err());
    }
}
