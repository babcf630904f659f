// SPDX-License-Identifier: Apache-2.0
//! CAs of others in the bundle: trusted for a while, then no more.
//!
//! Files reach the replicas of a webhook at different times, on Kubernetes by a minute or two. Until then one replica
//! serves a leaf of the new CA and another one of the former, so that the bundle has to trust both, and neither may
//! take the other's CA out. Pure: both clocks are arguments.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::inspect::{Certificate, newest_first};

/// How long a CA that is not in our files is left in the bundle: well above the time that kubelets take.
const OVERLAP: Duration = Duration::from_mins(10);

/// Which CAs of others were seen, and since when.
#[derive(Debug, Default)]
pub(crate) struct Overlap {
    others: Vec<(Certificate, Instant)>,
}

impl Overlap {
    /// The bundle for our own CAs and those that configurations carry; `found` is `None` when they could not be read.
    ///
    /// In an order that does not depend on whose they are: replicas with different files must agree on it.
    pub(crate) fn bundle(
        &mut self,
        own: &[Certificate],
        found: Option<&[Certificate]>,
        now: SystemTime,
        at: Instant,
    ) -> Vec<Certificate> {
        if let Some(found) = found {
            let since =
                |ca: &Certificate| self.others.iter().find(|(other, _)| other == ca).map_or(at, |it| it.1);
            let mut others: Vec<_> = Vec::new();
            for ca in found.iter().filter(|ca| now < ca.not_after && !own.contains(ca)) {
                if !others.iter().any(|(other, _)| other == ca) {
                    others.push((ca.clone(), since(ca)));
                }
            }
            self.others = others;
        }
        let young = self.others.iter().filter(|(_, since)| at.duration_since(*since) < OVERLAP);
        newest_first(own.iter().chain(young.map(|(ca, _)| ca)).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::fixtures::{DAY, ca, noon};

    #[test]
    fn replicas_with_different_files_agree_and_the_former_ca_goes_in_the_end() {
        let at = Instant::now();
        let old = [ca(noon(), DAY).certificate];
        let new = [ca(noon() + Duration::from_mins(1), DAY).certificate];
        let both = [new.clone(), old.clone()].concat();
        let (mut ahead, mut behind) = (Overlap::default(), Overlap::default());
        assert_eq!(ahead.bundle(&new, Some(&old), noon(), at), both);
        assert_eq!(behind.bundle(&old, Some(&both), noon(), at), both);
        // The other catches up; both are found in every webhook, and not for longer than OVERLAP.
        let twice = [both.clone(), both.clone()].concat();
        assert_eq!(ahead.bundle(&new, Some(&twice), noon(), at + OVERLAP / 2), both);
        // Not to be read for a while: what was seen still counts.
        assert_eq!(ahead.bundle(&new, None, noon(), at + OVERLAP / 2), both);
        assert_eq!(ahead.bundle(&new, Some(&both), noon(), at + OVERLAP), new);
        // Gone and back again it counts anew.
        ahead.bundle(&new, Some(&[]), noon(), at + OVERLAP);
        assert_eq!(ahead.bundle(&new, Some(&old), noon(), at + 2 * OVERLAP), both);
    }

    #[test]
    fn an_expired_ca_is_not_kept() {
        let (own, old) = ([ca(noon(), 9 * DAY).certificate], [ca(noon(), DAY).certificate]);
        let bundle = Overlap::default().bundle(&own, Some(&old), noon() + DAY, Instant::now());
        assert_eq!(bundle, own);
    }
}
