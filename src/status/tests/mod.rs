// SPDX-License-Identifier: Apache-2.0
//! What is told of every state of the cluster. Each status made here is also held to what holds for all of them, see
//! [`scene::Scene::status_at`].
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod autoscalers;
mod brokers;
mod failing;
mod parts;
mod pauses;
mod rollouts;
mod scene;
mod transitions;
mod verdicts;
