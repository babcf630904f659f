// SPDX-License-Identifier: Apache-2.0
//! Which Celery is meant: versions as people write them, and the releases whose command line is known here.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A version as written: `5.5`, `5.5.3`, `5.5.0rc1`. A version without a patch is older than every one with a patch. What
/// PEP 440 lets stand behind the numbers (`rc1`, `.dev0`, `.post1`) does not count: the command line of a release is that of
/// its candidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// First number.
    pub major: u32,
    /// Second number.
    pub minor: u32,
    /// Third number, when written.
    pub patch: Option<u32>,
}

/// Why a text is no version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("is not a version like 5.5 or 5.5.3")]
pub struct NotAVersion;

impl FromStr for Version {
    type Err = NotAVersion;

    fn from_str(text: &str) -> Result<Self, NotAVersion> {
        let mut numbers = released(text).ok_or(NotAVersion)?.split('.').map(number);
        let version = Self {
            major: numbers.next().ok_or(NotAVersion)??,
            minor: numbers.next().ok_or(NotAVersion)??,
            patch: numbers.next().transpose()?,
        };
        if numbers.next().is_some() { Err(NotAVersion) } else { Ok(version) }
    }
}

/// What may stand behind the numbers, with the letters that PEP 440 takes for it too; longer ones first.
const SUFFIXES: [&[&str]; 3] =
    [&["alpha", "beta", "preview", "pre", "rc", "a", "b", "c"], &["post", "rev", "r"], &["dev"]];

/// The numbers of a version, without what marks a release as early or late; `None` where something else follows.
fn released(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    // The separator before a word belongs to it.
    let end = if end < text.len() { text[..end].trim_end_matches('.').len() } else { end };
    let (numbers, mut rest) = text.split_at(end);
    for words in SUFFIXES {
        rest = without(rest, words);
    }
    rest.is_empty().then_some(numbers)
}

/// A text without a mark such as `.rc1` at its start.
fn without<'a>(text: &'a str, words: &[&str]) -> &'a str {
    let separators = ['.', '-', '_'];
    let word = text.strip_prefix(separators).unwrap_or(text);
    let Some(behind) = words.iter().find_map(|mark| word.strip_prefix(mark)) else { return text };
    let number = behind.strip_prefix(separators).unwrap_or(behind);
    if number.starts_with(|c: char| c.is_ascii_digit()) {
        return number.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    behind
}

/// Digits only: `u32` itself would also take a sign.
fn number(text: &str) -> Result<u32, NotAVersion> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if digits { text.parse().map_err(|_| NotAVersion) } else { Err(NotAVersion) }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        self.patch.map_or(Ok(()), |patch| write!(f, ".{patch}"))
    }
}

/// A minor release whose command line is known, oldest first. Patches of one minor read alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Release {
    /// 4.4, the last with argparse; stands for all of 4.x.
    V4_4,
    /// 5.2; stands for 5.0 and 5.1 too.
    V5_2,
    /// 5.3
    V5_3,
    /// 5.4
    V5_4,
    /// 5.5
    V5_5,
    /// 5.6
    V5_6,
    /// 5.7
    V5_7,
}

impl Release {
    /// Every known release, oldest first.
    pub const ALL: [Self; 7] =
        [Self::V4_4, Self::V5_2, Self::V5_3, Self::V5_4, Self::V5_5, Self::V5_6, Self::V5_7];
    /// The newest known release.
    pub const NEWEST: Self = Self::V5_7;

    /// Whether the command line is read by click; argparse before.
    #[must_use]
    pub fn has_click(self) -> bool {
        self >= Self::V5_2
    }

    /// `5.5`
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::V4_4 => "4.4",
            Self::V5_2 => "5.2",
            Self::V5_3 => "5.3",
            Self::V5_4 => "5.4",
            Self::V5_5 => "5.5",
            Self::V5_6 => "5.6",
            Self::V5_7 => "5.7",
        }
    }

    /// The newest minor of kombu 5 that this release can be installed with; `None` where there is no bound.
    #[must_use]
    pub fn newest_kombu(self) -> Option<u8> {
        match self {
            // It has kombu 4.6, which is older than any 5.
            Self::V4_4 => Some(0),
            Self::V5_5 => Some(5),
            _ => None,
        }
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is known of the Celery that will read an argument list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A release with a table of its own.
    Known(Release),
    /// Newer than every table: the newest one is a guess, good for a warning and no more.
    Newer(Version),
    /// Nobody said: any release of 5.x. Only what all of them refuse is refused.
    Any,
}

/// A version that is too old to be run here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("is older than Celery 4")]
pub struct TooOld;

impl TryFrom<Version> for Target {
    type Error = TooOld;

    fn try_from(version: Version) -> Result<Self, TooOld> {
        let release = match (version.major, version.minor) {
            (0..=3, _) => return Err(TooOld),
            (4, _) => Release::V4_4,
            (5, 0..=2) => Release::V5_2,
            (5, 3) => Release::V5_3,
            (5, 4) => Release::V5_4,
            (5, 5) => Release::V5_5,
            (5, 6) => Release::V5_6,
            (5, 7) => Release::V5_7,
            _ => return Ok(Self::Newer(version)),
        };
        Ok(Self::Known(release))
    }
}

impl Target {
    /// Who is meant by a version as it is written; one that cannot be read counts as not written.
    #[must_use]
    pub fn of(written: Option<&str>) -> Self {
        let version = written.and_then(|version| version.parse::<Version>().ok());
        version.and_then(|version| Self::try_from(version).ok()).unwrap_or(Self::Any)
    }

    /// The newest release in question.
    #[must_use]
    pub fn newest(self) -> Release {
        self.releases().last().copied().unwrap_or(Release::NEWEST)
    }

    /// Whether Celery is said to be of this release or a later one.
    #[must_use]
    pub fn is_at_least(self, release: Release) -> bool {
        match self {
            Self::Known(known) => known >= release,
            Self::Newer(_) => true,
            Self::Any => false,
        }
    }

    /// The releases that have to agree before something is refused, oldest first; never empty.
    #[must_use]
    pub fn releases(self) -> &'static [Release] {
        const ALL: &[Release] = &Release::ALL;
        match self {
            Self::Known(release) => ALL.iter().position(|r| *r == release).map_or(&[], |at| &ALL[at..=at]),
            Self::Newer(_) => &ALL[ALL.len() - 1..],
            Self::Any => &ALL[1..],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn versions_are_read_and_ordered_by_number() {
        assert!(version("5.10") > version("5.9.9"));
        assert!(version("5.5") < version("5.5.0"));
        assert_eq!(version("4.4.7").to_string(), "4.4.7");
        for text in ["", "5", "five", "5.", "5.5.3.1", "+5.5", "v5.5", " 5.5", "5.99999999999"] {
            assert_eq!(text.parse::<Version>(), Err(NotAVersion), "{text}");
        }
    }

    #[test]
    fn a_candidate_counts_as_its_release() {
        for text in [
            "5.5.0rc1",
            "5.5.0b1",
            "5.5.0a",
            "5.5.0-rc1",
            "5.5.0.post1",
            "5.5.0.dev20240101",
            "5.5.0rc1.dev2",
        ] {
            assert_eq!(text.parse(), Ok(version("5.5.0")), "{text}");
        }
        assert_eq!("5.5rc1".parse(), Ok(version("5.5")));
        for text in
            ["5.5.0x", "5.5.0rc1x", "5.5..rc1", "5.rc1", "rc1", "5.5.0+local", "5.5.0rc1.", "5.5.0dev1rc1"]
        {
            assert_eq!(text.parse::<Version>(), Err(NotAVersion), "{text}");
        }
    }

    #[test]
    fn every_version_has_a_target() {
        for (text, expected) in [
            ("4.0", Target::Known(Release::V4_4)),
            ("5.0.5", Target::Known(Release::V5_2)),
            ("5.6.3", Target::Known(Release::V5_6)),
            ("5.10", Target::Newer(version("5.10"))),
            ("6.0", Target::Newer(version("6.0"))),
        ] {
            assert_eq!(Target::try_from(version(text)), Ok(expected), "{text}");
        }
        assert_eq!(Target::try_from(version("3.1")), Err(TooOld));
    }

    #[test]
    fn each_target_names_its_releases() {
        assert_eq!(Target::Known(Release::V5_4).releases(), [Release::V5_4]);
        assert_eq!(Target::Newer(version("6.0")).releases(), [Release::NEWEST]);
        assert_eq!(Target::Any.releases(), &Release::ALL[1..]);
    }

    #[test]
    fn a_release_is_compared_with_what_was_written() {
        for (written, expected) in [
            (Some("5.6"), true),
            (Some("5.10.1"), true),
            (Some("6.0"), true),
            (Some("5.5.3"), false),
            (Some("4.4.7"), false),
            (Some("5.6rc1"), true),
            (Some("3.1"), false),
            (None, false),
        ] {
            assert_eq!(Target::of(written).is_at_least(Release::V5_6), expected, "{written:?}");
        }
        assert_eq!(Target::of(Some("5.4")).newest(), Release::V5_4);
        assert_eq!(Target::of(Some("five")), Target::Any);
        assert_eq!(Target::Any.newest(), Release::NEWEST);
    }
}
