// SPDX-License-Identifier: Apache-2.0
//! `BeatAvailable`: whether beat runs.

use super::{Aspect, State, workers};
use crate::names;

pub(super) fn available(state: State<'_>) -> Option<Aspect> {
    state.resolved.beat.as_ref()?;
    workers::of("BeatAvailable", state, &[names::beat(&state.resolved.app)])
}
