// SPDX-License-Identifier: Apache-2.0
//! `FlowerAvailable`: whether Flower has the pods it should have.

use super::{Aspect, State, workers};
use crate::names;

pub(super) fn available(state: State<'_>) -> Option<Aspect> {
    state.resolved.flower.as_ref()?;
    workers::of("FlowerAvailable", state, &[names::flower(&state.resolved.app)])
}
