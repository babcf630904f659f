// SPDX-License-Identifier: Apache-2.0
//! Rules about the annotations by which a Celery asks for something.

use crate::annotations::{ALL, OWN};
use crate::api::limits;
use crate::celery::closest;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::path;
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;

/// Where annotations stand.
const PATH: &str = "metadata.annotations";

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "C58", severity: Severity::Warn, schema: false, since: "0.1",
        title: "annotations of the operator are written as it reads them",
        consequence: "The annotation asks for nothing: a Celery that was to be paused is changed all the same.",
        check: Check::object(c58),
        example: Example {
            bad: "metadata: {annotations: {celeryproject.org/paused: ture}}",
            at: "metadata.annotations[celeryproject.org/paused]",
            good: "metadata: {annotations: {celeryproject.org/paused: 'True', celeryproject.org/restart: monday, example.com/paused: ture}}",
            old: None,
        },
    },
];

fn c58(subject: &Subject<'_>, report: &mut Report<'_>) {
    let annotations = subject.object.metadata.annotations.iter().flatten();
    for (name, value) in annotations.filter(|(name, _)| may_be_ours(name)).take(limits::ITEMS) {
        let at = path::entry(PATH, name);
        match ALL.iter().find(|known| known.name == name) {
            Some(known) => {
                if let Some([one, other]) = known.words.filter(|_| !known.reads(value)) {
                    let fix = format!("use {one:?} or {other:?}");
                    report.add(Kind::Unsupported, at, "is not understood", fix);
                }
            }
            None => {
                if let Some(meant) = meant(name) {
                    // The line has an end: what is right is not said again.
                    let meant = if name.starts_with(OWN) { meant.trim_start_matches(OWN) } else { meant };
                    let fix = format!("did you mean {meant}?");
                    report.add(Kind::Forbidden, at, "is unknown", fix);
                }
            }
        }
    }
}

/// Whether a name may be one of ours: there may be thousands of others.
fn may_be_ours(name: &str) -> bool {
    name.to_ascii_lowercase().contains("celery")
}

/// The annotation that a name is near to, in both of its parts.
fn meant(name: &str) -> Option<&'static str> {
    let (domain, name) = name.split_once('/')?;
    let own = OWN.trim_end_matches('/');
    closest::of(domain, [own].into_iter())?;
    let names = ALL.iter().filter_map(|known| known.name.strip_prefix(OWN));
    let near = closest::of(name, names)?;
    ALL.iter().map(|known| known.name).find(|known| known.strip_prefix(OWN) == Some(near))
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::shop;
    use crate::rules::{Facts, Finding, Severity, check};

    fn found(annotation: &str) -> Vec<Finding> {
        let overlay = format!("metadata: {{annotations: {{{annotation}}}}}");
        check(&shop(&overlay), None, &Facts::default()).expect("a Celery")
    }

    #[test]
    fn words_that_nobody_reads_are_told_in_a_line() {
        for annotation in [
            "celeryproject.org/paused: ture",
            "celeryproject.org/paused: 'yes'",
            "celeryproject.org/paused: '1'",
            "celeryproject.org/paused: ''",
            "celeryproject.org/adopt: 'on'",
            "celeryproject.org/roll-on-config-change: fals",
        ] {
            let found = found(annotation);
            assert_eq!(found.len(), 1, "{annotation}: {found:?}");
            assert_eq!((found[0].rule, found[0].severity), ("C58", Severity::Warn), "{annotation}");
            assert!(found[0].to_string().len() <= 120, "{}", found[0]);
        }
        for annotation in [
            "celeryproject.org/paused: 'true'",
            "celeryproject.org/paused: ' FALSE '",
            "celeryproject.org/roll-on-config-change: 'true'",
            "celeryproject.org/restart: ture",
        ] {
            assert_eq!(found(annotation), [], "{annotation}");
        }
    }

    #[test]
    fn names_that_are_nearly_ours_are_told_with_ours() {
        for (name, meant) in [
            ("celeryproject.org/pause", "paused"),
            ("celeryproject.org/Paused", "paused"),
            ("celeryprojekt.org/paused", "paused"),
            ("celeryproject.org/restarts", "restart"),
            ("celeryproject.org/roll-on-config-changes", "roll-on-config-change"),
            ("celeryproject.org/rollOnConfigChange", "roll-on-config-change"),
        ] {
            let found = found(&format!("{name}: 'true'"));
            assert_eq!(found.len(), 1, "{name}: {found:?}");
            assert!(found[0].fix.ends_with(&format!("{meant}?")), "{}", found[0]);
            assert!(found[0].to_string().len() <= 120, "{}", found[0]);
        }
        for name in
            ["celeryproject.org/owner", "example.com/paused", "celeryproject.org", "celery.example.com/adopt"]
        {
            assert_eq!(found(&format!("{name}: 'true'")), [], "{name}");
        }
    }
}
