//! JRuby's compiled methods on Java stacks: their names tell the Ruby method.
//!
//! ```text
//! app.RUBY$method$guard$0                                        def guard, in app.rb
//! usr.share.app.jobs.RUBY$block$each_job$1                       a block in each_job
//! app.RUBY$method$run\=\!$3$__VARARGS__                          def run!
//! ```
//!
//! (org.jruby.util.JavaNameMangler, JRuby 9; special characters are escaped as in "Symbolic Freedom in the VM".)

use model::JavaFrame;

/// A Ruby method, as far as a Java frame tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RubyFrame {
    /// `guard`; `block in guard`; `<main>` for a script's own code; `<class:Job>`.
    pub method: String,
    /// `app.rb`, as it was compiled from.
    pub file: String,
    /// Line in it.
    pub line: Option<u32>,
}

/// The Ruby method that a Java frame runs; `None` when it runs none.
#[must_use]
pub fn demangle(frame: &JavaFrame) -> Option<RubyFrame> {
    let file = frame.file.as_ref().map(|file| file.as_str().to_owned()).unwrap_or_default();
    let line = frame.line;
    if frame.class.as_str() == "ruby" {
        return Some(RubyFrame { method: frame.method.as_str().to_owned(), file, line });
    }
    let mangled = frame.method.as_str().strip_prefix("RUBY$")?;
    let mut parts = mangled.split('$');
    let kind = parts.next()?;
    let name = unescape(parts.next().unwrap_or_default());
    let method = match kind {
        "script" => "<main>".to_owned(),
        "method" if !name.is_empty() => name,
        "block" if name.is_empty() => "block".to_owned(),
        "block" => format!("block in {name}"),
        "class" => format!("<class:{name}>"),
        "module" => format!("<module:{name}>"),
        "metaclass" => "singleton class".to_owned(),
        _ => return None,
    };
    Some(RubyFrame { method, file, line })
}

/// `run\!`… → `run:`: a backslash and a letter stand for a character that JVM names can't have; a name with any of
/// them begins with `\=`.
fn unescape(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    let mut characters = name.chars().peekable();
    while let Some(character) = characters.next() {
        if character != '\\' {
            plain.push(character);
            continue;
        }
        let meant = match characters.peek() {
            Some('|') => Some('/'),
            Some(',') => Some('.'),
            Some('?') => Some(';'),
            Some('%') => Some('$'),
            Some('^') => Some('<'),
            Some('_') => Some('>'),
            Some('{') => Some('['),
            Some('}') => Some(']'),
            Some('!') => Some(':'),
            Some('-') => Some('\\'),
            // Says only that there are escapes.
            Some('=') => None,
            _ => {
                plain.push('\\');
                continue;
            }
        };
        characters.next();
        plain.extend(meant);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Text;
    use proptest::prelude::*;

    fn frame(class: &str, method: &str) -> JavaFrame {
        JavaFrame {
            class: Text::from(class),
            method: Text::from(method),
            file: Some(Text::from("app.rb")),
            line: Some(12),
            ..JavaFrame::default()
        }
    }

    #[test]
    fn compiled_names_tell_the_ruby_method() {
        for (method, ruby) in [
            ("RUBY$method$guard$0", Some("guard")),
            ("RUBY$method$run!$3$__VARARGS__", Some("run!")),
            ("RUBY$method$\\=\\^\\^$4", Some("<<")),
            ("RUBY$block$each_job$1", Some("block in each_job")),
            ("RUBY$script", Some("<main>")),
            ("RUBY$class$Job$2", Some("<class:Job>")),
            ("RUBY$method$", None),
            ("RUBY$new$kind$1", None),
            ("run", None),
        ] {
            assert_eq!(
                demangle(&frame("app", method)).map(|found| found.method).as_deref(),
                ruby,
                "{method}"
            );
        }
        let interpreted = demangle(&frame("ruby", "guard")).unwrap();
        assert_eq!(interpreted, RubyFrame { method: "guard".into(), file: "app.rb".into(), line: Some(12) });
    }

    proptest! {
        #[test]
        fn arbitrary_names_never_panic(name in ".*") {
            let _ = demangle(&frame("app", &name));
            let _ = demangle(&frame("app", &format!("RUBY${name}")));
        }
    }
}
