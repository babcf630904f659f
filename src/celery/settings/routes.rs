// SPDX-License-Identifier: Apache-2.0
//! The forms of `task_routes`: a table from tasks to queues, or a list of routers, each of them a table, a list of pairs,
//! or the import path of a function.

use serde_json::Value as Json;

use super::unfit::{Step, Unfit};

/// Why no task can be sent with these routes.
pub(super) fn unfit(value: &Json) -> Option<Unfit> {
    match value {
        Json::Array(routers) => {
            let found = |(at, item)| router(item).map(|found: Unfit| found.below(Step::Item(at)));
            routers.iter().enumerate().find_map(found)
        }
        router_itself => router(router_itself),
    }
}

fn router(value: &Json) -> Option<Unfit> {
    match value {
        Json::Object(tasks) => tasks.iter().find_map(|(task, route)| {
            (!is_route(route)).then(|| not_a_route().below(Step::Name(task.clone())))
        }),
        Json::Array(pairs) => {
            let at = pairs.iter().position(|pair| !is_pair(pair))?;
            let told =
                Unfit::whole("is not a pair of a task and its route", "use a table: {task: {queue: a}}");
            Some(told.below(Step::Item(at)))
        }
        // Whether there is such a function, only the image knows.
        Json::String(_) => None,
        _ => Some(Unfit::whole("is not a router", "use a table: {task: {queue: a}}")),
    }
}

fn is_pair(value: &Json) -> bool {
    value
        .as_array()
        .is_some_and(|pair| matches!(pair.as_slice(), [Json::String(_), route] if is_route(route)))
}

fn is_route(value: &Json) -> bool {
    value.is_object() || value.is_string()
}

fn not_a_route() -> Unfit {
    Unfit::whole("is neither a queue nor a table", "use {queue: a}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_form_is_known() {
        let route = json!({"queue": "a"});
        for value in [
            json!({"a.*": route, "b": "queue"}),
            json!([{"a": route}, "shop.routes.route"]),
            json!([[["a", route], ["b", "queue"]]]),
            json!("shop.routes.route"),
            json!([]),
            json!([[]]),
        ] {
            assert_eq!(unfit(&value), None, "{value}");
        }
        let name = |name: &str| Step::Name(name.to_owned());
        for (value, within) in [
            (json!({"a": route, "b": null}), vec![name("b")]),
            (json!([["a", route]]), vec![Step::Item(0), Step::Item(0)]),
            (json!([{"a": ["b"]}]), vec![Step::Item(0), name("a")]),
            (json!([null]), vec![Step::Item(0)]),
            (json!(true), vec![]),
        ] {
            assert_eq!(unfit(&value).map(|found| found.within), Some(within), "{value}");
        }
    }
}
