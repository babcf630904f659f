// SPDX-License-Identifier: Apache-2.0
//! What somebody probably meant who wrote a name that does not exist: the one place where words are compared.

/// Longer than any name: nobody misspelt one like that.
const LONGEST: usize = 80;
/// Least likeness of words that are alike.
pub const ALIKE: f64 = 0.8;
/// Likeness of a word and one that it begins or ends with.
const CONTAINED: f64 = 0.8;

/// The known word nearest to the written one, if it is near at all. Case, `_` and `-`, `camelCase` and leading dashes
/// do not count.
#[must_use]
pub fn of<'k>(written: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    if written.len() > LONGEST {
        return None;
    }
    // A short word is near to many others.
    let near = match letters(written).count() {
        0..=2 => 0,
        3..=5 => 1,
        6..=9 => 2,
        _ => 3,
    };
    let mut best: Option<(usize, &str)> = None;
    for word in known {
        // Only one that is nearer takes the place of another.
        let Some(near) = best.map_or(Some(near), |(distance, _)| distance.checked_sub(1)) else { break };
        if may_be_within(near, written, word) {
            let distance = distance(written, word);
            best = if distance <= near { Some((distance, word)) } else { best };
        }
    }
    best.map(|(_, word)| word)
}

/// Whether two words can be so near: each letter that is added, left out or replaced changes by one how many are missing
/// or too many. Most words are ruled out by that, and counting is much cheaper than measuring.
fn may_be_within(near: usize, written: &str, known: &str) -> bool {
    let mut surplus = [0_i32; 128];
    // Letters that share a place only make words seem nearer than they are.
    let place = |letter: char| letter as usize % 128;
    letters(written).for_each(|letter| surplus[place(letter)] += 1);
    letters(known).for_each(|letter| surplus[place(letter)] -= 1);
    let sum = |sign: i32| surplus.iter().map(|count| (count * sign).max(0).unsigned_abs() as usize).sum();
    let (too_many, missing): (usize, usize) = (sum(1), sum(-1));
    too_many.max(missing) <= near
}

fn distance(one: &str, other: &str) -> usize {
    #[cfg(test)]
    tests::MEASURED.set(tests::MEASURED.get() + 1);
    let plain = |word: &str| letters(word).collect::<String>();
    strsim::damerau_levenshtein(&plain(one), &plain(other))
}

/// The known name that a written one misses by a single letter, or by two that changed places. Digits tell names apart,
/// and so do short words between dashes: `redis-1` is no slip of `redis-2`, and `shop-a` none of `shop-b`.
#[must_use]
pub fn slip<'k>(written: &str, mut known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let is_short = |word: &str| word.len() < 4;
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    known.find(|known| {
        let (a, b) = (written.split('-'), known.split('-'));
        let differ = |(a, b): &(&str, &str)| a != b && (is_short(a) || is_short(b));
        written.len() <= LONGEST
            && known.len().abs_diff(written.len()) <= 1
            && digits(written) == digits(known)
            && strsim::damerau_levenshtein(written, known) == 1
            && (a.clone().count() != b.clone().count() || !a.zip(b).any(|pair| differ(&pair)))
    })
}

/// The known words that differ least from a written one, the nearest first: for lists so short that any of them may be
/// meant.
#[must_use]
pub fn several<'k>(written: &str, known: impl Iterator<Item = &'k str>, most: usize) -> Vec<&'k str> {
    let written: String = written.chars().take(LONGEST).collect::<String>().to_lowercase();
    let mut words: Vec<(usize, &str)> =
        known.map(|word| (strsim::levenshtein(&word.to_lowercase(), &written), word)).collect();
    words.sort_unstable();
    words.into_iter().take(most).map(|(_, word)| word).collect()
}

/// The known word most like a written one, and how like they are: from [`ALIKE`] to 1. It finds more than [`of`]: words
/// of which one begins or ends with the other too.
#[must_use]
pub fn alike<'k>(written: &str, known: impl Iterator<Item = &'k str>) -> Option<(f64, &'k str)> {
    if written.len() > LONGEST {
        return None;
    }
    let lower = written.to_lowercase();
    known
        .map(|known| (likeness(&known.to_lowercase(), &lower), known))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
}

/// How alike two words are; one that is the beginning or the end of the other is.
fn likeness(one: &str, other: &str) -> f64 {
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    let contained = short.len() >= 3 && (long.starts_with(short) || long.ends_with(short));
    strsim::jaro_winkler(one, other).max(if contained { CONTAINED } else { 0.0 })
}

/// The letters that count.
fn letters(word: &str) -> impl Iterator<Item = char> {
    word.chars().filter(|c| !matches!(c, '-' | '_')).flat_map(char::to_lowercase)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        /// How often this thread has measured two words.
        pub(crate) static MEASURED: Cell<usize> = const { Cell::new(0) };
    }

    /// How often two words are measured meanwhile.
    pub(crate) fn measured(deed: impl FnOnce()) -> usize {
        let before = MEASURED.get();
        deed();
        MEASURED.get() - before
    }

    #[test]
    fn words_that_cannot_be_near_are_not_measured() {
        let known =
            ["task_acks_late", "task_ack_date", "worker_pool", "task_acks_later_than_that", "atks_acks_late"];
        let of = |word: &str| of(word, known.into_iter());
        for (written, meant, times) in [
            ("nosuch_setting_17", None, 0),
            ("task_acks_lat", Some("task_acks_late"), 1),
            ("task_acks_late", Some("task_acks_late"), 1),
            ("task-ack_dade", Some("task_ack_date"), 2),
            ("skat_atcs_kale", None, 3),
        ] {
            assert_eq!(measured(|| assert_eq!(of(written), meant)), times, "{written}");
        }
        // What is nearest is found whatever comes before it.
        assert_eq!(super::of("worker_pol", ["workers_poll", "worker_pool"].into_iter()), Some("worker_pool"));
    }

    #[test]
    fn spellings_of_one_name_are_one() {
        let known = ["--max-tasks-per-child", "--concurrency", "--pool"];
        let of = |word| of(word, known.into_iter());
        assert_eq!(of("--maxTasksPerChild"), Some("--max-tasks-per-child"));
        assert_eq!(of("--max_tasks_per_child"), Some("--max-tasks-per-child"));
        assert_eq!(of("-concurrency"), Some("--concurrency"));
        assert_eq!(of("--concurency"), Some("--concurrency"));
        assert_eq!(of("--poll"), Some("--pool"));
        assert_eq!(of("--foo"), None);
        assert_eq!(of("-p"), None);
    }
    #[test]
    fn a_slip_is_one_letter_of_a_long_word() {
        let known = ["shop-broker", "redis-1", "shop-a", "shop-flower"];
        for (written, meant) in [
            ("shop-brokr", Some("shop-broker")),
            ("shop-borker", Some("shop-broker")),
            ("shopbroker", Some("shop-broker")),
            ("redis-2", None),
            ("redis-", None),
            ("shop-b", None),
            ("shop-bricker", None),
            ("", None),
        ] {
            assert_eq!(slip(written, known.into_iter()), meant, "{written}");
        }
    }

    #[test]
    fn of_a_short_list_the_nearest_come_first() {
        let known = ["C01", "C02", "W12", "W13"];
        assert_eq!(several("w1", known.into_iter(), 2), ["W12", "W13"]);
        assert_eq!(several("", known.into_iter(), 9).len(), 4);
        assert_eq!(several(&"x".repeat(1 << 20), known.into_iter(), 1).len(), 1);
    }

    #[test]
    fn words_within_words_are_alike() {
        let known = ["secretName", "defaultMode", "items"];
        let alike = |word| alike(word, known.into_iter()).map(|(_, word)| word);
        assert_eq!(alike("name"), Some("secretName"));
        assert_eq!(alike("item"), Some("items"));
        assert_eq!(alike("optional"), None);
        assert_eq!(alike(&"items".repeat(100)), None);
    }
}
