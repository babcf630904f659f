// SPDX-License-Identifier: Apache-2.0
//! Rules about how pods are replaced.

use k8s_openapi::api::apps::v1::RollingUpdateDeployment;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "K04", severity: Severity::Deny, schema: false, since: "0.1",
        title: "rolloutStrategy is RollingUpdate or Recreate, and only the former has numbers",
        consequence: "The API server refuses the Deployment, and the error stays in the operator's log.",
        check: Check::object(k04),
        example: Example { bad: "spec: {workerSpec: {rolloutStrategy: {type: recreate}}}", at: "spec.workerSpec.rolloutStrategy.type", good: "spec: {workerSpec: {rolloutStrategy: {type: Recreate}}}", old: None },
    },
    Rule {
        id: "K05", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a rolling update has room to move",
        consequence: "The API server refuses the Deployment, and the error stays in the operator's log.",
        check: Check::object(k05),
        example: Example {
            bad: "spec: {workerSpec: {rolloutStrategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0%}}}}",
            at: "spec.workerSpec.rolloutStrategy.rollingUpdate",
            good: "spec: {workerSpec: {rolloutStrategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}}}",
            old: None,
        },
    },
    Rule {
        id: "K06", severity: Severity::Deny, schema: false, since: "0.1",
        title: "numbers of a rolling update are whole or percentages",
        consequence: "The API server refuses the Deployment, and the error stays in the operator's log.",
        check: Check::object(k06),
        example: Example {
            bad: "spec: {workerSpec: {rolloutStrategy: {rollingUpdate: {maxSurge: '20'}}}}",
            at: "spec.workerSpec.rolloutStrategy.rollingUpdate.maxSurge",
            good: "spec: {workerSpec: {rolloutStrategy: {rollingUpdate: {maxSurge: 120%, maxUnavailable: 100%}}}}",
            old: None,
        },
    },
    Rule {
        id: "K12", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a rollout has time to become ready",
        consequence: "The Celery is stored, then the API server refuses the Deployment: old pods stay, and only the status says why.",
        check: Check::object(k12),
        example: Example {
            bad: "spec: {workerSpec: {minReadySeconds: 120, progressDeadlineSeconds: 60}}",
            at: "spec.workerSpec.progressDeadlineSeconds",
            good: "spec: {workerSpec: {minReadySeconds: 60, progressDeadlineSeconds: 120}}",
            old: None,
        },
    },
];

/// Seconds after which a rollout counts as failed, when nobody writes a number.
const DEADLINE: i32 = 600;

fn k12(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in &subject.pools {
        let spec = pool.spec;
        let numbers = [
            ("minReadySeconds", spec.min_ready_seconds, 0),
            ("progressDeadlineSeconds", spec.progress_deadline_seconds, 1),
            ("revisionHistoryLimit", spec.revision_history_limit, 0),
        ];
        let mut fit = true;
        for (field, number, least) in numbers {
            if number.is_some_and(|number| number < least) {
                let path = format!("{}.{field}", pool.path);
                report.add(Kind::Invalid, path, "is too low", format!("use {least} or more"));
                fit = false;
            }
        }
        let ready = spec.min_ready_seconds.unwrap_or_default();
        if fit && spec.progress_deadline_seconds.unwrap_or(DEADLINE) <= ready {
            let (field, fix) = match spec.progress_deadline_seconds {
                Some(_) => ("progressDeadlineSeconds", format!("use more than {ready}")),
                None => {
                    ("minReadySeconds", format!("use less than {DEADLINE}, or set progressDeadlineSeconds"))
                }
            };
            let message = "the rollout would count as failed before a pod counts as ready";
            report.add(Kind::Invalid, format!("{}.{field}", pool.path), message, fix);
        }
    }
}

fn k04(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in &subject.pools {
        let Some(strategy) = pool.spec.rollout_strategy.as_ref() else { continue };
        let path = format!("{}.rolloutStrategy", pool.path);
        match strategy.type_.as_deref() {
            Some("Recreate") if strategy.rolling_update.is_some() => {
                let path = format!("{path}.rollingUpdate");
                report.add(
                    Kind::Forbidden,
                    path,
                    "is for the type RollingUpdate",
                    "remove it, or use RollingUpdate",
                );
            }
            None | Some("RollingUpdate" | "Recreate") => {}
            Some(_) => {
                let message = "is not a strategy";
                report.add(
                    Kind::Unsupported,
                    format!("{path}.type"),
                    message,
                    "use RollingUpdate or Recreate",
                );
            }
        }
    }
}

/// A number of a rolling update as pods or percent; `None` for what is neither.
pub(super) fn amount(written: &IntOrString) -> Option<u32> {
    match written {
        IntOrString::Int(pods) => u32::try_from(*pods).ok(),
        IntOrString::String(share) => {
            let digits = share.strip_suffix('%')?;
            digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
        }
    }
}

/// The numbers of rolling updates, each with its path.
fn rolling<'s>(subject: &'s Subject<'_>) -> impl Iterator<Item = (String, &'s RollingUpdateDeployment)> {
    subject.pools.iter().filter_map(|pool| {
        let numbers = pool.spec.rollout_strategy.as_ref()?.rolling_update.as_ref()?;
        Some((format!("{}.rolloutStrategy.rollingUpdate", pool.path), numbers))
    })
}

fn k05(subject: &Subject<'_>, report: &mut Report<'_>) {
    let is_zero = |written: &Option<IntOrString>| written.as_ref().and_then(amount) == Some(0);
    for (path, rolling) in rolling(subject) {
        if is_zero(&rolling.max_surge) && is_zero(&rolling.max_unavailable) {
            let message = "maxSurge and maxUnavailable are both 0, so that no pod could ever be replaced";
            report.add(Kind::Forbidden, path, message, "let one of them be 1");
        }
    }
}

fn k06(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (path, rolling) in rolling(subject) {
        for (name, written) in
            [("maxSurge", &rolling.max_surge), ("maxUnavailable", &rolling.max_unavailable)]
        {
            let Some(written) = written else { continue };
            let is_share = matches!(written, IntOrString::String(_));
            match amount(written) {
                None => {
                    let message = "is not a number of pods or a percentage";
                    report.add(Kind::Invalid, format!("{path}.{name}"), message, "use one such as 1 or 25%");
                }
                Some(percent) if is_share && name == "maxUnavailable" && percent > 100 => {
                    report.add(
                        Kind::Invalid,
                        format!("{path}.{name}"),
                        "is more than all pods",
                        "use at most 100%",
                    );
                }
                Some(_) => {}
            }
        }
    }
}
