//! `VM.flags`: the flags that are not at their default, all in one line.
//!
//! ```text
//! -XX:CICompilerCount=2 -XX:MaxHeapSize=67108864 -XX:OnOutOfMemoryError=kill -9 %p -XX:+UseG1GC
//! ```

use model::Text;

/// The flags; a value may hold blanks.
#[must_use]
pub fn parse(text: &str) -> Vec<Text> {
    let line = text.lines().find(|line| line.trim_start().starts_with("-XX:")).unwrap_or_default();
    let flags = line.trim().split("-XX:").skip(1);
    flags.map(|flag| format!("-XX:{}", flag.trim_end()).into()).collect()
}

/// The value of a flag: that of `MaxHeapSize`, `+` or `-` of `UseG1GC`.
#[must_use]
pub fn value<'a>(flags: &'a [Text], name: &str) -> Option<&'a str> {
    flags.iter().find_map(|flag| {
        let flag = flag.as_str().strip_prefix("-XX:")?;
        match flag.split_once('=') {
            Some((key, value)) => (key == name).then_some(value),
            None => {
                let is_it = flag.strip_prefix(['+', '-']) == Some(name);
                is_it.then(|| flag.get(..1)).flatten()
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_with_blanks() {
        let flags =
            parse("-XX:MaxHeapSize=67108864 -XX:OnOutOfMemoryError=kill -9 %p -XX:-UseA -XX:+UseG1GC \n");
        assert_eq!(value(&flags, "MaxHeapSize"), Some("67108864"));
        assert_eq!(value(&flags, "OnOutOfMemoryError"), Some("kill -9 %p"));
        assert_eq!((value(&flags, "UseG1GC"), value(&flags, "UseA")), (Some("+"), Some("-")));
        assert_eq!((value(&flags, "Use"), value(&flags, "HeapSize")), (None, None));
        assert_eq!(flags.len(), 4);
        for answer in [include_str!("fixtures/11.flags.txt"), include_str!("fixtures/25.flags.txt")] {
            let flags = parse(answer);
            assert_eq!(value(&flags, "NativeMemoryTracking"), Some("summary"));
            assert_eq!(value(&flags, "UseG1GC"), Some("+"));
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "(-XX:|\\+|-|=|é|\\PC|\n){0,40}") {
            let flags = parse(&text);
            let _ = value(&flags, "é");
        }
    }
}
