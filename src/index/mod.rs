// SPDX-License-Identifier: Apache-2.0
//! What the operator knows of the cluster without asking: stores in memory, fed by watches.

mod celeries;
mod children;
mod surroundings;

pub use celeries::{CeleryFeed, CeleryIndex};
pub use children::ChildIndex;
pub use surroundings::Surroundings;
