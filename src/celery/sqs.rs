// SPDX-License-Identifier: Apache-2.0
//! Amazon SQS: its scheme, and its names of queues.

/// The scheme of its URL, which names no host.
pub const SCHEME: &str = "sqs";

/// The name that kombu gives a queue on SQS: the prefix before it, `.` as `-`, every other punctuation as `_`; the
/// ending of an ordered queue stays.
#[must_use]
pub fn queue_name(prefix: &str, queue: &str) -> String {
    let name = format!("{prefix}{queue}");
    let (stem, ending) = name.strip_suffix(".fifo").map_or((name.as_str(), ""), |stem| (stem, ".fifo"));
    let letter = |c: char| match c {
        '.' => '-',
        '-' | '_' => c,
        c if c.is_ascii_punctuation() => '_',
        c => c,
    };
    stem.chars().map(letter).chain(ending.chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_mapped_as_kombu_maps_them() {
        for (queue, expected) in
            [("orders", "shop-orders"), ("a.b:c/d_e", "shop-a-b_c_d_e"), ("orders.fifo", "shop-orders.fifo")]
        {
            assert_eq!(queue_name("shop-", queue), expected);
        }
    }
}
