// SPDX-License-Identifier: Apache-2.0
//! What a large request asks about, found without decoding its objects.
//!
//! A value takes up to a hundred times its bytes once it is decoded: eight bytes are a map of one entry. So that no
//! request takes more memory than the process has, values are counted first.

use std::fmt;

use kube::core::admission::Operation;
use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// How many values an object may hold: each list, map, text, number. A Celery with 32 pools that say all they can has a
/// few thousand, and its managed fields as many again.
pub(super) const MOST_VALUES: usize = 50_000;

/// What is known of a request whose objects are not decoded.
#[derive(Debug, PartialEq)]
pub(super) struct Outline {
    pub(super) uid: String,
    pub(super) operation: Operation,
    pub(super) name: String,
    /// How many values the object holds.
    pub(super) new: usize,
    /// How many values the object holds that it replaces.
    pub(super) old: usize,
    /// The object is on its way out.
    pub(super) is_leaving: bool,
}

impl Outline {
    /// The outline of a review that has an object of more than [`MOST_VALUES`].
    ///
    /// # Errors
    /// When the body is no review with a request.
    pub(super) fn of_outsized(body: &[u8]) -> serde_json::Result<Option<Self>> {
        let Counted { uid, operation, name, object, old } = request(body)?;
        if object.0.max(old.0) <= MOST_VALUES {
            return Ok(None);
        }
        let is_leaving =
            request::<Left>(body).is_ok_and(|left| left.object.metadata.deletion_timestamp.is_some());
        Ok(Some(Self { uid, operation, name, new: object.0, old: old.0, is_leaving }))
    }
}

#[derive(Deserialize)]
struct Review<R> {
    request: R,
}

#[derive(Deserialize)]
struct Counted {
    uid: String,
    operation: Operation,
    #[serde(default)]
    name: String,
    #[serde(default)]
    object: Values,
    #[serde(default, rename = "oldObject")]
    old: Values,
}

#[derive(Deserialize)]
struct Left {
    object: Object,
}

#[derive(Deserialize)]
struct Object {
    metadata: Metadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    deletion_timestamp: Option<IgnoredAny>,
}

fn request<R: DeserializeOwned>(body: &[u8]) -> serde_json::Result<R> {
    serde_json::from_slice::<Review<R>>(body).map(|review| review.request)
}

/// How many values a value holds, itself included.
#[derive(Debug, Default, PartialEq)]
struct Values(usize);

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Counting)
    }
}

struct Counting;

impl<'de> Visitor<'de> for Counting {
    type Value = Values;

    fn expecting(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str("any value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Values, E> {
        Ok(Values(1))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Values, E> {
        Ok(Values(1))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Values, E> {
        Ok(Values(1))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Values, E> {
        Ok(Values(1))
    }

    fn visit_str<E>(self, _: &str) -> Result<Values, E> {
        Ok(Values(1))
    }

    fn visit_unit<E>(self) -> Result<Values, E> {
        Ok(Values(1))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Values, A::Error> {
        let mut count = 1;
        while let Some(Values(held)) = items.next_element()? {
            count += held;
        }
        Ok(Values(count))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Values, A::Error> {
        let mut count = 1;
        while let Some((IgnoredAny, Values(held))) = fields.next_entry()? {
            count += held;
        }
        Ok(Values(count))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_value_counts_itself_and_what_it_holds() {
        for (value, count) in [
            (json!(null), 1),
            (json!("text"), 1),
            (json!([]), 1),
            (json!([true, 1.5, -2, 3]), 5),
            (json!({"a": {"b": [{}]}}), 4),
        ] {
            assert_eq!(serde_json::from_str::<Values>(&value.to_string()).expect("counted"), Values(count));
        }
    }

    fn review(new: usize, old: usize, metadata: &Value) -> Vec<u8> {
        // The map, its metadata and the list are three.
        let object = |count: usize| json!({"metadata": metadata, "spec": vec![0; count - 3]});
        json!({"request": {"uid": "7", "operation": "UPDATE", "object": object(new), "oldObject": object(old)}})
            .to_string()
            .into_bytes()
    }

    #[test]
    fn objects_are_outsized_one_by_one() {
        let outsized = |new, old| Outline::of_outsized(&review(new, old, &json!({}))).expect("a review");
        assert_eq!(outsized(MOST_VALUES, MOST_VALUES), None);
        let new = outsized(MOST_VALUES + 1, 3).expect("outsized");
        assert_eq!((new.new, new.old, new.is_leaving), (MOST_VALUES + 1, 3, false));
        let old = outsized(3, MOST_VALUES + 1).expect("outsized");
        assert_eq!((old.new, old.old), (3, MOST_VALUES + 1));
    }

    #[test]
    fn an_object_on_its_way_out_is_told_from_others() {
        let leaving = json!({"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["a"]});
        let body = review(MOST_VALUES + 9, 3 + 4, &leaving);
        assert!(Outline::of_outsized(&body).expect("a review").is_some_and(|outline| outline.is_leaving));
    }

    #[test]
    fn what_is_no_review_has_no_outline() {
        for body in ["", "[]", "{}", r#"{"request": {"uid": 7}}"#] {
            assert!(Outline::of_outsized(body.as_bytes()).is_err(), "{body}");
        }
    }
}
