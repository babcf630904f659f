// SPDX-License-Identifier: Apache-2.0
//! Rules about the fields of a worker pool.

pub(super) mod choices;
pub(super) mod containers;
pub(super) mod kinds;
pub(super) mod limits;
pub(super) mod memory;
