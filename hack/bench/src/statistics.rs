// SPDX-License-Identifier: Apache-2.0
//! Medians, and how sure they are.

use serde::Serialize;

/// How often samples are drawn anew for an interval.
const DRAWS: usize = 10_000;

/// A median with a 95 % interval, drawn from the samples themselves (bootstrap).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Estimate {
    pub(crate) median: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) samples: usize,
}

/// The median of samples and its interval.
pub(crate) fn estimate(samples: &[f64]) -> Estimate {
    estimate_of(samples.len(), |drawn| median(drawn.iter().map(|&index| samples[index]).collect()))
}

/// Any figure that is made from samples, and its interval: `figure` gets the positions of those that were drawn.
pub(crate) fn estimate_of(samples: usize, figure: impl Fn(&[usize]) -> f64) -> Estimate {
    let all: Vec<usize> = (0..samples).collect();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let draw = |random: &mut Random| -> Vec<usize> { all.iter().map(|_| random.below(samples)).collect() };
    let mut figures: Vec<f64> = (0..DRAWS).map(|_| figure(&draw(&mut random))).collect();
    figures.sort_by(f64::total_cmp);
    let at = |part: usize| figures.get(DRAWS * part / 1000).copied().unwrap_or(f64::NAN);
    Estimate { median: figure(&all), low: at(25), high: at(975), samples }
}

/// The median; not a number of nothing.
pub(crate) fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    let middle = samples.len() / 2;
    match (samples.len() % 2, samples.get(middle)) {
        (_, None) => f64::NAN,
        (0, Some(upper)) => f64::midpoint(samples[middle - 1], *upper),
        (_, Some(only)) => *only,
    }
}

/// xorshift64*: the same draws in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).unwrap_or_default() % limit.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_in_the_middle() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(vec![4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
        assert!(median(Vec::new()).is_nan());
    }

    #[test]
    fn an_interval_holds_the_median_and_narrows_with_the_samples() {
        let samples =
            |count: usize| -> Vec<f64> { (0..10).flat_map(|n| vec![f64::from(n); count]).collect() };
        let (few, many) = (estimate(&samples(1)), estimate(&samples(50)));
        for estimate in [few, many] {
            assert!(estimate.low <= estimate.median && estimate.median <= estimate.high, "{estimate:?}");
        }
        assert!(many.high - many.low < few.high - few.low, "{many:?} {few:?}");
        let same = estimate(&[2.0; 5]);
        assert!((same.low - 2.0).abs() < 1e-9 && (same.high - 2.0).abs() < 1e-9);
    }
}
