// SPDX-License-Identifier: Apache-2.0
//! The charts with real Helm: what they render, what they refuse, and what becomes of a release on a real API server.
//! Helm is built once for each user; the first time that takes minutes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod helm;
mod objects;
mod rig;

mod lint;
mod plain;
mod release;
mod same;
mod several;
mod stack;
mod values;
