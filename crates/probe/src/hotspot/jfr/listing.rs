//! What `JFR.check verbose=true` lists:
//!
//! ```text
//! Recording 2: name=continuous maxsize=250.0MB (running)
//!
//!  Java Thread Start (jdk.ThreadStart)
//!    [enabled=true,stackTrace=true]
//! ```

/// Recordings that are looked at.
const MOST: usize = 100;

/// A recording.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) number: u64,
    pub(super) name: String,
    pub(super) running: bool,
    /// Does it keep the stacks of thread starts?
    pub(super) has_starts: bool,
}

/// All that are listed; none when there is none, or when the text is of another kind.
pub(super) fn parse(text: &str) -> Vec<Listed> {
    let mut found: Vec<Listed> = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(recording) = line.strip_prefix("Recording ").and_then(recording) {
            if found.len() >= MOST {
                break;
            }
            found.push(recording);
        } else if line.trim_end().ends_with("(jdk.ThreadStart)")
            && let (Some(last), Some(settings)) = (found.last_mut(), lines.next())
        {
            let settings = settings.trim().trim_start_matches('[').trim_end_matches(']');
            let has = |wanted| settings.split(',').any(|setting| setting.trim() == wanted);
            last.has_starts = has("enabled=true") && has("stackTrace=true");
        }
    }
    found
}

/// `2: name=continuous maxsize=250.0MB (running)`; a name may have spaces, and stands in quotation marks then.
fn recording(line: &str) -> Option<Listed> {
    let (number, rest) = line.split_once(": ")?;
    let rest = rest.trim_end();
    let name = rest.strip_prefix("name=")?;
    let name = match name.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => name.split(' ').next(),
    };
    Some(Listed {
        number: number.parse().ok()?,
        name: name?.to_owned(),
        running: rest.ends_with("(running)"),
        has_starts: false,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "Recording 1: name=flatfoot (running)\n\n Java Thread End (jdk.ThreadEnd)\n   [enabled=true]\n \
        Java Thread Start (jdk.ThreadStart)\n   [stackTrace=true,enabled=true]\n\nRecording 2: name=\"my own\" \
        duration=1s maxsize=250.0MB (stopped)\n\n Java Thread Start (jdk.ThreadStart)\n   [enabled=true]\n \
        Virtual Thread Start (jdk.VirtualThreadStart)\n   [enabled=true,stackTrace=true]\n";

    #[test]
    fn recordings_and_whether_they_have_thread_starts() {
        let one = Listed { number: 1, name: "flatfoot".to_owned(), running: true, has_starts: true };
        let two = Listed { number: 2, name: "my own".to_owned(), running: false, has_starts: false };
        assert_eq!(parse(TEXT), [one, two]);
        assert_eq!(parse("No available recordings.\n\nUse JFR.start to start a recording.\n"), []);
        assert_eq!(parse(""), []);
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(at in 0..TEXT.len(), cut in 0..TEXT.len(), with in "\\PC{0,10}") {
            let text = format!("{}{with}{}", &TEXT[..at], &TEXT[cut..]);
            let _ = parse(&text);
        }
    }
}
