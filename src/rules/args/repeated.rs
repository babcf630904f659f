// SPDX-License-Identifier: Apache-2.0
//! Options that are said twice: only the last one counts, and nobody is told.

use std::collections::HashMap;

use serde_json::Value;

use super::fields::Fields;
use crate::celery::options::ValueKind;
use crate::celery::reading::{Occurrence, Reading};
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::release;
use crate::rules::subject::Subject;

/// Reports every option of `reading` that was said before, in the arguments or in a field of `written`.
pub(in crate::rules) fn repeated(
    subject: &Subject<'_>,
    path: &str,
    reading: &Reading<'_>,
    written: &Value,
    fields: Fields,
    report: &mut Report<'_>,
) {
    let refused = release::refusal(subject, report.severity());
    let mut before: HashMap<&str, &Occurrence<'_>> = HashMap::new();
    for used in &reading.occurrences {
        let (is_same, message, fix) = match before.insert(used.option.name(), used) {
            // Of one word with a thousand short options one finding is enough.
            Some(before) if before.at == used.at => continue,
            Some(before) => twice(before, used),
            None => {
                let field = fields.iter().find(|(_, option)| *option == used.option.name());
                let said = field.and_then(|(field, _)| Some((*field, written.get(field)?)));
                let Some((field, value)) = said else { continue };
                (says(used, value), format!("{path}.{field} sets this too"), "keep the field only")
            }
        };
        let severity = if is_same { Severity::Warn } else { refused };
        report.graded(severity, Kind::Forbidden, format!("{path}.args[{}]", used.at), message, fix);
    }
}

fn twice(before: &Occurrence<'_>, used: &Occurrence<'_>) -> (bool, String, &'static str) {
    let name = used.name;
    if used.value == before.value {
        return (true, format!("{name} is given twice"), "keep one of them");
    }
    let fix = if used.option.kind == ValueKind::List { "join them by a comma" } else { "keep one of them" };
    (false, format!("{name} is given twice, and only the last one counts"), fix)
}

/// Whether an option says the same as a field.
fn says(used: &Occurrence<'_>, value: &Value) -> bool {
    let said = used.value.unwrap_or_default();
    match value {
        Value::String(text) => text.eq_ignore_ascii_case(said),
        Value::Array(names) => names.iter().filter_map(Value::as_str).eq(said.split(',')),
        Value::Bool(on) => *on && used.value.is_none(),
        // A number of the field against digits on the command line.
        value => value.as_f64().is_some_and(|number| said.parse() == Ok(number)),
    }
}
