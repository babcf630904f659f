// SPDX-License-Identifier: Apache-2.0
#![doc = include_str!("../README.md")]

pub mod call;
mod candidate;
mod changes;
pub mod config;
#[cfg(test)]
mod fixtures;
mod folder;
mod handover;
pub mod handshake;
mod health;
pub mod inject;
pub mod inspect;
pub mod issue;
pub mod keeper;
pub mod names;
mod origin;
mod overlap;
pub mod plan;
mod published;
pub mod serve;
pub mod settle;
mod spread;
pub mod state;
pub mod store;
mod trust;
mod wish;

pub use config::{Clock, Config, Files, Issuing, SecretRef, Source};
pub use handshake::{verify, verify_shown};
pub use health::Looks;
pub use inject::{Kind, Target};
pub use keeper::Keeper;
pub use names::{Name, Names};
pub use plan::Lifetimes;
pub use published::Published;
pub use serve::{Resolver, server_config};
