// SPDX-License-Identifier: Apache-2.0
//! What the operator knows of the cluster without asking: stores in memory, fed by watches.

mod celeries;
mod children;
mod kept;
mod surroundings;

pub use celeries::CeleryIndex;
pub use children::ChildIndex;
pub use kept::StoredCelery;
pub use surroundings::Surroundings;
