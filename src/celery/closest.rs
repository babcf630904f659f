// SPDX-License-Identifier: Apache-2.0
//! What somebody probably meant who wrote a name that does not exist.

/// Longer than any name: nobody misspelt one like that.
const LONGEST: usize = 80;

/// The known word nearest to the written one, if it is near at all. Case, `_` and `-`, `camelCase` and leading dashes
/// do not count.
#[must_use]
pub fn of<'k>(written: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    if written.len() > LONGEST {
        return None;
    }
    let written = plain(written);
    let length = written.chars().count();
    // A short word is near to many others.
    let near = match length {
        0..=2 => 0,
        3..=5 => 1,
        6..=9 => 2,
        _ => 3,
    };
    let distance = |word: &'k str| {
        let known = plain(word);
        // Most words are ruled out by their length alone.
        let near = known.chars().count().abs_diff(length) <= near;
        near.then(|| (strsim::damerau_levenshtein(&written, &known), word))
    };
    let (distance, word) = known.filter_map(distance).min_by_key(|(distance, _)| *distance)?;
    (distance <= near).then_some(word)
}

fn plain(word: &str) -> String {
    word.chars().filter(|c| !matches!(c, '-' | '_')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
