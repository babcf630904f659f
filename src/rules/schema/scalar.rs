// SPDX-License-Identifier: Apache-2.0
//! What the schema asks of texts and numbers.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use regex::Regex;
use serde_json::Value;

/// What is wrong, and what to write instead.
pub(super) type Breach = (String, String);

/// What a text has to be; absent bounds are open.
#[derive(Debug)]
pub(super) struct Text {
    /// Fewest characters.
    pub(super) min: Option<u64>,
    /// Most characters.
    pub(super) max: Option<u64>,
    pub(super) pattern: Option<Regex>,
    pub(super) is_time: bool,
}

/// What a number has to be; absent bounds are open.
#[derive(Debug)]
pub(super) struct Number {
    pub(super) whole: bool,
    pub(super) min: Option<f64>,
    pub(super) max: Option<f64>,
    /// What the type of the field can hold.
    pub(super) range: (f64, f64),
}

impl Text {
    pub(super) fn breach(&self, text: &str) -> Option<Breach> {
        let length = text.chars().count() as u64;
        if self.min.is_some_and(|min| length < min) || self.max.is_some_and(|max| length > max) {
            return Some((format!("has {length} characters"), between("characters", self.min, self.max)));
        }
        if let Some(pattern) = self.pattern.as_ref().filter(|pattern| !pattern.is_match(text)) {
            return Some((
                "does not have the form of the field".to_owned(),
                format!("write what fits {pattern}"),
            ));
        }
        let no_time = self.is_time && serde_json::from_value::<Time>(Value::from(text)).is_err();
        no_time.then(|| ("is not a time".to_owned(), "use one such as 2030-01-31T12:00:00Z".to_owned()))
    }
}

impl Number {
    /// What the type of a format can hold.
    pub(super) fn range(format: Option<&str>) -> (f64, f64) {
        match format {
            Some("int32") => (f64::from(i32::MIN), f64::from(i32::MAX)),
            Some("uint32") => (0.0, f64::from(u32::MAX)),
            _ => (f64::MIN, f64::MAX),
        }
    }

    /// Whether the type of the field can hold the number; what is only out of bounds it can.
    pub(super) fn holds(&self, number: f64) -> bool {
        (self.range.0..=self.range.1).contains(&number)
    }

    pub(super) fn breach(&self, number: f64) -> Option<Breach> {
        let least = self.min.unwrap_or(self.range.0);
        let most = self.max.unwrap_or(self.range.1);
        if (least..=most).contains(&number) {
            return None;
        }
        let fix = match (least > f64::MIN, most < f64::MAX) {
            (true, true) => format!("use {least} to {most}"),
            (true, false) => format!("use {least} or more"),
            _ => format!("use {most} or less"),
        };
        Some(("is out of bounds".to_owned(), fix))
    }
}

/// What to write where a count is out of bounds.
pub(super) fn between(what: &str, min: Option<u64>, max: Option<u64>) -> String {
    match (min, max) {
        (Some(min), Some(max)) => format!("use {min} to {max} {what}"),
        (Some(min), None) => format!("use at least {min} {what}"),
        (None, max) => format!("use at most {} {what}", max.unwrap_or(u64::MAX)),
    }
}
