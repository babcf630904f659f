// SPDX-License-Identifier: Apache-2.0
//! What is to become of the bundles in the targets. Pure.

use crate::inspect::{Certificate, newest_first};
use crate::trust::Trusted;

/// What is to become of the bundles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Others look after them.
    Nothing,
    /// They are these CAs and no others.
    Exactly(Vec<Certificate>),
    /// Where one of `needed` is lacking, `cas` are added. What is there stays: nobody knows now who needs it.
    AtLeast {
        /// CAs without which something fails.
        needed: Vec<Certificate>,
        /// CAs to add, these among them.
        cas: Vec<Certificate>,
    },
}

impl Wish {
    /// The bundle of a target whose webhooks trust these; `None` where it may stay as it is.
    pub(crate) fn bundle(&self, webhooks: &[Trusted]) -> Option<Vec<Certificate>> {
        match self {
            Self::Nothing => None,
            Self::Exactly(cas) => Some(cas.clone()),
            Self::AtLeast { needed, cas } => {
                let is_lacking = |webhook: &Trusted| !needed.iter().all(|ca| webhook.cas().contains(ca));
                let found = webhooks.iter().flat_map(Trusted::cas);
                let together = || newest_first(cas.iter().chain(found).cloned().collect());
                webhooks.iter().any(is_lacking).then(together)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{DAY, ca, noon};

    #[test]
    fn at_least_adds_what_is_needed_and_takes_nothing_out() {
        let [ours, former, foreign] = [1, 2, 3].map(|day| ca(noon() - day * DAY, 9 * DAY).certificate);
        let only = |cas: &[&Certificate]| Trusted::Only(cas.iter().copied().cloned().collect());
        let system = Trusted::System { by_url: true };
        let cas = vec![ours.clone(), former.clone()];
        let wish = Wish::AtLeast { needed: vec![ours.clone()], cas: cas.clone() };
        let all = Some(vec![ours.clone(), former.clone(), foreign.clone()]);
        for (webhooks, bundle) in [
            (vec![only(&[&ours])], None),
            (vec![only(&[&foreign, &ours]), only(&[&ours])], None),
            (vec![only(&[&foreign, &ours]), only(&[&foreign])], all.clone()),
            (vec![only(&[&foreign]), system.clone()], all),
            (vec![only(&[])], Some(cas.clone())),
            (vec![only(&[&ours]), system], Some(cas.clone())),
            (vec![], None),
        ] {
            let nothing = Wish::AtLeast { needed: vec![], cas: cas.clone() };
            assert_eq!(nothing.bundle(&webhooks), None);
            assert_eq!(wish.bundle(&webhooks), bundle, "{webhooks:?}");
            assert_eq!(Wish::Nothing.bundle(&webhooks), None);
            assert_eq!(Wish::Exactly(cas.clone()).bundle(&webhooks), Some(cas.clone()));
        }
    }
}
