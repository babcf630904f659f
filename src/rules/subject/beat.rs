// SPDX-License-Identifier: Apache-2.0
//! Beat under judgement.

use crate::api::{BeatSpec, Celery, Common};
use crate::celery::command::Command;
use crate::celery::expansion::expands;
use crate::celery::reading::Reading;
use crate::celery::version::Target;
use crate::effective::{self, Written};

/// Beat, which stands at [`Beat::PATH`].
#[derive(Clone, Debug)]
pub(in crate::rules) struct Beat<'a> {
    /// Its fields.
    pub(in crate::rules) spec: &'a BeatSpec,
    /// What it shares with all components.
    common: &'a Common,
    /// What Celery makes of its arguments; the faults are those that every release in question finds.
    pub(in crate::rules) said: Reading<'a>,
}

/// The beat of an object.
pub(super) fn beat(object: &Celery, celery: Target) -> Option<Beat<'_>> {
    let spec = object.spec.beat_spec.as_ref()?;
    Some(Beat { spec, common: &object.spec.common, said: Command::Beat.agreed(&spec.args, celery) })
}

impl Beat<'_> {
    /// Where it stands in the object.
    pub(in crate::rules) const PATH: &'static str = "spec.beatSpec";

    /// What it will run with.
    pub(in crate::rules) fn effective(&self) -> effective::Beat<'_> {
        effective::Beat { beat: self.spec, common: self.common, said: &self.said }
    }

    /// The scheduler that somebody names, as long as kubelet does not change it, and its path.
    pub(in crate::rules) fn scheduler(&self) -> Option<(&str, String)> {
        settled(self.effective().written_scheduler(), "scheduler")
    }

    /// The file of the schedule that somebody names, as long as kubelet does not change it, and its path.
    pub(in crate::rules) fn file(&self) -> Option<(&str, String)> {
        settled(self.effective().written_file(), "scheduleFile")
    }

    /// The path of a word of its arguments.
    pub(in crate::rules) fn arg(at: usize) -> String {
        format!("{}.args[{at}]", Self::PATH)
    }
}

fn settled<'a>(written: Option<Written<'a>>, field: &str) -> Option<(&'a str, String)> {
    let Written { text, at } = written.filter(|written| !expands(written.text))?;
    Some((text, at.map_or_else(|| format!("{}.{field}", Beat::PATH), Beat::arg)))
}
