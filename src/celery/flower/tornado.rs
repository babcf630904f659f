// SPDX-License-Identifier: Apache-2.0
//! What tornado takes, which reads Flower's options: types of values, words of its own options, and names that it has
//! already.

use crate::celery::expansion::expands;
use crate::celery::number;
use crate::celery::options::flower::{Spec, TornadoType};

/// What tornado refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// `--port 5555`: the value is not behind a `=`.
    MissingValue(&'static Spec),
    /// A value that is not of the option's type.
    BadValue(&'static Spec),
    /// `--help=yes`
    UnexpectedValue(&'static Spec),
    /// No option, but the name of something in tornado, which Flower takes for one.
    Reserved,
}

/// What tornado says to a word with this option in it.
pub(super) fn fault(option: &'static Spec, value: Option<&str>) -> Option<Cause> {
    match value {
        None if option.kind == TornadoType::Bool => None,
        None => Some(Cause::MissingValue(option)),
        Some(value) if expands(value) || fits(option.kind, value) => None,
        Some(_) => Some(Cause::BadValue(option)),
    }
}

/// Whether Flower can use this text of a variable. Switches take any here: which words they know is the caller's matter.
#[must_use]
pub fn takes_variable(option: &Spec, text: &str) -> bool {
    match option.kind {
        TornadoType::Text if option.name == "logging" => LEVELS.contains(&text.to_uppercase().as_str()),
        kind => fits(kind, text),
    }
}

/// Whether a text switches an option on, as an argument.
#[must_use]
pub fn is_true(text: &str) -> bool {
    !["false", "f", "0"].contains(&text.to_lowercase().as_str())
}

fn fits(kind: TornadoType, value: &str) -> bool {
    match kind {
        TornadoType::Text | TornadoType::Bool | TornadoType::Texts => true,
        TornadoType::Int => number::int(value).is_some(),
        TornadoType::Float => number::float(value).is_some(),
        TornadoType::Floats => value.split(',').all(|part| number::float(part).is_some()),
        TornadoType::Function => false,
    }
}

/// The levels of tornado's `--logging`.
pub(super) const LEVELS: &[&str] =
    &["NONE", "DEBUG", "INFO", "WARN", "WARNING", "ERROR", "CRITICAL", "FATAL", "NOTSET"];

/// The units of tornado's `--log_rotate_when`.
pub(super) const UNITS: &[&str] = &["S", "M", "H", "D", "MIDNIGHT", "W0", "W1", "W2", "W3", "W4", "W5", "W6"];

/// What Flower takes for options although tornado has none of these names.
pub(super) const RESERVED: &[&str] = &[
    "_help_callback",
    "_normalize_name",
    "_options",
    "_parse_callbacks",
    "add_parse_callback",
    "as_dict",
    "define",
    "group_dict",
    "groups",
    "items",
    "mockable",
    "parse_command_line",
    "parse_config_file",
    "print_help",
    "run_parse_callbacks",
    "__class__",
    "__contains__",
    "__delattr__",
    "__dict__",
    "__dir__",
    "__doc__",
    "__eq__",
    "__format__",
    "__ge__",
    "__getattr__",
    "__getattribute__",
    "__getitem__",
    "__gt__",
    "__hash__",
    "__init__",
    "__init_subclass__",
    "__iter__",
    "__le__",
    "__lt__",
    "__module__",
    "__ne__",
    "__new__",
    "__reduce__",
    "__reduce_ex__",
    "__repr__",
    "__setattr__",
    "__setitem__",
    "__sizeof__",
    "__str__",
    "__subclasshook__",
    "__weakref__",
];
