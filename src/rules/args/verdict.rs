// SPDX-License-Identifier: Apache-2.0
//! A fault of an argument list in words that say what to write instead.

use super::joined::joined;
use super::setting::setting;
use super::{Arguments, Matter, own_name, shell};
use crate::celery::command::Command;
use crate::celery::options::{Spec, ValueKind};
use crate::celery::reading::{Cause, Elsewhere, Fault, Occurrence};
use crate::celery::settings::command_line::Defect;
use crate::celery::value::{Refusal, value};
use crate::celery::version::{Release, Target};
use crate::rules::quoting::one_of;

/// Options that are refused whatever stands behind them.
const REFUSED: &[&str] = &["--purge", "--detach", "--help"];

/// Options of former releases, and the fields for them.
const GONE: &[(&str, &str)] = &[
    ("maxtasksperchild", "maxTasksPerChild"),
    ("maxmemperchild", "maxMemoryPerChild"),
    ("maxmemoryperchild", "maxMemoryPerChild"),
    ("timelimit", "timeLimit"),
    ("softtimelimit", "softTimeLimit"),
];

/// What is shown of a word: it may hold a password.
pub(in crate::rules) enum Shown {
    /// All of it.
    Whole,
    /// A name.
    Part(String),
    /// Nothing.
    Nothing,
}

impl Shown {
    /// The name of an option or a setting, as far as it looks like one.
    pub(super) fn name(name: &str) -> Self {
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if !name.is_empty() && name.len() <= 60 && name.chars().all(is_name) {
            Self::Part(name.to_owned())
        } else {
            Self::Nothing
        }
    }
}

/// A fault in the words of its rule.
pub(in crate::rules) struct Verdict {
    pub(in crate::rules) matter: Matter,
    /// Position of the word that is to blame.
    pub(in crate::rules) at: usize,
    pub(in crate::rules) shown: Shown,
    pub(in crate::rules) message: String,
    pub(in crate::rules) fix: String,
    /// Whether it may be right all the same.
    pub(in crate::rules) is_guess: bool,
}

impl Verdict {
    fn new(
        matter: Matter,
        at: usize,
        shown: Shown,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { matter, at, shown, message: message.into(), fix: fix.into(), is_guess: false }
    }
}

/// What is wrong with an argument list, each cause once.
pub(in crate::rules) fn verdicts(arguments: &Arguments<'_>) -> Vec<Verdict> {
    let reading = arguments.reading;
    let swallowing: Vec<&Occurrence<'_>> =
        reading.occurrences.iter().filter(|used| swallows(arguments, used)).collect();
    // The option that became a value is missed, and what was meant as its own value stands alone.
    let follows = |fault: &Fault, used: &Occurrence<'_>| {
        let is_alone = fault.cause == Cause::BadSetting(Defect::NotASetting);
        fault.at == used.value_at || (is_alone && fault.at == used.value_at + 1)
    };
    let taken = swallowing.iter().map(|used| {
        let name = arguments.word(used.value_at).split('=').next().unwrap_or_default();
        let message = format!("is taken for the value of {}", used.name);
        // Celery may take it all the same: then there is a queue of that name.
        let is_guess = !reading.faults.iter().any(|fault| follows(fault, used));
        let fix = "write a value before it";
        Verdict { is_guess, ..Verdict::new(Matter::Form, used.value_at, Shown::name(name), message, fix) }
    });
    let signed: Vec<&Occurrence<'_>> =
        reading.occurrences.iter().filter(|used| is_signed(arguments, used)).collect();
    let is_told = |fault: &Fault| {
        swallowing.iter().any(|used| follows(fault, used)) || signed.iter().any(|used| used.at == fault.at)
    };
    let faults = reading.faults.iter().filter(|fault| !is_told(fault));
    let signs = signed.iter().map(|used| sign(arguments, used));
    taken.chain(signs).chain(faults.filter_map(|fault| verdict(arguments, fault))).collect()
}

/// Whether the sign before a value became a part of it: `-Q=a,b`. Of options that have to go whatever their value,
/// other rules tell.
fn is_signed(arguments: &Arguments<'_>, used: &Occurrence<'_>) -> bool {
    let word = arguments.word(used.at);
    let goes = match used.option.name() {
        "--logfile" => true,
        "--schedule-filename" => arguments.command == Command::Worker && !arguments.reading.has("--beat"),
        _ => false,
    };
    used.has_sign()
        && arguments.reading.release.has_click()
        && !goes
        && joined(arguments.command, word).is_none()
        && !shell::is_for_a_shell(word)
}

fn sign(arguments: &Arguments<'_>, used: &Occurrence<'_>) -> Verdict {
    let text = used.value.unwrap_or_default();
    let is_fault = arguments.reading.faults.iter().any(|fault| fault.at == used.at);
    // With the sign in front of it a name is still a name; a file lies in a folder that nobody has.
    let works = match used.option.kind {
        ValueKind::NodeName => true,
        ValueKind::NodePath | ValueKind::Text => used.option.name() != "--scheduler" && !text.contains('/'),
        _ => false,
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "@%,-_./:".contains(c);
    let fits = |text: &str| value(used.option.kind, text, arguments.reading.release).is_ok();
    let fix = match arguments.word(used.at).split_once('=') {
        Some((_, value)) if !value.is_empty() && !fits(value) => {
            "leave the = away, and correct the value".to_owned()
        }
        Some((name, value)) if (1..=24).contains(&value.len()) && value.chars().all(is_plain) => {
            format!("write \"{name}\", \"{value}\"")
        }
        Some((name, "")) => format!("remove it, or write \"{name}\" and the value"),
        _ => "leave the = away".to_owned(),
    };
    let message = "a short option takes its value without =";
    let verdict = Verdict::new(Matter::Sign, used.at, Shown::Nothing, message, fix);
    Verdict { is_guess: works && !is_fault, ..verdict }
}

/// Whether the value of an option is the next option: `-Q -c 4`.
fn swallows(arguments: &Arguments<'_>, used: &Occurrence<'_>) -> bool {
    let Some(value) = used.value.filter(|_| used.value_at == used.at + 1) else { return false };
    let name = value.split('=').next().unwrap_or_default();
    let is_name = arguments.command.options().find(name, arguments.reading.release).is_some();
    is_name && (name == value || name.starts_with("--"))
}

fn verdict(arguments: &Arguments<'_>, fault: &Fault) -> Option<Verdict> {
    let (at, word) = (fault.at, arguments.word(fault.at));
    // Of several words in one other rules tell, and of words for a shell where they are a worker's.
    let is_for_a_shell = arguments.command == Command::Worker && shell::is_for_a_shell(word);
    if joined(arguments.command, word).is_some()
        || is_for_a_shell
        || (is_of_the_app(&fault.cause) && belongs_to_the_app(arguments, at))
    {
        return None;
    }
    match &fault.cause {
        Cause::UnknownOption { name, known } => Some(unknown(arguments, at, name, *known)),
        Cause::MissingValue(option) => {
            let message = format!("{} has no value", option.name());
            Some(Verdict::new(Matter::Form, at, Shown::Whole, message, "write the value after it"))
        }
        Cause::UnexpectedValue(option) if REFUSED.contains(&option.name()) => None,
        Cause::UnexpectedValue(_) => Some(valueless(at, word)),
        Cause::BadValue(option, refusal) => Some(bad_value(arguments, at, option, refusal)),
        Cause::BadSetting(defect) => Some(setting(arguments, at, defect)),
        Cause::Ambiguous(names) => {
            let message = format!("is short for {}", names.join(" and for "));
            Some(Verdict::new(Matter::Unknown, at, Shown::Whole, message, "write the whole name"))
        }
    }
}

/// Whether an application may bring along what Celery does not know; its own options are Celery's.
fn is_of_the_app(cause: &Cause) -> bool {
    !matches!(cause, Cause::UnknownOption { known: Elsewhere::Global(_), .. })
}

/// Options that the application adds, and the word behind one of them.
fn belongs_to_the_app(arguments: &Arguments<'_>, at: usize) -> bool {
    let is_own = |at: usize| {
        let name = arguments.word(at).split('=').next().unwrap_or_default();
        name.starts_with('-') && arguments.own.iter().any(|own| own_name(own) == name)
    };
    let is_value = |at: usize| !arguments.word(at).starts_with('-');
    let before = at.checked_sub(1);
    is_own(at)
        || (is_value(at)
            && before.is_some_and(|before| is_own(before) && !arguments.word(before).contains('=')))
}

/// `--without-mingle=true`, `-E=true`
fn valueless(at: usize, word: &str) -> Verdict {
    let name = word.split('=').next().unwrap_or_default();
    let fix = format!("write {name} alone, or leave it out");
    Verdict::new(Matter::Form, at, Shown::name(name), "takes no value", fix)
}

fn unknown(arguments: &Arguments<'_>, at: usize, name: &str, known: Elsewhere) -> Verdict {
    // click takes the "=" behind a letter without a value for one more letter.
    if name == "-=" {
        return valueless(at, arguments.word(at));
    }
    // Behind a blank begins what was meant as the value.
    let shown = Shown::name(name.split_whitespace().next().unwrap_or_default());
    let no_option = format!("is not an option of {}", reader(arguments));
    match known {
        Elsewhere::Global(option) if option.name() == "--version" => {
            let message = format!("{} prints a text and ends the container", option.name());
            Verdict::new(Matter::Ends, at, Shown::Nothing, message, "remove it")
        }
        Elsewhere::Global(option) => {
            let message = format!("is an option of celery, not of celery {}", arguments.command.name());
            Verdict::new(Matter::Global, at, shown, message, instead(option))
        }
        Elsewhere::OtherRelease(option) => {
            let message = match option.until {
                Some(until) => format!("is gone since Celery {until}"),
                None => format!("needs Celery {} or later", option.since.max(option.long_since)),
            };
            let fix = gone_field(arguments, at, option.name());
            let fix = fix.unwrap_or_else(|| "remove it, or correct celeryVersion".to_owned());
            Verdict::new(Matter::Release, at, shown, message, fix)
        }
        Elsewhere::Near(near) if near == name.replace('_', "-") => {
            Verdict::new(Matter::Underscores, at, shown, no_option, format!("write {near}"))
        }
        Elsewhere::Near(near) => {
            Verdict::new(Matter::Unknown, at, shown, no_option, format!("did you mean {near}?"))
        }
        Elsewhere::Nowhere => {
            let fix = format!("remove it, or list it in {}.userOptions if the app adds it", arguments.path);
            Verdict::new(Matter::Unknown, at, shown, no_option, fix)
        }
    }
}

/// The field for an option of a worker that is gone: most were only spelt another way, `--maxtasksperchild=10`.
fn gone_field(arguments: &Arguments<'_>, at: usize, name: &str) -> Option<String> {
    let plain = name.replace('-', "").to_lowercase();
    let (_, field) = GONE.iter().find(|(gone, _)| *gone == plain && arguments.command == Command::Worker)?;
    let digits = |text: &str| !text.is_empty() && text.len() < 10 && text.bytes().all(|b| b.is_ascii_digit());
    let written = arguments.word(at).split_once('=').map(|(_, value)| value).filter(|value| digits(value));
    Some(match (*field, written) {
        // The option counts KiB.
        ("maxMemoryPerChild", Some(kibibytes)) => format!("set {field}: {kibibytes}Ki"),
        (_, Some(value)) => format!("set {field}: {value}"),
        _ => format!("set {field}"),
    })
}

/// `celery worker 5.5`; without a number where the version is not known.
fn reader(arguments: &Arguments<'_>) -> String {
    let name = arguments.command.name();
    match arguments.celery {
        Target::Known(release) => format!("celery {name} {release}"),
        Target::Newer(_) => format!("celery {name} {}", Release::NEWEST),
        Target::Any => format!("celery {name}"),
    }
}

/// The field for an option that stands before the sub-command.
fn instead(option: &Spec) -> &'static str {
    match option.name() {
        "--app" => "set spec.common.celeryApp",
        "--broker" => "set spec.common.broker",
        "--result-backend" => "set spec.common.resultBackend",
        "--workdir" => "set workingDir in podTemplate",
        "--config" | "--loader" => "set it in the application",
        _ => "remove it",
    }
}

fn bad_value(arguments: &Arguments<'_>, at: usize, option: &'static Spec, refusal: &Refusal) -> Verdict {
    let name = option.name();
    let used = arguments.reading.all(name).find(|used| used.value_at == at);
    let text = used.and_then(|used| used.value).unwrap_or_default();
    if let Some(since) = since(option, text, arguments.reading.release) {
        let message = format!("{text:?} needs Celery {since} or later");
        let fix = "use another value, or correct celeryVersion";
        return Verdict::new(Matter::Release, at, Shown::Nothing, message, fix);
    }
    let [message, fix] = refused(name, refusal, arguments.celery);
    Verdict::new(Matter::Value(name), at, Shown::Whole, message, fix)
}

/// What is said of a value that an option does not take, and what to write instead.
pub(in crate::rules) fn refused(name: &str, refusal: &Refusal, celery: Target) -> [String; 2] {
    let (message, fix) = match refusal {
        Refusal::NotAnInteger if name == "--max-memory-per-child" => {
            ("is not a whole number of KiB".to_owned(), "set maxMemoryPerChild: 200Mi instead".to_owned())
        }
        Refusal::NotAnInteger | Refusal::NotAConcurrency if name == "--concurrency" => {
            let fix = if takes_auto(celery) { "use 1 or more, or auto" } else { "use 1 or more" };
            ("is not a number of tasks".to_owned(), fix.to_owned())
        }
        Refusal::NotAnInteger | Refusal::NotAConcurrency => {
            (format!("{name} is not a whole number"), "use digits only".to_owned())
        }
        Refusal::NotANumber => (format!("{name} is not a number"), "use seconds such as 300".to_owned()),
        Refusal::NotAChoice(words, near) => {
            let all = || one_of(&words.join(", "));
            let fix = near.map_or_else(all, |near| format!("did you mean {near}?"));
            (format!("{name} has no such value"), fix)
        }
        Refusal::NotARange => {
            ("is not max,min".to_owned(), "write the larger number first, 1 or more, such as 8,2".to_owned())
        }
        Refusal::UnknownFormat(letter) => {
            (format!("%{letter} stands for nothing in {name}"), letters(celery).to_owned())
        }
    };
    [message, fix]
}

/// What the name of a node may hold: `%%` is a percent sign since 5.7.
pub(in crate::rules) fn letters(celery: Target) -> &'static str {
    if celery.releases().iter().all(|release| *release >= Release::V5_7) {
        "use %h, %n or %d, or %% for a percent sign"
    } else {
        "use %h, %n or %d"
    }
}

/// The later release that takes a word which this one refuses: `-c auto`, `-P custom`.
fn since(option: &Spec, text: &str, release: Release) -> Option<Release> {
    let mut later = Release::ALL.into_iter().filter(|later| *later > release);
    later.find(|later| value(option.kind, text, *later).is_ok())
}

/// `-c auto` came with 5.7.
fn takes_auto(celery: Target) -> bool {
    celery.releases().iter().all(|release| *release >= Release::V5_7)
}
