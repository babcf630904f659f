// SPDX-License-Identifier: Apache-2.0
//! `BrokerResolved`: whether the operator knows which broker the pods use.

use super::Aspect;
use crate::resolve::{BrokerAccess, NOT_MEASURABLE, Resolved};

pub(super) fn resolved(resolved: &Resolved) -> Option<Aspect> {
    resolved.broker.as_ref().map(aspect)
}

fn aspect(broker: &BrokerAccess) -> Aspect {
    match &broker.queues {
        Err(unresolved) if unresolved.reason != NOT_MEASURABLE => {
            Aspect::new("BrokerResolved", false, unresolved.reason, unresolved.message.clone())
        }
        _ => {
            let message = format!("{} from {}", broker.shown.scheme, broker.shown.source);
            Aspect::new("BrokerResolved", true, "Resolved", message)
        }
    }
}
