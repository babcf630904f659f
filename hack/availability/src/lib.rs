// SPDX-License-Identifier: Apache-2.0
//! Whether admission ever stands in the way: experiments with replicas, certificates and connections that fail, while
//! admissions go on through a real API server.
//!
//! How much is done is an argument. `make test-availability` does all of it and writes `docs/reliability/`; the tests do
//! a little of each.

mod admission;
pub mod arrivals;
mod attack;
mod cases;
pub mod faults;
pub mod hostile;
mod lapse;
pub mod leaders;
mod load;
pub mod outcome;
pub mod page;
mod published;
pub mod restarts;
pub mod rotations;
mod stage;
mod work;

pub use outcome::Outcome;
pub use stage::Stage;

/// Whatever ends an experiment early.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
