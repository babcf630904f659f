// SPDX-License-Identifier: Apache-2.0
//! The words that conditions and events use, and the annotations that ask for something.

use std::fmt::Write as _;

use celery_operator::annotations;
use celery_operator::status::{EVENTS, REASONS, Reason};

use crate::markdown::{code, head, table};

/// The page of reasons.
pub(crate) fn page() -> String {
    let mut text = head("Reasons");
    text.push_str(
        "\nThe reasons of a Celery's conditions. `Ready`, `Reconciling` and `Stalled` have a reason of their own or \
         repeat that of the\ncondition which decides; exactly one of the three is true. `AutoscalingReady` also passes \
         on what an autoscaler says of itself.\n\n",
    );
    let row = |reason: &Reason| {
        let conditions: Vec<String> = reason.conditions.iter().map(|condition| code(condition)).collect();
        vec![code(reason.name), conditions.join(", "), reason.meaning.to_owned()]
    };
    let rows: Vec<Vec<String>> = REASONS.iter().map(row).collect();
    text.push_str(&table(&["Reason", "Conditions", "Meaning"], &rows));
    text.push_str(
        "\nReasons of events; every change of `Ready` and of `Valid` is an event as well, with the reason of the \
         condition.\n\n",
    );
    let rows: Vec<Vec<String>> = EVENTS.iter().map(row).collect();
    text.push_str(&table(&["Reason", "Conditions", "Meaning"], &rows));
    text
}

/// The page of annotations.
pub(crate) fn annotations() -> String {
    let mut text = head("Annotations");
    text.push_str(
        "\nWhat annotations of a Celery ask for. They are followed at once, whatever the spec says.\n\n",
    );
    let rows = annotations::ALL.iter().map(|annotation| {
        // What is no literal value stands in words.
        let is_literal = annotation.value.starts_with('"');
        let value = if is_literal { code(annotation.value) } else { annotation.value.to_owned() };
        vec![code(annotation.name), value, annotation.meaning.to_owned()]
    });
    text.push_str(&table(&["Annotation", "Value", "What comes of it"], &rows.collect::<Vec<_>>()));
    let _ = write!(
        text,
        "\nA change of a Secret or ConfigMap that pods read at their start is seen within a minute. It is read by name, \
         nothing is\nwatched, so the operator needs no more than `get`; what was seen last is noted on the Deployment \
         under {}, as versions\nand without any content. One that is away for a moment replaces nothing, nor does a new \
         release of the operator. What\nchanges in the metadata of a Secret while no operator runs cannot be told from a \
         new password, and replaces the pods.\n",
        code(annotations::CONFIG_SEEN)
    );
    text
}
