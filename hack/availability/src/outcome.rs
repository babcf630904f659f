// SPDX-License-Identifier: Apache-2.0
//! What an experiment has found: figures, some of them with a limit.

use serde::{Deserialize, Serialize};

/// One figure.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figure {
    /// What was counted or measured.
    pub name: String,
    /// How much.
    pub value: f64,
    /// In what: `s`, `ms`; empty for a count.
    pub unit: String,
    /// What it must not exceed; absent for what is only told.
    #[serde(rename = "atMost", default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
}

impl Figure {
    /// Whether it is within its limit.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.at_most.is_none_or(|limit| self.value <= limit)
    }
}

/// The same measurement, made several times: one value of each round.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Series {
    /// What was measured.
    pub name: String,
    /// In what.
    pub unit: String,
    /// In the order in which they were measured.
    pub values: Vec<f64>,
}

/// What was tried one after the other, and the seconds that each took.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Cases {
    /// What was measured of each.
    pub measured: Vec<String>,
    /// Each in words, and what was measured.
    pub rows: Vec<(String, Vec<f64>)>,
}

/// What an experiment has found.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Outcome {
    /// What was done.
    pub title: String,
    /// How, in sentences for people.
    pub how: String,
    /// What was counted and measured.
    pub figures: Vec<Figure>,
    /// All rounds of what was measured repeatedly.
    pub series: Vec<Series>,
    /// What was tried one after the other.
    #[serde(default)]
    pub cases: Cases,
    /// What went wrong, in words, as far as there is room.
    pub remarks: Vec<String>,
}

impl Outcome {
    /// Nothing found yet.
    pub fn new(title: impl Into<String>, how: impl Into<String>) -> Self {
        Self { title: title.into(), how: how.into(), ..Self::default() }
    }

    /// Adds a figure that has to be within a limit.
    pub fn limited(&mut self, name: impl Into<String>, value: f64, unit: &str, at_most: f64) {
        self.figures.push(Figure { name: name.into(), value, unit: unit.to_owned(), at_most: Some(at_most) });
    }

    /// Adds a figure for information.
    pub fn told(&mut self, name: impl Into<String>, value: f64, unit: &str) {
        self.figures.push(Figure { name: name.into(), value, unit: unit.to_owned(), at_most: None });
    }

    /// Adds all rounds of a measurement.
    pub fn rounds(&mut self, name: impl Into<String>, unit: &str, values: Vec<f64>) {
        self.series.push(Series { name: name.into(), unit: unit.to_owned(), values });
    }

    /// The figures beyond their limits, as sentences.
    #[must_use]
    pub fn missed(&self) -> Vec<String> {
        let missed = self.figures.iter().filter(|figure| !figure.is_met());
        let sentence = |figure: &Figure| {
            let limit = figure.at_most.unwrap_or(f64::NAN);
            format!(
                "{}: {}: {} {}, at most {limit}",
                self.title,
                figure.name,
                rounded(figure.value),
                figure.unit
            )
        };
        missed.map(sentence).collect()
    }
}

/// A number as people read it.
#[must_use]
pub fn rounded(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A count as a figure.
#[must_use]
pub fn count(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}

/// The value below which this part of them is; not a number of nothing.
#[must_use]
pub fn quantile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    // Positions are small enough for any float.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let position = (count(sorted.len()) * part).ceil() as usize;
    sorted.get(position.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

/// The largest of them; 0 of nothing.
#[must_use]
pub fn largest(values: &[f64]) -> f64 {
    values.iter().copied().fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_beyond_their_limit_are_missed() {
        let mut outcome = Outcome::new("Restarts", "Often.");
        outcome.limited("failed", 0.0, "", 0.0);
        outcome.limited("takeover", 17.5, "s", 17.0);
        // Nobody measured it.
        outcome.limited("nothing", f64::NAN, "s", 1.0);
        outcome.told("rounds", 30.0, "");
        assert_eq!(
            outcome.missed(),
            ["Restarts: takeover: 17.5 s, at most 17", "Restarts: nothing: NaN s, at most 1"]
        );
    }

    #[test]
    fn quantiles_are_values_that_were_seen() {
        let values: Vec<f64> = (1..=200).rev().map(f64::from).collect();
        assert!((quantile(&values, 0.5) - 100.0).abs() < 1e-9);
        assert!((quantile(&values, 0.99) - 198.0).abs() < 1e-9);
        assert!((quantile(&values, 1.0) - 200.0).abs() < 1e-9);
        assert!(quantile(&[], 0.5).is_nan());
    }
}
