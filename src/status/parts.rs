// SPDX-License-Identifier: Apache-2.0
//! What the status tells of each part beside its conditions: numbers of pods, addresses, choices, children, findings.

use super::valid::{tolerated, tolerates};
use super::{Observed, State, Verdict, autoscaling, deployment, rollout};
use crate::api::{
    Autoscaler, BeatStatus, BrokerStatus, Child, EffectiveStatus, FindingStatus, FlowerStatus, PoolStatus,
    limits,
};
use crate::build::{self, Applied, ChildKind};
use crate::celery::broker_url;
use crate::effective::Effective;
use crate::names;
use crate::resolve::{BrokerAccess, Pool, Resolved, Storage};
use crate::rules::{Finding, Severity};

/// Most warnings that a status lists.
pub(super) const MAX_WARNINGS: usize = 32;

/// A worker pool.
pub(super) fn pool_status(pool: &Pool, state: State<'_>) -> PoolStatus {
    let live = deployment(state, &names::worker(&state.resolved.app, &pool.name));
    let number = |pointer: &str| live.map_or(0, |live| live.number(pointer));
    // An argument may hold a password; nobody should read it here.
    let shown = |word: &String| cut(broker_url::shown(word));
    let command = pool.pod.command.iter().chain(&pool.args).map(shown);
    PoolStatus {
        name: pool.name.clone(),
        desired: number("/spec/replicas"),
        replicas: number("/status/replicas"),
        ready: number("/status/readyReplicas"),
        updated: number("/status/updatedReplicas"),
        autoscaler: match &pool.scaler {
            None => Autoscaler::None,
            Some(scaler) if scaler.queue.is_some() => Autoscaler::Keda,
            Some(_) => Autoscaler::Hpa,
        },
        command: command.take(limits::ITEMS).collect(),
    }
}

/// A text that the schema of the status takes: a refused status would tell nothing at all.
pub(super) fn cut(text: String) -> String {
    if text.chars().nth(limits::TEXT).is_none() {
        return text;
    }
    text.chars().take(limits::TEXT - 1).chain(['…']).collect()
}

/// The broker, without what is secret.
pub(super) fn shown_broker(broker: &BrokerAccess) -> BrokerStatus {
    let BrokerStatus { scheme, hosts, source } = broker.shown.clone();
    BrokerStatus {
        scheme: cut(scheme),
        hosts: hosts.into_iter().take(limits::ITEMS).map(cut).collect(),
        source,
    }
}

/// The pods of all pools that are ready, of those that are wanted: `2/3`.
pub(super) fn ready_of(pools: &[PoolStatus]) -> String {
    let sum = |number: fn(&PoolStatus) -> i32| pools.iter().map(number).fold(0, i32::saturating_add);
    format!("{}/{}", sum(|pool| pool.ready), sum(|pool| pool.desired))
}

/// Beat, when there is one.
pub(super) fn beat_status(state: State<'_>) -> Option<BeatStatus> {
    state.resolved.beat.as_ref()?;
    let live = deployment(state, &names::beat(&state.resolved.app));
    let number = |pointer: &str| live.map_or(0, |live| live.number(pointer));
    Some(BeatStatus { ready: format!("{}/{}", number("/status/readyReplicas"), number("/spec/replicas")) })
}

/// Flower, when there is one.
pub(super) fn flower_status(state: State<'_>) -> Option<FlowerStatus> {
    let resolved = state.resolved;
    let flower = resolved.flower.as_ref()?;
    let name = names::flower(&resolved.app);
    let scheme = if flower.https { "https" } else { "http" };
    let prefix = flower.prefix.as_ref().is().map(|prefix| format!("/{prefix}")).unwrap_or_default();
    let live = deployment(state, &name);
    let number = |pointer: &str| live.map_or(0, |live| live.number(pointer));
    Some(FlowerStatus {
        ready: format!("{}/{}", number("/status/readyReplicas"), number("/spec/replicas")),
        url: cut(format!("{scheme}://{name}.{}.svc:{}{prefix}", resolved.owner.namespace, flower.port)),
    })
}

/// The children, each with whether it is ready.
pub(super) fn children(state: State<'_>) -> Vec<Child> {
    let child = |child: &Applied| Child {
        kind: child.kind.as_str().to_owned(),
        name: child.name.clone(),
        ready: match child.kind {
            ChildKind::Deployment => rollout::rollout(child, state).done,
            ChildKind::PersistentVolumeClaim => child.live.data["status"]["phase"] == "Bound",
            ChildKind::HorizontalPodAutoscaler | ChildKind::ScaledObject => {
                autoscaling::complaint(child).is_none()
            }
            _ => true,
        },
    };
    state.children.iter().map(child).collect()
}

/// What the rules found: every refusal, and the first warnings, as many as the schema takes. Of a spec that cannot be read
/// nothing is found, and what was tolerated before it is kept in mind.
pub(super) fn findings(observed: &Observed<'_>) -> Vec<FindingStatus> {
    let (found, verdict) = (observed.findings, observed.verdict);
    if found.is_empty() && verdict == Verdict::Refused {
        return observed.previous.map(tolerated).unwrap_or_default();
    }
    let of = |severity: Severity| found.iter().filter(move |finding| finding.severity == severity);
    let is_tolerated = |finding: &Finding| match verdict {
        Verdict::Accepted => false,
        Verdict::Tolerated => finding.severity == Severity::Deny,
        Verdict::Refused => observed.previous.is_some_and(|previous| tolerates(previous, finding)),
    };
    let listed = of(Severity::Deny).chain(of(Severity::Warn).take(MAX_WARNINGS)).take(limits::ITEMS);
    listed
        .map(|finding| FindingStatus {
            tolerated: is_tolerated(finding).then_some(true),
            ..finding_status(finding)
        })
        .collect()
}

fn finding_status(finding: &Finding) -> FindingStatus {
    FindingStatus {
        rule: finding.rule.to_owned(),
        severity: finding.severity.as_str().to_owned(),
        path: cut(finding.shown_path()),
        place: (finding.place != finding.path).then(|| cut(finding.shown_place())),
        value: finding.value.clone().map(cut),
        message: cut(finding.text()),
        tolerated: None,
    }
}

/// Whether a status has told of a finding: of the same rule at the same place about the same value. The words may be those
/// of another release, and an item may stand elsewhere in its list.
pub(super) fn tells_of(told: &FindingStatus, finding: &Finding) -> bool {
    fn matter(told: &FindingStatus) -> (&str, &str, &str, Option<&str>) {
        let place = told.place.as_deref().unwrap_or(&told.path);
        (&told.rule, &told.severity, place, told.value.as_deref())
    }
    matter(told) == matter(&finding_status(finding))
}

fn storage_file(storage: &Storage) -> String {
    cut(storage.file.clone())
}

/// What was decided where the spec leaves it open.
pub(super) fn effective(resolved: &Resolved) -> EffectiveStatus {
    let pool = resolved.default_pool();
    let chosen = pool.map(|pool| pool.chosen).unwrap_or_default();
    let queues = |pool: &Pool| match &pool.queues {
        Effective::Is(names) => Some(cut(names.join(","))),
        Effective::Absent => pool.default_queue.clone().is().map(cut),
        Effective::Unclear => None,
    };
    EffectiveStatus {
        app_name: resolved.app.clone(),
        image_pull_policy: cut(build::pull_policy(resolved).unwrap_or_default()),
        flower_port: resolved.flower.as_ref().map(|flower| flower.port),
        flower_history: resolved.flower.as_ref().and_then(|it| it.storage.as_ref()).map(storage_file),
        beat_schedule: resolved.beat.as_ref().and_then(|it| it.storage.as_ref()).map(storage_file),
        concurrency: chosen.concurrency,
        log_level: chosen.log_level.map(str::to_owned),
        prefetch_multiplier: chosen.prefetch_multiplier,
        queues: pool.and_then(queues),
    }
}
