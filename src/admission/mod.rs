// SPDX-License-Identifier: Apache-2.0
//! The first door: objects are defaulted and judged before they are stored.
//!
//! Nothing here waits for the cluster: a request is answered from its own body and from what is in memory.

mod answer;
mod outline;
mod review;
mod server;
mod words;

pub use server::{Error, drain, router, serve};
