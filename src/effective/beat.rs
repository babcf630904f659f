// SPDX-License-Identifier: Apache-2.0
//! What beat runs with. Its arguments win over its fields, and those over variables (`CELERY_BEAT_SCHEDULER`), which
//! Celery 4 does not read.

use super::{Effective, literal, variable};
use crate::api::{BeatSpec, Common};
use crate::celery::reading::Reading;
use crate::celery::scheduler;

/// Beat as it is written.
#[derive(Clone, Copy, Debug)]
pub struct Beat<'a> {
    /// Its fields.
    pub beat: &'a BeatSpec,
    /// What all components share.
    pub common: &'a Common,
    /// What the newest release in question makes of its arguments.
    pub said: &'a Reading<'a>,
}

/// A text as it is written, so that kubelet may have variables to replace in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written<'a> {
    /// The text.
    pub text: &'a str,
    /// The position of the argument that says it; `None` for the field.
    pub at: Option<usize>,
}

impl<'a> Beat<'a> {
    /// The scheduler, where an argument or the field names one.
    #[must_use]
    pub fn written_scheduler(&self) -> Option<Written<'a>> {
        self.written("--scheduler", self.beat.scheduler.as_deref())
    }

    /// The file of the schedule, where an argument or the field names one.
    #[must_use]
    pub fn written_file(&self) -> Option<Written<'a>> {
        self.written("--schedule", self.beat.schedule_file.as_deref())
    }

    /// The scheduler that it gets; never absent.
    #[must_use]
    pub fn scheduler(&self) -> Effective<&'a str> {
        let field = || self.beat.scheduler.as_deref().map_or(Effective::Absent, literal);
        let variable = || variable("CELERY_BEAT_SCHEDULER", &self.beat.env, &self.common.env);
        let variable = || if self.said.release.has_click() { variable() } else { Effective::Absent };
        let stated = self.said.text("--scheduler").or_else(field).or_else(variable);
        stated.or_else(|| Effective::Is(scheduler::DEFAULT))
    }

    /// Whether its scheduler is certain to keep a file.
    #[must_use]
    pub fn keeps_a_file(&self) -> bool {
        self.scheduler().is().is_some_and(scheduler::keeps_a_file)
    }

    fn written(&self, option: &str, field: Option<&'a str>) -> Option<Written<'a>> {
        match self.said.last(option) {
            Some(used) => used.value.map(|text| Written { text, at: Some(used.value_at) }),
            None => field.map(|text| Written { text, at: None }),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::celery::command::Command;
    use crate::celery::version::Release;

    fn asked<T>(beat: &Value, release: Release, ask: impl Fn(&Beat<'_>) -> T) -> T {
        let beat: BeatSpec = serde_json::from_value(beat.clone()).expect("a beat");
        let said = Command::Beat.reading(&beat.args, release);
        ask(&Beat { beat: &beat, common: &Common::default(), said: &said })
    }

    #[test]
    fn the_scheduler_comes_from_the_strongest_source() {
        let env = json!([{"name": "CELERY_BEAT_SCHEDULER", "value": "django"}]);
        for (beat, release, expected) in [
            (json!({}), Release::NEWEST, Some(scheduler::DEFAULT)),
            (json!({"env": env}), Release::NEWEST, Some("django")),
            (json!({"env": env}), Release::V4_4, Some(scheduler::DEFAULT)),
            (json!({"env": env, "scheduler": "a:B"}), Release::NEWEST, Some("a:B")),
            (json!({"scheduler": "a:B", "args": ["-S", "c:D"]}), Release::NEWEST, Some("c:D")),
            // argparse takes the beginning of a name.
            (json!({"scheduler": "a:B", "args": ["--schedul", "c:D"]}), Release::NEWEST, Some("a:B")),
            (json!({"scheduler": "a:B", "args": ["--scheduler=$(C)"]}), Release::NEWEST, None),
            (json!({"scheduler": "$(C)", "env": env}), Release::NEWEST, None),
        ] {
            let found = asked(&beat, release, |beat| beat.scheduler().is().map(str::to_owned));
            assert_eq!(found.as_deref(), expected, "{beat} {release:?}");
        }
    }

    #[test]
    fn what_is_written_is_told_with_its_place() {
        let file = |beat: Value| {
            asked(&beat, Release::NEWEST, |beat| beat.written_file().map(|it| (it.text.to_owned(), it.at)))
        };
        assert_eq!(file(json!({})), None);
        assert_eq!(file(json!({"scheduleFile": "$(A)"})), Some(("$(A)".to_owned(), None)));
        let both = json!({"scheduleFile": "a", "args": ["-l", "INFO", "-s", "b"]});
        assert_eq!(file(both), Some(("b".to_owned(), Some(3))));
        assert_eq!(file(json!({"scheduleFile": "a", "args": ["-s"]})), None);
    }

    #[test]
    fn a_file_is_kept_by_one_scheduler_alone() {
        for (beat, expected) in [
            (json!({}), true),
            (json!({"scheduler": "celery.beat.PersistentScheduler"}), true),
            (json!({"scheduler": "celery.beat:Scheduler"}), false),
            (json!({"args": ["-S", "$(A)"]}), false),
        ] {
            assert!(asked(&beat, Release::NEWEST, |beat| beat.keeps_a_file() == expected), "{beat}");
        }
    }
}
