// SPDX-License-Identifier: Apache-2.0
#![doc = include_str!("../README.md")]

pub mod call;
mod changes;
pub mod config;
#[cfg(test)]
mod fixtures;
mod handover;
pub mod inject;
pub mod inspect;
pub mod issue;
pub mod keeper;
pub mod names;
pub mod plan;
pub mod serve;
pub mod settle;
pub mod state;
pub mod store;

pub use config::{Clock, Config, SecretRef};
pub use inject::{Kind, Target};
pub use keeper::{Keeper, Published};
pub use names::{Name, Names};
pub use plan::Lifetimes;
pub use serve::{Resolver, server_config};
