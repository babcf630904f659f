// SPDX-License-Identifier: Apache-2.0
//! The values of `cases.txt`: each laid over a Celery at every place of its section, and what is to become of it.

/// What is to become of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The API server refuses a child with it, so a rule denies it.
    Refused,
    /// The API server takes the child, but no container could start: a rule denies it all the same.
    Useless,
    /// The API server refuses it, and no rule knows.
    Unseen,
    /// Both take it.
    Taken,
}

/// A value at a place.
pub(crate) struct Case {
    /// YAML to lay over a small correct Celery.
    pub(crate) overlay: String,
    /// What is to become of it.
    pub(crate) verdict: Verdict,
}

/// Every value at every place.
pub(crate) fn cases() -> Vec<Case> {
    let mut places: Vec<&str> = Vec::new();
    let mut cases = Vec::new();
    let mut within_places = false;
    for line in include_str!("cases.txt").lines() {
        let Some((mark, rest)) = line.split_once(' ').filter(|_| !line.starts_with('#')) else { continue };
        let verdict = match mark {
            "@" => {
                if !within_places {
                    places.clear();
                }
                within_places = true;
                places.push(rest);
                continue;
            }
            "-" => Verdict::Refused,
            "!" => Verdict::Useless,
            "?" => Verdict::Unseen,
            "+" => Verdict::Taken,
            _ => continue,
        };
        within_places = false;
        cases.extend(places.iter().map(|place| Case { overlay: place.replace('$', rest), verdict }));
    }
    cases
}
