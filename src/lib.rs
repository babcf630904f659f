// SPDX-License-Identifier: Apache-2.0
//! The Celery operator: Celery on Kubernetes, refused when wrong at apply time, run without losing a task afterwards.
//!
//! One process, two doors: [`admission`] judges objects before they are stored, [`reconcile`] turns stored ones into
//! Deployments, Services and autoscalers. Both lead into the same pure rooms ([`defaults`], [`rules`], [`build`],
//! [`status`]), so they never disagree; the command line ([`cli`]) is a third door into those rooms:
//! it judges, renders and explains without a cluster, runs the process and prints what installs it.

pub mod admin;
pub mod admission;
pub mod annotations;
pub mod api;
pub mod build;
pub mod celery;
pub mod cli;
pub mod cluster;
pub mod defaults;
pub mod effective;
pub mod index;
pub mod labels;
pub mod lease;
pub mod manifests;
pub mod metrics;
pub mod names;
pub mod reconcile;
pub mod resolve;
pub mod rules;
pub mod run;
pub mod status;
pub mod telemetry;
