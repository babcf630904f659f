// SPDX-License-Identifier: Apache-2.0
//! A word of an argument list that is no option and should have been a setting.

use super::verdict::{Shown, Verdict};
use serde_json::Value;

use super::{Arguments, Matter};
use crate::celery::settings::command_line::{self, Defect};
use crate::celery::settings::{self, Refusal, SettingKind};
use crate::celery::version::Release;

/// What people paste from a text processor in the place of `-`.
const DASHES: [char; 6] = ['\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2014}', '\u{2212}'];

/// Only the name is shown: a setting may hold a password.
pub(super) fn setting(arguments: &Arguments<'_>, at: usize, defect: &Defect) -> Verdict {
    let word = arguments.word(at);
    let name = word.split('=').next().unwrap_or_default();
    let is_known =
        || settings::word(name, &Value::Null, arguments.reading.release) == Err(Refusal::Unreachable);
    let (matter, shown, message, fix) = match defect {
        Defect::NotASetting if !word.contains('=') || word.starts_with(DASHES) => {
            return stray(arguments, at, word);
        }
        Defect::NotASetting | Defect::Unknown if is_known() => {
            let message = "cannot be set on the command line of Celery".to_owned();
            (Matter::Setting, Shown::name(name), message, "set it in the application".to_owned())
        }
        // Celery has it, but no kind that its command line would know.
        Defect::Unknown if is_real(name, arguments.reading.release) => {
            let message = "has no type on the command line of Celery".to_owned();
            let cast = match settings::undeclared(&spelt(name)) {
                Some(SettingKind::Text) => "(string)text",
                Some(SettingKind::Whole | SettingKind::Number) => "(int)30",
                _ => "(bool)true",
            };
            (Matter::Setting, Shown::name(name), message, format!("write it, as in {name}={cast}"))
        }
        defect => {
            let (message, fix) = words(arguments, word, defect);
            (Matter::Setting, Shown::name(name), message, fix)
        }
    };
    Verdict { matter, at, shown, message, fix, is_guess: false }
}

/// Whether Celery has a setting, declared or not.
fn is_real(name: &str, release: Release) -> bool {
    settings::setting(name, release).is_ok() || settings::undeclared(&spelt(name)).is_some()
}

/// The name as the application would write it.
fn spelt(name: &str) -> String {
    name.to_lowercase().replace('.', "_")
}

fn words(arguments: &Arguments<'_>, word: &str, defect: &Defect) -> (String, String) {
    let (message, fix) = match defect {
        Defect::NotASetting => ("has no namespace", "write it as worker.lost_wait=20"),
        Defect::Unknown => {
            let (namespace, release) = (arguments.command.namespace(), arguments.reading.release);
            let meant = command_line::meant(word, namespace, release);
            let fix = meant.map_or_else(|| "remove it".to_owned(), |meant| format!("did you mean {meant}?"));
            return ("is not a setting of Celery".to_owned(), fix);
        }
        Defect::OtherRelease(row) => {
            let message = format!("came with Celery {}", row.since);
            return (message, "remove it, or correct celeryVersion".to_owned());
        }
        Defect::Value(_) => {
            ("has a value of the wrong type", "write the type: name=(dict){…}, or correct the value")
        }
        Defect::UnknownCast => {
            ("has a type that Celery does not know", "use (dict), (list), (int), (float), (bool) or (string)")
        }
        Defect::Cast => ("has a value that is not of the type before it", "write it as JSON"),
    };
    (message.to_owned(), fix.to_owned())
}

/// A word that is nothing. What follows an option that is none may be its password.
fn stray(arguments: &Arguments<'_>, at: usize, word: &str) -> Verdict {
    let command = arguments.command.name();
    let (shown, message, fix) = if word == "celery" || word == command {
        let fix = format!("remove it: args begin after the word {command}");
        (Shown::name(word), "is in the command already", fix)
    } else if word.starts_with(DASHES) {
        let message = "begins with a dash that is none of the keyboard";
        (Shown::Nothing, message, "write it with a plain -".to_owned())
    } else {
        let fix = "remove it, or write the option it belongs to".to_owned();
        (Shown::Nothing, "is neither an option nor a setting", fix)
    };
    Verdict { matter: Matter::Stray, at, shown, message: message.to_owned(), fix, is_guess: false }
}
