//! Ruby's own names on stacks of JRuby: what people wrote, instead of what it was compiled to.

use model::{JavaFrame, SpawnStack};
use probe::hotspot::agent::ruby::demangle;

/// Replaces frames of compiled Ruby methods, and leaves out the call sites that lead to them.
pub(super) fn name(spawns: &mut [SpawnStack]) {
    for spawn in spawns {
        spawn.frames = std::mem::take(&mut spawn.frames)
            .into_iter()
            .filter(|frame| !is_call_site(frame))
            .map(|frame| match demangle(&frame) {
                Some(ruby) => JavaFrame {
                    class: "ruby".into(),
                    method: ruby.method.as_str().into(),
                    file: Some(ruby.file.as_str().into()),
                    line: ruby.line,
                    origin: None,
                    of_jdk: false,
                },
                None => frame,
            })
            .collect();
    }
}

/// `app.invokeOther10:schedule` in app.rb: made by the compiler, for the line that the method's own frame names.
fn is_call_site(frame: &JavaFrame) -> bool {
    frame.method.as_str().starts_with("invoke")
        && frame.method.as_str().contains(':')
        && frame.file.as_ref().is_some_and(|file| file.as_str().ends_with(".rb"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compiled_ruby_reads_as_it_was_written() {
        let frame = |method: &str, line| JavaFrame {
            class: "srv.jobs.app".into(),
            method: method.into(),
            file: Some("/srv/jobs/app.rb".into()),
            line: Some(line),
            origin: Some("/usr/share/jruby/lib/jruby.jar".into()),
            of_jdk: false,
        };
        let mut spawns = [SpawnStack {
            frames: vec![
                frame("invokeOther10:schedule", 23),
                frame("RUBY$method$guard$3", 23),
                frame("RUBY$block$run$7", 37),
            ],
            ..SpawnStack::default()
        }];
        name(&mut spawns);
        let names: Vec<_> =
            spawns[0].frames.iter().map(|f| (f.class.as_str(), f.method.as_str(), f.line)).collect();
        assert_eq!(names, [("ruby", "guard", Some(23)), ("ruby", "block in run", Some(37))]);
        assert_eq!(spawns[0].frames[0].origin, None);
    }
}
