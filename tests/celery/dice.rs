// SPDX-License-Identifier: Apache-2.0
//! Where questions come from: chance that can be had again.

#[path = "../chance/mod.rs"]
mod chance;

use chance::Chance;

/// The seed of `CELERY_JUDGE_SEED`, or always the same.
pub(crate) fn seed() -> u64 {
    std::env::var("CELERY_JUDGE_SEED").map_or(1, |seed| seed.parse().unwrap())
}

/// Draws of parts of questions.
pub(crate) struct Dice(Chance);

impl Dice {
    /// Dice with the seed of `CELERY_JUDGE_SEED`, or always the same; it is told.
    pub(crate) fn new(what: &str) -> Self {
        crate::say(&format!("{what}: CELERY_JUDGE_SEED={}", seed()));
        Self(Chance::of(seed()))
    }

    /// A number below a limit.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.0.below(limit as u64)).unwrap()
    }

    /// Whether one of so many throws comes true.
    pub(crate) fn one_in(&mut self, throws: usize) -> bool {
        self.below(throws) == 0
    }

    /// One of several.
    pub(crate) fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    /// One of several texts.
    pub(crate) fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }

    /// One text of either list, whatever their lengths.
    pub(crate) fn either<'a>(&mut self, one: &[&'a str], other: &[&'a str]) -> &'a str {
        let list = if self.one_in(2) { one } else { other };
        self.of(list)
    }

    /// A text of letters that mean something in a URL or a setting, or nothing anywhere.
    pub(crate) fn garbage(&mut self, longest: usize) -> String {
        const LETTERS: &[&str] = &[
            "a", "z", "0", "9", ":", "/", "//", "?", "#", "@", "%", "%2", "%2F", "%zz", "%ff", "%00", "[",
            "]", "[::1]", ";", ",", "&", "=", "+", "-", ".", "_", "$", "$(A)", "~", "é", "ß", "İ", "／",
            "：", "😀", "\u{202e}", "(", ")", "{", "}", "\"", "'", "\\", "<", ">", "|", "*", "!",
        ];
        (0..=self.below(longest)).map(|_| self.of(LETTERS)).collect()
    }
}
