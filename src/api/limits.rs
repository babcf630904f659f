// SPDX-License-Identifier: Apache-2.0
//! Upper bounds of the schema: they keep CEL affordable and hostile objects small.

/// Items of a list that sets no other bound, and entries of a map.
pub const ITEMS: usize = 256;
/// Characters of a text that sets no other bound.
pub const TEXT: usize = 4096;
/// Named worker pools of one Celery.
pub const POOLS: usize = 32;
/// Autoscalers of one Celery.
pub const SCALE_TARGETS: usize = 64;
/// Metrics of one autoscaler: there are three names.
pub const METRICS: usize = 3;
