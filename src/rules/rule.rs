// SPDX-License-Identifier: Apache-2.0
//! What a rule is made of.

use super::args::Matter;
use super::finding::{Origin, Report, Severity};
use super::path;
use super::subject::Subject;
use crate::celery::command::Command;

/// When a refusal by Celery is only warned about: its table is not certain.
pub(super) const RELEASES: &str = "for Celery 4, and for a release that is newer than the operator";

/// One rule of the catalogue.
#[derive(Debug)]
pub struct Rule {
    /// Id, as messages end with it. Never reused.
    pub id: &'static str,
    /// What a breach means in the main case. [`Rule::also`] is what it means in others.
    pub severity: Severity,
    /// Whether the schema or CEL refuses a breach too. Then the mutating webhook denies it, since the schema would
    /// answer first and with less.
    pub schema: bool,
    /// The release the rule came with.
    pub since: &'static str,
    /// What the rule is about, in one line.
    pub title: &'static str,
    /// What Celery or Kubernetes would have done.
    pub consequence: &'static str,
    /// How it is found.
    pub check: Check,
    /// A breach and its cure; a test runs both.
    pub example: Example,
}

impl Rule {
    /// What its findings take over from it.
    pub(super) fn origin(&self) -> Origin {
        let also = self.check.also.map(|(severity, _)| severity);
        Origin { id: self.id, severity: self.severity, also, schema: self.schema }
    }

    /// What a breach means in cases that are better or worse than the main one, if there are any, and which those are:
    /// `when …`, `for …`, without a full stop.
    #[must_use]
    pub fn also(&self) -> Option<(Severity, &'static str)> {
        self.check.also.filter(|(also, _)| *also != self.severity)
    }

    /// The same as a sentence: `Only warns when …`.
    #[must_use]
    pub fn exception(&self) -> Option<String> {
        let (severity, when) = self.also()?;
        let does = match severity {
            Severity::Deny => "Denies",
            Severity::Warn => "Only warns",
        };
        Some(format!("{does} {when}."))
    }

    /// Every severity that its findings may have, the one of the main case first: `deny`, or `deny/warn`.
    #[must_use]
    pub fn severities(&self) -> String {
        let all = [Some(self.severity), self.also().map(|(severity, _)| severity)];
        all.into_iter().flatten().map(Severity::as_str).collect::<Vec<_>>().join("/")
    }

    /// Whether the rule looks at more than the object, so that its example alone breaks nothing.
    #[must_use]
    pub fn is_about_facts(&self) -> bool {
        self.check.facts
    }

    /// The fields that it looks at, where they can be listed; positions in lists as `[]`.
    #[must_use]
    pub fn fields(&self) -> &'static [&'static str] {
        self.check.fields
    }

    /// The field that its example is about, where those that it looks at are not listed: one place of perhaps many.
    /// None when it is about every field.
    #[must_use]
    pub fn place(&self) -> Option<String> {
        let is_one_of_many = self.check.fields.is_empty() && !self.check.is_schema();
        is_one_of_many.then(|| path::pattern(self.example.at))
    }

    /// Whether the rule is asked when an object is scaled, and not when it is stored.
    #[must_use]
    pub fn is_about_scaling(&self) -> bool {
        self.check.scale.is_some()
    }
}

/// How a rule is checked: by garde attributes on fields, by faults that were found in arguments, by a function over the
/// whole object, or by several of them.
#[derive(Debug)]
pub struct Check {
    /// The fields whose garde attribute belongs to the rule; list items as `[]`.
    pub fields: &'static [&'static str],
    /// What to write instead into such a field.
    pub fix: &'static str,
    /// What looks at more than one field.
    pub(super) object: Option<ObjectCheck>,
    /// What looks at an object that somebody wants to scale.
    pub(super) scale: Option<ObjectCheck>,
    /// Whether it needs to know more than the object.
    pub(super) facts: bool,
    /// The faults of an argument list that belong to the rule.
    pub(super) arguments: Option<(Command, &'static [Matter])>,
    /// The severity of findings outside the main case, and when that is: `when …`, `for …`.
    also: Option<(Severity, &'static str)>,
}

/// A cross-field check: looks at the object, leaves what it finds in the report.
pub(super) type ObjectCheck = fn(&Subject<'_>, &mut Report<'_>);

impl Check {
    const NOTHING: Self =
        Self { fields: &[], fix: "", object: None, scale: None, facts: false, arguments: None, also: None };

    /// By the garde attributes of these fields.
    #[must_use]
    pub(super) const fn field(fields: &'static [&'static str], fix: &'static str) -> Self {
        Self { fields, fix, ..Self::NOTHING }
    }

    /// By a function.
    #[must_use]
    pub(super) const fn object(check: ObjectCheck) -> Self {
        Self { object: Some(check), ..Self::NOTHING }
    }

    /// By a function that needs to know more than the object.
    #[must_use]
    pub(super) const fn of_facts(check: ObjectCheck) -> Self {
        Self { object: Some(check), facts: true, ..Self::NOTHING }
    }

    /// By a function that is asked only when the object is scaled.
    #[must_use]
    pub(super) const fn scale(check: ObjectCheck) -> Self {
        Self { scale: Some(check), ..Self::NOTHING }
    }

    /// By the schema of the definition.
    #[must_use]
    pub(super) const fn schema() -> Self {
        Self::NOTHING
    }

    /// By reading the arguments of a command: these faults are the rule's. Where the release is not certain to find
    /// them they are warned about.
    #[must_use]
    pub(super) const fn arguments(command: Command, matters: &'static [Matter]) -> Self {
        Self::NOTHING.arguments_too(command, matters)
    }

    /// By reading the arguments of a command too.
    #[must_use]
    pub(super) const fn arguments_too(mut self, command: Command, matters: &'static [Matter]) -> Self {
        self.arguments = Some((command, matters));
        self.or(Severity::Warn, RELEASES)
    }

    /// By the command line, which sees the documents of an input side by side.
    #[must_use]
    pub(super) const fn input() -> Self {
        Self { facts: true, ..Self::schema() }
    }

    /// By the function too.
    #[must_use]
    pub(super) const fn and(mut self, check: ObjectCheck) -> Self {
        self.object = Some(check);
        self
    }

    /// With findings of this severity too, outside the main case; `when` goes on behind "denies" or "only warns".
    #[must_use]
    pub(super) const fn or(mut self, severity: Severity, when: &'static str) -> Self {
        self.also = Some((severity, when));
        self
    }

    /// Whether a matter in the arguments of a command belongs to the rule.
    pub(super) fn owns(&self, command: Command, matter: Matter) -> bool {
        self.arguments.is_some_and(|(own, matters)| own == command && matters.contains(&matter))
    }

    /// Whether only the schema checks it.
    pub(super) fn is_schema(&self) -> bool {
        self.object.is_none() && self.scale.is_none() && self.arguments.is_none()
    }
}

/// A breach and its cure, as YAML laid over a small correct Celery (a null takes a field away).
#[derive(Debug)]
pub struct Example {
    /// What breaks the rule.
    pub bad: &'static str,
    /// The field that the finding names.
    pub at: &'static str,
    /// What does not.
    pub good: &'static str,
    /// What stood there before, for rules about updates.
    pub old: Option<&'static str>,
}

#[cfg(test)]
mod tests {
    use crate::rules::catalogue;

    #[test]
    fn a_rule_says_how_severe_it_is_and_which_fields_it_looks_at() {
        for (id, severities, places) in [
            ("C01", "deny", &["spec.common.celeryApp"][..]),
            ("B05", "deny/warn", &["spec.common.broker.url"]),
            ("B09", "deny", &["spec.common.broker.redis.port", "spec.common.broker.rabbitmq.port"]),
            ("B29", "warn/deny", &["spec.common.broker.url"]),
            ("B46", "deny", &["spec.common.broker.redis.sentinel.addresses[]"]),
            ("W44", "deny/warn", &["spec.workerSpec.args[]"]),
            ("A28", "deny", &["spec.replicas"]),
            ("S01", "deny", &[]),
            ("S04", "warn", &[]),
        ] {
            let rule = catalogue::entries().find(|rule| rule.id == id).expect("a rule of that id");
            let place = rule.place();
            let told: Vec<&str> = rule.fields().iter().copied().chain(place.as_deref()).collect();
            assert_eq!((rule.severities().as_str(), told.as_slice()), (severities, places), "{id}");
        }
    }
}
