// SPDX-License-Identifier: Apache-2.0
//! Texts that lie idle, in less than half of their room.

/// A text that is seldom read. Equal texts are packed alike.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Packed(Box<[u8]>);

impl Packed {
    /// Holds this text.
    pub(super) fn new(text: &str) -> Self {
        // A copy of its own length: the packer's buffer is as long as the text.
        Self(Box::from(lz4_flex::compress_prepend_size(text.as_bytes()).as_slice()))
    }

    /// The text.
    pub(super) fn text(&self) -> String {
        // What was packed here can be unpacked; if it could not, the object would be as if it were not there.
        let bytes = lz4_flex::decompress_size_prepended(&self.0).unwrap_or_default();
        String::from_utf8(bytes).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_repeats_itself_takes_less_than_half_of_its_room() {
        let text = r#"{"type":"Ready","status":"True","reason":"Ready","message":""}"#.repeat(20);
        assert!(Packed::new(&text).0.len() * 2 < text.len());
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in ".*") {
            prop_assert_eq!(Packed::new(&text).text(), text);
        }
    }
}
