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

/// The values of JSON in a text with nothing between them, as `kubectl get -o json` leaves them that ran several times. The
/// last one may lack its end. None where something else stands in the text.
pub(super) fn values<'t>(chunk: &Chunk<'t>) -> Vec<Chunk<'t>> {
    let text = chunk.text;
    let mut values = Vec::new();
    let mut lines_before = chunk.lines_before;
    let mut at = if is_boundary(text) { 3 } else { 0 };
    loop {
        let rest = text[at..].trim_start();
        let begin = text.len() - rest.len();
        lines_before += text[at..begin].matches('\n').count();
        if rest.is_empty() {
            return values;
        }
        if !rest.starts_with(['{', '[']) {
            return Vec::new();
        }
        let value = &rest[..end_of_value(rest)];
        values.push(Chunk { text: value, lines_before });
        lines_before += value.matches('\n').count();
        at = begin + value.len();
    }
}

/// Where the value ends that a text of JSON begins with.
fn end_of_value(text: &str) -> usize {
    let (mut depth, mut is_quoted, mut is_escaped) = (0_usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_quoted => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            b'{' | b'[' if !is_quoted => depth += 1,
            b'}' | b']' if !is_quoted && depth <= 1 => return at + 1,
            b'}' | b']' if !is_quoted => depth -= 1,
            _ => {}
        }
    }
    text.len()
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
    fn values_of_json_end_where_their_brackets_do() {
        let cut = |text: &str| {
            let values = values(&Chunk { text, lines_before: 5 });
            values.iter().map(|value| (value.text.to_owned(), value.lines_before)).collect::<Vec<_>>()
        };
        let of = |text: &str, line: usize| (text.to_owned(), line);
        assert_eq!(cut("{\"a\": 1}\n{\"b\": [2]}\n"), [of("{\"a\": 1}", 5), of("{\"b\": [2]}", 6)]);
        assert_eq!(cut("---\n{\n}{}\n\n [1]"), [of("{\n}", 6), of("{}", 7), of("[1]", 9)]);
        let odd = r#"{"a": "}{\"]"}"#;
        assert_eq!(cut(&format!("{odd}\r\n{odd}")), [of(odd, 5), of(odd, 6)]);
        assert_eq!(cut("{}\n{ü"), [of("{}", 5), of("{ü", 6)]);
        for text in ["", "---", "{}, {}", "{}\na: 1", "a: 1\n{}", "---a\n{}"] {
            assert_eq!(cut(text), [], "{text}");
        }
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
