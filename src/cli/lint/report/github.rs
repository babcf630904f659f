// SPDX-License-Identifier: Apache-2.0
//! Workflow commands of GitHub Actions: findings appear beside the lines of a pull request.

use std::fmt::Write as _;

use super::Outcome;
use crate::cli::print;
use crate::rules::Severity;

/// One command a finding, and one for each trouble with the input.
pub(in crate::cli::lint) fn github(outcome: &Outcome) -> String {
    let mut text = String::new();
    for verdict in &outcome.verdicts {
        for located in &verdict.findings {
            let finding = &located.finding;
            let level = if finding.severity == Severity::Deny { "error" } else { "warning" };
            let _ = writeln!(
                text,
                "::{level} file={},line={},title={}::{}",
                property(&print::file(&verdict.file)),
                located.line,
                property(finding.rule),
                message(&finding.to_string())
            );
        }
    }
    for trouble in &outcome.unreadable {
        let line = trouble.line.map(|line| format!("line={line},")).unwrap_or_default();
        let (file, why) = (property(&print::file(&trouble.file)), message(&trouble.why));
        let _ = writeln!(text, "::error file={file},{line}title=unreadable::{why}");
    }
    text
}

/// What would end a message is escaped.
fn message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property ends at a colon or a comma too.
fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_command_early() {
        assert_eq!(property("a,b:c%\n"), "a%2Cb%3Ac%25%0A");
        assert_eq!(message("50%: a,\r\n::error::b"), "50%25: a,%0D%0A::error::b");
    }
}
