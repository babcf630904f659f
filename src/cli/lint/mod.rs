// SPDX-License-Identifier: Apache-2.0
//! `lint`: the webhook's verdict without a cluster, with the lines to mend.

mod facts;
mod judge;
mod report;

use std::process::ExitCode;

use clap::ValueEnum;

use super::input::{self, Input, Unreadable};
use super::{Cluster, Documents, Lint};
pub(super) use facts::Known;
pub(super) use judge::Verdict;
pub(super) use report::{text as findings, troubles};

/// How findings are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// `file:line: path: what is wrong; what to write instead [RULE]`.
    #[default]
    Text,
    /// One array of objects.
    Json,
    /// SARIF 2.1.0, as code scanners exchange it.
    Sarif,
    /// Annotations of GitHub Actions.
    Github,
}

/// Everything that was judged.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// How many files were opened.
    pub(super) files: usize,
    /// A verdict on each Celery, in the order of the input.
    pub(super) verdicts: Vec<Verdict>,
    /// What could not be read.
    pub(super) unreadable: Vec<Unreadable>,
    /// What the other objects of the input say.
    pub(super) known: Known,
}

/// Judges what the paths hold, for a cluster that lacks something or nothing.
pub(super) fn outcome(documents: &Documents, cluster: Cluster) -> Outcome {
    let Input { files, objects, unreadable } = input::read(&documents.paths);
    let namespace = &documents.namespace;
    let mut known = Known::gathered(objects.iter().map(|object| &object.value), namespace, cluster);
    let mut verdicts: Vec<Verdict> =
        objects.into_iter().filter_map(|object| judge::verdict(object, namespace, &mut known)).collect();
    judge::tell_names_apart(&mut verdicts);
    Outcome { files, verdicts, unreadable, known }
}

impl Outcome {
    /// 2 when something could not be read, 1 when something is denied.
    pub(super) fn code(&self) -> ExitCode {
        if !self.unreadable.is_empty() {
            ExitCode::from(2)
        } else if self.verdicts.iter().any(Verdict::is_denied) {
            ExitCode::from(1)
        } else {
            ExitCode::SUCCESS
        }
    }
}

/// Judges and prints.
pub(super) fn run(lint: &Lint) -> ExitCode {
    let outcome = outcome(&lint.documents, lint.cluster);
    let text = match lint.output {
        Output::Text => findings(&outcome),
        Output::Json => report::json(&outcome),
        Output::Sarif => report::sarif(&outcome),
        Output::Github => report::github(&outcome),
    };
    super::print::errors(&troubles(&outcome));
    super::print::text(&text, outcome.code())
}
