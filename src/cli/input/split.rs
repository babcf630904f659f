// SPDX-License-Identifier: Apache-2.0
//! A text cut into its documents before it is parsed, so that one broken document leaves the others readable.

/// A document's text and where it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunk<'t> {
    /// The text, its `---` included.
    pub(super) text: &'t str,
    /// Lines of the file before it.
    pub(super) lines_before: usize,
}

/// The documents of a text: each begins at a line `---`. A byte order mark at the beginning is no part of any.
pub(super) fn chunks(text: &str) -> Vec<Chunk<'_>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut chunks = Vec::new();
    let (mut start, mut first_line, mut at) = (0, 0, 0);
    // Before the first `---` there may be nothing but comments and directives, which belong to what follows.
    let mut has_content = false;
    for (line, content) in text.split_inclusive('\n').enumerate() {
        if is_boundary(content) {
            if has_content {
                chunks
                    .push(Chunk { text: text.get(start..at).unwrap_or_default(), lines_before: first_line });
                (start, first_line) = (at, line);
            }
            has_content = true;
        } else {
            let bare = content.trim();
            has_content |= !(bare.is_empty() || bare.starts_with(['#', '%']));
        }
        at += content.len();
    }
    chunks.push(Chunk { text: text.get(start..).unwrap_or_default(), lines_before: first_line });
    chunks
}

fn is_boundary(line: &str) -> bool {
    line.strip_prefix("---").is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<(&str, usize)> {
        chunks(text).into_iter().map(|chunk| (chunk.text, chunk.lines_before)).collect()
    }

    #[test]
    fn documents_are_cut_at_their_marks() {
        assert_eq!(cut("a: 1\n---\nb: 2\n"), [("a: 1\n", 0), ("---\nb: 2\n", 1)]);
        assert_eq!(cut("\u{feff}# text\r\n\r\n---\r\na: 1\r\n"), [("# text\r\n\r\n---\r\na: 1\r\n", 0)]);
        assert_eq!(
            cut("%YAML 1.2\n--- # first\na\n--- b"),
            [("%YAML 1.2\n--- # first\na\n", 0), ("--- b", 3)]
        );
        assert_eq!(cut("a: |\n ---\nb: ----\n---x: 1"), [("a: |\n ---\nb: ----\n---x: 1", 0)]);
        assert_eq!(cut("---\n---\n"), [("---\n", 0), ("---\n", 1)]);
        assert_eq!(cut(""), [("", 0)]);
    }
}
