// SPDX-License-Identifier: Apache-2.0
//! What the operator knows of the cluster without asking: stores in memory, fed by watches.

mod celeries;
mod children;
mod configs;
mod kept;
mod pods;
mod surroundings;

pub use celeries::{CeleryFeed, CeleryIndex};
pub use children::{ChildIndex, Owned};
pub use configs::{Config, ConfigIndex, Read};
pub use kept::StoredCelery;
pub use pods::{CeleryKey, PodIndex, Troubles};
pub use surroundings::Surroundings;
