// SPDX-License-Identifier: Apache-2.0
//! Rules about the arguments of workers.
//!
//! Celery takes silently much that it should refuse: a word with a blank too many becomes the name of a queue, and an
//! option given twice loses its first value. What Celery refuses is judged in [`super::args`]; here stands which of it
//! belongs to which rule, and what cannot work in a pod although Celery takes it.

mod container;
mod embedded_beat;
mod faults;
mod filled;
mod include;
mod interval;
mod joined;
mod literal;
mod node;
mod scaling;
mod twice;

use super::rule::Rule;

/// The tables of this area.
pub(super) const AREAS: &[&[Rule]] = &[
    joined::RULES,
    faults::RULES,
    filled::RULES,
    include::RULES,
    literal::RULES,
    container::RULES,
    embedded_beat::RULES,
    twice::RULES,
    scaling::RULES,
    node::RULES,
    interval::RULES,
];
