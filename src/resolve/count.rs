// SPDX-License-Identifier: Apache-2.0
//! How many pods a Deployment has, and who says so: the spec, or an autoscaler for as long as there is one.

/// Who says how many pods a Deployment has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// The operator alone, whoever else writes a number: beat, of which two would send every periodic task twice.
    Always(i32),
    /// The spec, unless something scales the Deployment that the spec does not know.
    Written(i32),
    /// Nobody: one pod at first, and then as many as somebody scales it to, by hand or with an autoscaler that has gone
    /// since.
    Open,
    /// The autoscaler of the spec.
    Scaled {
        /// Fewest pods that it may leave.
        least: i32,
    },
}

/// What scales a Deployment at this moment, whoever made it; the greater of two knows more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scaling {
    /// Nothing.
    #[default]
    Nothing,
    /// A `HorizontalPodAutoscaler`, which never raises a number of zero.
    FromOne,
    /// A `ScaledObject`, for which zero is a number like any other.
    FromZero,
}

impl Count {
    /// The number of pods to begin with; `None` leaves it to Kubernetes.
    #[must_use]
    pub fn first(self) -> Option<i32> {
        match self {
            Self::Always(pods) | Self::Written(pods) => Some(pods),
            Self::Open | Self::Scaled { .. } => None,
        }
    }

    /// The number of pods to write where `live` ones are asked for now; `None` leaves it to what scales.
    ///
    /// Zero is left alone only where the spec says so, or where something is there that raises it: an autoscaler of
    /// Kubernetes itself takes zero for being switched off, and tasks would wait for ever.
    #[must_use]
    pub fn next(self, scaling: Scaling, live: i32) -> Option<i32> {
        match self {
            Self::Always(pods) => Some(pods),
            Self::Written(pods) if scaling == Scaling::Nothing => Some(pods),
            _ if live > 0 || scaling == Scaling::FromZero => None,
            Self::Written(pods) => Some(pods),
            Self::Open => Some(1),
            Self::Scaled { least } => Some(least.max(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Scaling::{FromOne, FromZero, Nothing};
    use super::*;

    #[test]
    fn the_number_belongs_to_one_of_two() {
        for (count, scaling, live, expected) in [
            // Nobody's word counts for beat.
            (Count::Always(1), Nothing, 2, Some(1)),
            (Count::Always(1), FromOne, 2, Some(1)),
            (Count::Always(1), FromZero, 0, Some(1)),
            // What somebody writes by hand is undone, what an autoscaler writes is not.
            (Count::Written(2), Nothing, 5, Some(2)),
            (Count::Written(2), Nothing, 0, Some(2)),
            (Count::Written(0), Nothing, 5, Some(0)),
            (Count::Written(2), FromOne, 5, None),
            (Count::Written(2), FromZero, 5, None),
            (Count::Scaled { least: 2 }, FromOne, 5, None),
            (Count::Scaled { least: 2 }, FromZero, 5, None),
            (Count::Open, Nothing, 5, None),
            (Count::Open, FromOne, 5, None),
            // Its autoscaler is about to come, or to be changed for the other kind.
            (Count::Scaled { least: 2 }, Nothing, 5, None),
        ] {
            assert_eq!(count.next(scaling, live), expected, "{count:?} {scaling:?} {live}");
        }
    }

    #[test]
    fn zero_stays_only_where_something_raises_it() {
        for (count, scaling, expected) in [
            (Count::Written(2), FromOne, Some(2)),
            (Count::Written(0), FromOne, Some(0)),
            (Count::Written(2), FromZero, None),
            (Count::Open, Nothing, Some(1)),
            (Count::Open, FromOne, Some(1)),
            (Count::Open, FromZero, None),
            (Count::Scaled { least: 2 }, FromOne, Some(2)),
            (Count::Scaled { least: 0 }, FromOne, Some(1)),
            (Count::Scaled { least: 0 }, Nothing, Some(1)),
            (Count::Scaled { least: 2 }, FromZero, None),
        ] {
            assert_eq!(count.next(scaling, 0), expected, "{count:?} {scaling:?}");
        }
    }

    #[test]
    fn a_scaled_object_counts_for_more_than_the_autoscaler_that_keda_makes_of_it() {
        assert_eq!([FromOne, FromZero, Nothing].into_iter().max(), Some(FromZero));
    }
}
