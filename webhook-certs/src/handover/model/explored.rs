// SPDX-License-Identifier: Apache-2.0
//! Every world that can be reached: by breadth, each one once, so that the first path to a fault is a shortest one.

use std::collections::HashSet;
use std::fmt::Debug;
use std::hash::Hash;

/// A world in which things happen, one at a time.
pub(super) trait World: Clone + Debug + Eq + Hash {
    /// What all worlds share.
    type Beside;

    /// Everything that may happen next, and what it leads to.
    fn successors(&self, beside: &mut Self::Beside) -> Vec<(String, Self)>;

    /// What must never be, if it is.
    fn fault(&self, beside: &Self::Beside) -> Option<String>;
}

/// A world with the index of the one before it, and what happened in between.
type Step<W> = (W, usize, String);

/// How many worlds there are within so many steps; on the first fault what led to it, a line each.
pub(super) fn explored<W: World>(
    start: W,
    beside: &mut W::Beside,
    depth: usize,
) -> Result<usize, Vec<String>> {
    let mut known = HashSet::from([start.clone()]);
    let mut steps: Vec<Step<W>> = vec![(start, 0, String::new())];
    let mut begin = 0;
    for _ in 0..depth {
        let end = steps.len();
        for parent in begin..end {
            for (label, world) in steps[parent].0.successors(beside) {
                if !known.insert(world.clone()) {
                    continue;
                }
                let told = world.fault(beside).map(|fault| format!("{fault}: {world:?}"));
                steps.push((world, parent, label));
                if let Some(told) = told {
                    return Err(path(&steps, told));
                }
            }
        }
        begin = end;
    }
    Ok(steps.len())
}

/// What led to the last of these worlds, and what is wrong with it.
fn path<W>(steps: &[Step<W>], told: String) -> Vec<String> {
    let mut path = vec![told];
    let mut at = steps.len() - 1;
    while at != 0 {
        path.push(steps[at].2.clone());
        at = steps[at].1;
    }
    path.reverse();
    path
}

/// A number that is counted up or doubled, until it is eleven.
impl World for u32 {
    type Beside = ();

    fn successors(&self, (): &mut ()) -> Vec<(String, Self)> {
        vec![("one more".to_owned(), self + 1), ("twice".to_owned(), self * 2)]
    }

    fn fault(&self, (): &()) -> Option<String> {
        (*self == 11).then(|| "too much".to_owned())
    }
}

#[test]
fn no_world_is_counted_twice_and_a_fault_is_found_by_the_shortest_way() {
    // 1; 2; 3, 4; 6, 5, 8.
    assert_eq!(explored(1, &mut (), 3), Ok(7));
    let way = ["one more", "twice", "one more", "twice", "one more", "too much: 11"];
    assert_eq!(explored(1, &mut (), 9), Err(way.map(str::to_owned).to_vec()));
}
