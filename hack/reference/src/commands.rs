// SPDX-License-Identifier: Apache-2.0
//! Every command and flag.

use std::fmt::Write as _;

use celery_operator::cli;
use clap::{Arg, Command};

use crate::markdown::{code, head, table};

const COLUMNS: &[&str] = &["Argument", "Environment", "Default", "Allowed", "Meaning"];

/// The page.
pub(crate) fn page() -> String {
    let mut command = cli::definition();
    command.build();
    let mut text = head("Command line");
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help" && !sub.is_hide_set()) {
        section(command.get_name(), sub, &mut text);
    }
    text
}

fn section(program: &str, command: &Command, text: &mut String) {
    let _ = writeln!(text, "\n## {program} {}\n", command.get_name());
    let about = command.get_long_about().or_else(|| command.get_about());
    let about = about.map(ToString::to_string).unwrap_or_default();
    let about = about.trim_end();
    let _ = writeln!(text, "{about}{}", if about.ends_with('.') { "" } else { "." });
    let arguments =
        command.get_arguments().filter(|argument| !argument.is_hide_set() && argument.get_id() != "help");
    let rows: Vec<Vec<String>> = arguments.map(row).collect();
    if !rows.is_empty() {
        let _ = write!(text, "\n{}", table(COLUMNS, &rows));
    }
}

fn row(argument: &Arg) -> Vec<String> {
    let values: Vec<String> =
        argument.get_value_names().unwrap_or_default().iter().map(ToString::to_string).collect();
    let takes = argument.get_action().takes_values();
    let name = match (argument.get_long(), argument.get_short()) {
        (Some(long), short) => {
            let short = short.map(|short| format!("-{short}, ")).unwrap_or_default();
            let value = if takes { format!(" {}", values.join(" ")) } else { String::new() };
            format!("{short}--{long}{value}")
        }
        (None, _) => values.join(" "),
    };
    let words = |list: Vec<String>| list.iter().map(|word| code(word)).collect::<Vec<String>>().join(", ");
    let defaults = argument.get_default_values().iter().map(|value| value.to_string_lossy().into_owned());
    let allowed = argument.get_possible_values();
    let allowed = allowed.iter().filter(|_| takes).map(|value| value.get_name().to_owned());
    let help = argument.get_long_help().or_else(|| argument.get_help());
    let help = help.map(ToString::to_string).unwrap_or_default();
    let end = if help.is_empty() || help.ends_with('.') { "" } else { "." };
    vec![
        code(&name),
        argument.get_env().map(|name| code(&name.to_string_lossy())).unwrap_or_default(),
        if takes { words(defaults.collect()) } else { String::new() },
        words(allowed.collect()),
        format!("{help}{end}"),
    ]
}
