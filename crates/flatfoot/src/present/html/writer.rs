//! Writes HTML that is always well formed: each element is closed by the call that opened it, and no text and no attribute
//! gets in unescaped.

use std::fmt::Write as _;

use model::Text;

/// An attribute: its name is ours, its value may come from anywhere.
pub(super) type Attribute<'a> = (&'static str, &'a str);

/// A document that is being written.
#[derive(Debug, Default)]
pub(super) struct Html {
    out: String,
    ids: u32,
}

impl Html {
    /// The document.
    pub(super) fn finish(self) -> String {
        self.out
    }

    /// An id that no other element has.
    pub(super) fn id(&mut self, prefix: &str) -> String {
        self.ids += 1;
        format!("{prefix}{}", self.ids)
    }

    /// An element with something inside.
    pub(super) fn within(
        &mut self,
        tag: &'static str,
        attributes: &[Attribute<'_>],
        inside: impl FnOnce(&mut Self),
    ) {
        self.open(tag, attributes);
        self.out.push('>');
        inside(self);
        let _ = write!(self.out, "</{tag}>");
        if !matches!(tag, "a" | "b" | "code" | "span" | "tspan" | "td" | "th" | "strong") {
            self.out.push('\n');
        }
    }

    /// An element with text inside.
    pub(super) fn say(&mut self, tag: &'static str, attributes: &[Attribute<'_>], text: &str) {
        self.within(tag, attributes, |html| html.text(text));
    }

    /// A shape of an SVG: nothing inside.
    pub(super) fn shape(&mut self, tag: &'static str, attributes: &[Attribute<'_>]) {
        self.open(tag, attributes);
        self.out.push_str("/>\n");
    }

    /// An element of HTML that has no end: `meta`.
    pub(super) fn void(&mut self, tag: &'static str, attributes: &[Attribute<'_>]) {
        self.open(tag, attributes);
        self.out.push_str(">\n");
    }

    /// Text.
    pub(super) fn text(&mut self, text: &str) {
        escape(text, &mut self.out);
    }

    /// What is ours from the first byte to the last: the doctype, the style sheet.
    pub(super) fn own(&mut self, markup: &'static str) {
        self.out.push_str(markup);
    }

    fn open(&mut self, tag: &'static str, attributes: &[Attribute<'_>]) {
        let _ = write!(self.out, "<{tag}");
        for (name, value) in attributes {
            let _ = write!(self.out, " {name}=\"");
            escape(value, &mut self.out);
            self.out.push('"');
        }
    }
}

/// Text for an element or a quoted attribute: no markup, and nothing that drives a terminal or turns the reading order.
fn escape(text: &str, out: &mut String) {
    for c in Text::from(text).to_string().chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn escaped(text: &str) -> String {
        let mut out = String::new();
        escape(text, &mut out);
        out
    }

    #[test]
    fn nothing_from_outside_is_markup() {
        assert_eq!(escaped("<script>alert(1)</script>"), "&lt;script&gt;alert(1)&lt;/script&gt;");
        assert_eq!(escaped("a\" onload='x' &amp;"), "a&quot; onload=&#39;x&#39; &amp;amp;");
        assert_eq!(escaped("\u{1b}[31m\u{202e}\n"), "\\u{1b}[31m\\u{202e}\\n");
        let mut html = Html::default();
        html.say("td", &[("title", "\"><b>")], "]]>");
        assert_eq!(html.finish(), "<td title=\"&quot;&gt;&lt;b&gt;\">]]&gt;</td>");
    }

    proptest! {
        #[test]
        fn no_text_breaks_out(text in any::<String>()) {
            let out = escaped(&text);
            prop_assert!(!out.contains(['<', '>', '"', '\'']));
            prop_assert!(!out.chars().any(char::is_control));
        }
    }
}
