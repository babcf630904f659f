// SPDX-License-Identifier: Apache-2.0
//! The application path of `celery -A`.

use std::str::FromStr;

use thiserror::Error;

/// `module.path` or `module.path:attribute`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppPath(String);

/// Why a text is no application path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("is not a module path")]
pub struct NotAPath;

impl FromStr for AppPath {
    type Err = NotAPath;

    fn from_str(text: &str) -> Result<Self, NotAPath> {
        let (module, attribute) = match text.split_once(':') {
            Some((module, attribute)) => (module, Some(attribute)),
            None => (text, None),
        };
        // A module is found by its file, so its name may hold a dash; an attribute is one name of Python.
        let is_module = |part: &str| is_identifier(&part.replace('-', "_")) && !part.starts_with('-');
        let is_path = module.split('.').all(is_module) && attribute.is_none_or(is_identifier);
        if is_path { Ok(Self(text.to_owned())) } else { Err(NotAPath) }
    }
}

/// The path that was meant by the name of a file: `shop.tasks` for `shop/tasks.py`.
#[must_use]
pub fn meant(text: &str) -> Option<String> {
    let (file, attribute) = text.split_at(text.find(':').unwrap_or(text.len()));
    let module = file.strip_suffix(".py").unwrap_or(file);
    let module = module.strip_prefix("./").unwrap_or(module).replace('/', ".");
    let meant = format!("{module}{attribute}");
    (meant != text && meant.parse::<AppPath>().is_ok()).then_some(meant)
}

/// A Python identifier; letters of any script count, as in Python.
fn is_identifier(word: &str) -> bool {
    let mut letters = word.chars();
    letters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && letters.all(|c| c.is_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_python_can_import() {
        for text in ["shop", "shop.tasks", "shop.tasks:app", "my-shop.tasks", "_shop.v2", "läden.aufgaben"] {
            assert!(text.parse::<AppPath>().is_ok(), "{text}");
        }
    }

    #[test]
    fn files_have_modules() {
        for (text, module) in [
            ("tasks.py", "tasks"),
            ("shop/tasks.py", "shop.tasks"),
            ("./shop/tasks.py:app", "shop.tasks:app"),
            ("shop/tasks", "shop.tasks"),
        ] {
            assert_eq!(meant(text).as_deref(), Some(module), "{text}");
        }
        for text in ["shop.tasks", "shop.tasks:app", "", ".py", "/shop/tasks.py", "a b.py", "shop:app()"] {
            assert_eq!(meant(text), None, "{text}");
        }
    }

    #[test]
    fn texts_that_end_with_unable_to_load() {
        for text in [
            "",
            " shop",
            "shop ",
            "./shop",
            "shop/tasks",
            "shop:app()",
            "shop:",
            ":app",
            "a..b",
            "shop:factory.app",
            "shop:my-app",
            "-shop",
            "1a",
        ] {
            assert!(text.parse::<AppPath>().is_err(), "{text}");
        }
    }
}
