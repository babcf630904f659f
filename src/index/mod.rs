// SPDX-License-Identifier: Apache-2.0
//! What the operator knows of the cluster without asking: stores in memory, fed by watches.

mod children;

pub use children::ChildIndex;
