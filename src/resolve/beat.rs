// SPDX-License-Identifier: Apache-2.0
//! Beat with everything decided. There is one pod of it at most: two would send every periodic task twice.

use k8s_openapi::api::core::v1::ResourceRequirements;

use super::pod::{Made, Own, Pod, pod};
use super::said::Said;
use super::words::{Origin, Origins, Words, switch, text};
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

/// Who says which option of beat.
#[must_use]
pub fn beat_origins(beat: &effective::Beat<'_>, spec: &CelerySpec) -> Origins {
    let said = Said::to_beat(*beat);
    let mut origins = options(beat.beat, spec, &said, SCHEDULE).origins();
    if heartbeat::is_asked(beat.beat.probes.as_ref()) {
        let written = beat.beat.scheduler.as_ref().map_or(Origin::Chosen, |_| Origin::Field);
        origins.entry("--scheduler").or_insert(written);
    }
    origins
}

/// The options between `beat` and the user's arguments; `place` is where the schedule is kept by default.
fn options<'a>(written: &BeatSpec, spec: &CelerySpec, said: &'a Said<'a>, place: &str) -> Words<'a> {
    let mut words = Words::new(said);
    let open = |long: &str, default: &str| (!said.option_or_variable(long)).then(|| default.to_owned());
    let level = written.log_level.as_ref().map(|level| level.written().to_owned());
    words.pair("-l", "--loglevel", text(level, open("--loglevel", "INFO")));
    words.pair("-s", "--schedule", text(written.schedule_file.clone(), open("--schedule", place)));
    // With a heartbeat the probe's module loads it.
    let scheduler = written.scheduler.clone().filter(|_| !heartbeat::is_asked(written.probes.as_ref()));
    words.pair("-S", "--scheduler", text(scheduler, None));
    let interval = written.max_interval.map(|seconds| seconds.to_string());
    words.pair("--max-interval", "--max-interval", text(interval, None));
    let celery = effective::celery(&spec.common);
    let answers = probes::beat_is_pinged(written) && celery.is_at_least(Release::V5_7);
    words.flag("--enable-remote-control", switch(None, answers));
    // Version 4 leaves a file in the working folder, which may be read-only, and never starts over one that is there.
    let nowhere = (celery == Target::Known(Release::V4_4)).then(String::new);
    words.value("--pidfile", text(None, nowhere));
    words
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
    words.extend(options(written, spec, said, file).all());
    let own_args =
        if has_heartbeat { heartbeat::loaded_by_beat(&written.args) } else { written.args.clone() };
    settings::joined(words, &own_args, settings::settings(spec, broker))
}
