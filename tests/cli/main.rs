// SPDX-License-Identifier: Apache-2.0
//! The commands that need no cluster, run as users run them: outputs, exit codes, lines.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod call;

mod catalogue;
mod input;
mod lines;
mod manifests;
mod outputs;
mod render;
mod rules;
