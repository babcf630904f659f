// SPDX-License-Identifier: Apache-2.0
//! What experiments have found, as one table.

use std::fmt::{self, Display, Formatter};

use crate::ledger::Page;

/// What one experiment has found, figure by figure.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    figures: Vec<Figure>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Figure {
    text: String,
    /// Nothing: it was asked for nothing.
    holds: Option<bool>,
}

impl Outcome {
    /// A figure that was to be so.
    pub(crate) fn held(&mut self, holds: bool, text: impl Into<String>) {
        self.figures.push(Figure { text: text.into(), holds: Some(holds) });
    }

    /// A figure that is what it is.
    pub(crate) fn told(&mut self, text: impl Into<String>) {
        self.figures.push(Figure { text: text.into(), holds: None });
    }

    /// That no task has started more than once, but for those that began as their worker was asked to end.
    pub(crate) fn held_once(&mut self, page: &Page, besides: &str) {
        let (by_chance, without) = (page.started_twice_by_chance(), page.started_twice_without_reason());
        let text =
            format!("{without} started twice, {by_chance} more as their worker was asked to end{besides}");
        self.held(without == 0, text);
    }

    /// Whether everything was as it was to be.
    pub(crate) fn holds(&self) -> bool {
        self.figures.iter().all(|figure| figure.holds != Some(false))
    }
}

/// Every experiment with its figures.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<[String; 3]>,
}

impl Table {
    /// Adds what an experiment has found.
    pub(crate) fn add(&mut self, experiment: &str, outcome: &Outcome) {
        for figure in &outcome.figures {
            let verdict = match figure.holds {
                Some(true) => "holds",
                Some(false) => "MISSED",
                None => "",
            };
            self.rows.push([experiment, &figure.text, verdict].map(str::to_owned));
        }
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let head = ["experiment", "figure", "verdict"].map(str::to_owned);
        let width = |column: usize| {
            let rows = self.rows.iter().chain([&head]);
            rows.map(|row| row[column].chars().count()).max().unwrap_or_default()
        };
        let widths = [width(0), width(1), width(2)];
        let rule = widths.map(|width| "-".repeat(width));
        for row in [&head, &rule].into_iter().chain(&self.rows) {
            let [first, second, third] = row;
            writeln!(f, "| {first:0$} | {second:1$} | {third:2$} |", widths[0], widths[1], widths[2])?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_a_line_for_each_figure() {
        let mut outcome = Outcome::default();
        outcome.told("12 s");
        outcome.held(true, "0 lost");
        assert!(outcome.holds());
        outcome.held(false, "2 ran twice");
        assert!(!outcome.holds());
        let mut table = Table::default();
        table.add("rollout", &outcome);
        let text = table.to_string();
        assert_eq!(text.lines().count(), 5, "{text}");
        assert!(text.contains("| rollout    | 2 ran twice | MISSED  |"), "{text}");
    }
}
