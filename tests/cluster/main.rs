// SPDX-License-Identifier: Apache-2.0
//! The operator against a real API server: what users see, from `kubectl apply` to the last deleted child.
//!
//! One control plane with one operator is shared by all tests that need nothing special; each test has a namespace of
//! its own. There is no kubelet: pods stay pending until a test says that they are ready.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout)] // Figures that were measured, shown with --nocapture.

mod hostile;
mod http;
mod keda;
mod pods;
mod process;
mod rig;
mod rules;
mod shop;
mod space;
mod wait;
mod webhook;

mod absent;
mod admission;
mod asked;
mod at_rest;
mod audit;
mod autoscalers;
mod certificates;
mod children;
mod claims;
mod config;
mod counts;
mod drift;
mod events;
mod failing;
mod gitops;
mod golden;
mod leaders;
mod monitors;
mod roles;
mod samples;
mod schema;
mod sequence;
mod status;
