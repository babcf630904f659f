// SPDX-License-Identifier: Apache-2.0
//! Rules about the release of Celery, and about fields that only some releases have.

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::celery::command::Command;
use crate::celery::version::Release;
use crate::rules::args::Matter;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::release;
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "C10", severity: Severity::Deny, schema: false, since: "0.1",
        title: "celeryVersion is a version of Celery 4 or later",
        consequence: "Options could not be judged, and a label of every pod would be refused.",
        check: Check::field(&["spec.common.celeryVersion"], "use one such as \"5.5\" or \"5.5.3\""),
        example: Example { bad: "spec: {common: {celeryVersion: five}}", at: "spec.common.celeryVersion", good: "spec: {common: {celeryVersion: '5.5.3'}}", old: None },
    },
    Rule {
        id: "C11", severity: Severity::Warn, schema: false, since: "0.1",
        title: "celeryVersion is one whose options are known",
        consequence: "What a later release added or took away is not known here, so that its options are only warned about.",
        check: Check::object(c11),
        example: Example { bad: "spec: {common: {celeryVersion: '6.0'}}", at: "spec.common.celeryVersion", good: "spec: {common: {celeryVersion: '5.7'}}", old: None },
    },
    Rule {
        id: "C12", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a field is one that the release of Celery has",
        consequence: "The worker ends with \"No such option\" and starts again for ever.",
        check: Check::arguments(Command::Worker, &[Matter::Release]).and(c12),
        example: Example {
            bad: "spec: {common: {celeryVersion: '5.5'}, workerSpec: {disablePrefetch: true}}",
            at: "spec.workerSpec.disablePrefetch",
            good: "spec: {common: {celeryVersion: '5.6'}, workerSpec: {disablePrefetch: true}}",
            old: None,
        },
    },
];

fn c11(subject: &Subject<'_>, report: &mut Report<'_>) {
    if release::is_unknown(subject) {
        let message = "is newer than this operator knows";
        report.add(
            Kind::Invalid,
            "spec.common.celeryVersion",
            message,
            "check options and settings yourself",
        );
    }
}

fn c12(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in &subject.pools {
        let spec = pool.spec;
        let is_auto = matches!(&spec.concurrency, Some(IntOrString::String(word)) if word.as_str() == "auto");
        for (field, is_set, since) in [
            ("disablePrefetch", spec.disable_prefetch == Some(true), Release::V5_6),
            ("concurrency", is_auto, Release::V5_7),
            ("poolStartMethod", spec.pool_start_method.is_some(), Release::V5_7),
        ] {
            let Some(severity) = release::lacks(subject, since).filter(|_| is_set) else { continue };
            let what = if field == "concurrency" { "\"auto\" needs" } else { "needs" };
            let version = subject.common().celery_version.as_deref().unwrap_or_default();
            let message = format!("{what} Celery {since} or later, celeryVersion is {version}");
            let fix = "remove it, or correct celeryVersion";
            report.graded(severity, Kind::Forbidden, format!("{}.{field}", pool.path), message, fix);
        }
    }
}
