// SPDX-License-Identifier: Apache-2.0
//! A shell in the place of the command: whether Celery starts, with all the arguments that the operator adds, and hears
//! of the signals.

use super::SAYS_TWICE;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::shell::{self, Handed};
use crate::rules::subject::Subject;

/// The parameters of a shell that are single arguments.
const DIGITS: &[char] = &['1', '2', '3', '4', '5', '6', '7', '8', '9'];

/// What the operator adds stands behind the command: of a script the first such word is `$0`.
pub(super) fn c20(subject: &Subject<'_>, report: &mut Report<'_>) {
    let command = shell::behind_init(&subject.common().command);
    let (severity, message) = match shell::script_at(command) {
        Some(at) => {
            let (script, behind) = (command[at].as_str(), &command[at + 1..]);
            if let Some(message) = lost(script, behind) {
                (Severity::Deny, message)
            } else if let Some(severity) = twice(script) {
                (severity, SAYS_TWICE)
            } else if !shell::steps_aside(script) {
                (report.severity(), "the shell keeps SIGTERM from Celery")
            } else {
                return;
            }
        }
        None if shell::has_nothing_to_run(command) => {
            (Severity::Deny, "is a shell with nothing to run: it takes -A for an option of its own")
        }
        None => return,
    };
    let fix = "use [sh, -c, 'exec celery \"$@\"', celery]";
    report.graded(severity, Kind::Forbidden, "spec.common.command", message, fix);
}

/// Whether a script says to Celery itself what the operator adds: of two sub-commands Celery takes the second for an
/// argument, of two applications it takes the second.
fn twice(script: &str) -> Option<Severity> {
    let said = shell::said_before(script);
    let is_value = |at: usize| {
        at.checked_sub(1).is_some_and(|before| said[before].starts_with('-') && said[before] != "-A")
    };
    let starts = (0..said.len()).any(|at| shell::STARTED.contains(&said[at].as_str()) && !is_value(at));
    let names = said.iter().any(|word| word.starts_with("-A") || word.starts_with("--app"));
    if starts { Some(Severity::Deny) } else { names.then_some(Severity::Warn) }
}

/// Why Celery does not start, or without arguments, when a shell runs a script with these words behind it.
fn lost(script: &str, behind: &[String]) -> Option<&'static str> {
    let (passes_all, counts) = (shell::uses(script, &['@', '*']), shell::uses(script, DIGITS));
    if passes_all && behind.is_empty() && !shell::uses(script, &['0']) {
        return Some("the shell takes -A for its own name, and the app is missing");
    }
    if !passes_all && !counts && (shell::steps_aside(script) || shell::starts_one_part(script)) {
        return Some("the script passes no arguments on: Celery gets none");
    }
    if !passes_all && !counts && shell::starts_alone(script) {
        return Some("the script passes no arguments on: Celery says how it is used and ends");
    }
    if shell::ends_at_once(script) {
        return Some("the shell ends at once, and Celery with it");
    }
    if shell::execs_another(script) {
        return Some("exec takes the place of the shell, which never comes to Celery");
    }
    let names_celery = behind.get(1).is_some_and(|word| shell::is_celery(word));
    match shell::handed(script)? {
        Handed::AsProgram if behind.len() == 1 => {
            Some("the shell takes the word behind the script for its own name, and -A for the program")
        }
        Handed::ToCelery if names_celery => Some("Celery gets its own name as an argument"),
        Handed::Misquoted => Some("the quotes leave Celery no words of its arguments"),
        _ => None,
    }
}
