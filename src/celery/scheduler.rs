// SPDX-License-Identifier: Apache-2.0
//! Schedulers of beat by their names.

use super::closest;

/// The one that beat takes when nobody names another: it keeps a file.
pub const DEFAULT: &str = "celery.beat:PersistentScheduler";
/// The spellings of its class.
const PERSISTENT: [&str; 2] = [DEFAULT, "celery.beat.PersistentScheduler"];
/// Those of the class that it is made of.
const PLAIN: [&str; 2] = ["celery.beat:Scheduler", "celery.beat.Scheduler"];
/// Names that a package registers for its scheduler.
const REGISTERED: [&str; 1] = ["django"];

/// Whether a scheduler is the one that keeps a file.
#[must_use]
pub fn keeps_a_file(name: &str) -> bool {
    PERSISTENT.contains(&name)
}

/// Whether a scheduler is Celery's own, with a file or without one.
#[must_use]
pub fn is_of_celery(name: &str) -> bool {
    keeps_a_file(name) || PLAIN.contains(&name)
}

/// The classes of Celery and of well-known packages, all ways to write them.
const KNOWN: [&str; 7] = [
    DEFAULT,
    "celery.beat:Scheduler",
    "django_celery_beat.schedulers:DatabaseScheduler",
    "redbeat.RedBeatScheduler",
    "redbeat:RedBeatScheduler",
    "redbeat.schedulers:RedBeatScheduler",
    "sqlalchemy_celery_beat.schedulers:DatabaseScheduler",
];

/// The class that was meant by a path into one of these packages where there is none.
#[must_use]
pub fn meant(name: &str) -> Option<&'static str> {
    let plain = |path: &str| path.replace(':', ".");
    let parts = |path: &str| {
        let path = plain(path);
        let (package, class) = path.split_once('.')?;
        Some((package.replace('-', "_"), class.rsplit('.').next().unwrap_or_default().to_owned()))
    };
    if KNOWN.iter().any(|known| plain(known) == plain(name)) {
        return None;
    }
    let (package, class) = parts(name)?;
    let classes = KNOWN.iter().filter_map(|known| Some((*known, parts(known)?)));
    let mut same = classes.filter(|(_, (known, _))| *known == package);
    same.find(|(_, (_, known))| closest::of(&class, [known.as_str()].into_iter()).is_some())
        .map(|(known, _)| known)
}

/// Whether a name stands for a class, as a known package registers it.
#[must_use]
pub fn is_registered(name: &str) -> bool {
    REGISTERED.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_classes_are_found_behind_slips() {
        for (name, class) in [
            ("django_celery_beat.DatabaseScheduler", "django_celery_beat.schedulers:DatabaseScheduler"),
            (
                "django_celery_beat.scheduler:DatabaseScheduler",
                "django_celery_beat.schedulers:DatabaseScheduler",
            ),
            (
                "django-celery-beat.schedulers:DatabaseScheduler",
                "django_celery_beat.schedulers:DatabaseScheduler",
            ),
            ("redbeat.RedbeatScheduler", "redbeat.RedBeatScheduler"),
            ("celery.beat:PersistantScheduler", DEFAULT),
        ] {
            assert_eq!(meant(name), Some(class), "{name}");
        }
        for name in [
            DEFAULT,
            "celery.beat.Scheduler",
            "django_celery_beat.schedulers.DatabaseScheduler",
            "redbeat.schedulers.RedBeatScheduler",
            "redbeat:RedBeatScheduler",
            "shop.beat:DatabaseScheduler",
            "celery.contrib.mine:Other",
            "django",
        ] {
            assert_eq!(meant(name), None, "{name}");
        }
    }
}
