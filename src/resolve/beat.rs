// SPDX-License-Identifier: Apache-2.0
//! Beat with everything decided. There is one pod of it at most: two would send every periodic task twice.

use k8s_openapi::api::core::v1::ResourceRequirements;

use super::pod::{Made, Own, Pod, pod};
use super::said::Said;
use super::{BrokerAccess, Count, Storage, heartbeat, probes, settings, storage};
use crate::api::{BeatSpec, CelerySpec};
use crate::celery::command::Command;
use crate::celery::version::{Release, Target};
use crate::effective;

/// Where the schedule is kept when nobody says another place.
const SCHEDULE: &str = "/tmp/celerybeat-schedule";
/// Beat stops within half a second.
const GRACE_SECONDS: i64 = 30;

/// Beat.
#[derive(Clone, Debug, PartialEq)]
pub struct Beat {
    /// Its pod.
    pub pod: Pod,
    /// What runs in the container, word by word, without `celery` itself.
    pub args: Vec<String>,
    /// Requests and limits.
    pub resources: Option<ResourceRequirements>,
    /// Where its schedule is kept.
    pub storage: Option<Storage>,
    /// Whether a probe looks at its heartbeat.
    pub has_heartbeat: bool,
}

impl Beat {
    /// Who says how many pods there are.
    pub const COUNT: Count = Count::Always(1);
}

pub(super) fn beat(written: &BeatSpec, spec: &CelerySpec, app: &str, broker: Option<&BrokerAccess>) -> Beat {
    let reading = Command::Beat.reading(&written.args, effective::celery(&spec.common).newest());
    let beat = effective::Beat { beat: written, common: &spec.common, said: &reading };
    let said = Said::to_beat(beat);
    let storage = storage::beat(&beat, app);
    let on_volume = storage.as_ref().map(|storage| storage.file.as_str());
    let file = written.schedule_file.as_deref().or(on_volume).unwrap_or(SCHEDULE);
    let has_heartbeat = heartbeat::is_asked(written.probes.as_ref());
    let mut made = Made { writes_to_tmp: file.starts_with("/tmp/"), ..Made::default() };
    made.volumes.extend(storage.as_ref().map(Storage::volume));
    if has_heartbeat {
        made.env.extend(heartbeat::scheduler(&beat));
        heartbeat::add(&mut made, app);
    }
    Beat {
        args: args(written, spec, broker, &said, file, has_heartbeat),
        resources: written.resources.clone(),
        storage,
        has_heartbeat,
        pod: pod(
            spec,
            broker,
            Own {
                env: &written.env,
                env_from: &written.env_from,
                template: written.pod_template.as_ref(),
                made,
                probes: probes::beat(written, spec),
                grace_seconds: GRACE_SECONDS,
                ..Own::default()
            },
        ),
    }
}

fn args(
    written: &BeatSpec,
    spec: &CelerySpec,
    broker: Option<&BrokerAccess>,
    said: &Said<'_>,
    file: &str,
    has_heartbeat: bool,
) -> Vec<String> {
    let mut words = super::celery_app(spec);
    words.push("beat".to_owned());
    let mut option = |written: Option<String>, default: Option<&str>, short: &str, long: &str| {
        let default = default.filter(|_| !said.option_or_variable(long)).map(str::to_owned);
        if let Some(value) = written.or(default).filter(|_| !said.option(long)) {
            words.extend([if short.is_empty() { long } else { short }.to_owned(), value]);
        }
    };
    let level = written.log_level.as_ref().map(|level| level.written().to_owned());
    option(level, Some("INFO"), "-l", "--loglevel");
    option(written.schedule_file.clone(), Some(file), "-s", "--schedule");
    // With a heartbeat the probe's module loads it.
    option(written.scheduler.clone().filter(|_| !has_heartbeat), None, "-S", "--scheduler");
    option(written.max_interval.map(|seconds| seconds.to_string()), None, "", "--max-interval");
    let celery = effective::celery(&spec.common);
    let remote = "--enable-remote-control";
    if probes::beat_is_pinged(written) && celery.is_at_least(Release::V5_7) && !said.option(remote) {
        words.push(remote.to_owned());
    }
    // Version 4 leaves a file in the working folder, which may be read-only, and never starts over one that is there.
    if celery == Target::Known(Release::V4_4) && !said.option("--pidfile") {
        words.push("--pidfile=".to_owned());
    }
    let own_args =
        if has_heartbeat { heartbeat::loaded_by_beat(&written.args) } else { written.args.clone() };
    settings::joined(words, &own_args, settings::settings(spec, broker))
}
