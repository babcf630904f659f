// SPDX-License-Identifier: Apache-2.0
//! What the operator knows of the cluster without asking: stores in memory, fed by watches.

mod celeries;
mod children;
mod configs;
mod kept;
mod packed;
mod pods;
mod scalers;
mod stored;
mod surroundings;
mod texts;

pub use celeries::{CeleryFeed, CeleryIndex};
pub use children::{ChildIndex, Owned};
pub use configs::{Config, ConfigIndex, Read};
pub(crate) use kept::version;
pub use pods::{CeleryKey, PodIndex, Remaining, Sight, Troubles};
pub use scalers::{DeploymentKey, SCALERS, ScalerIndex};
pub use stored::{Health, StoredCelery};
pub use surroundings::Surroundings;
