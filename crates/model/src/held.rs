//! Who holds objects in a JVM, as a walk over its heap told.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Text;

/// One reference on the way from a root to an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct HeapStep {
    /// `static`, `field`, `element` (of an array), `thread`, `local` (a variable of a method that runs), `native` (JNI),
    /// `jvm`.
    pub kind: Text,
    /// The class that refers; for a `local` the class of its method. `None` where there is none.
    pub class: Option<Text>,
    /// Field, method, or the thread's name.
    pub name: Text,
}

/// `static leakcase.Memory.SESSIONS`, `java.util.HashMap.table`, `java.util.HashMap$Node[]`, `a local of Main.run`.
impl fmt::Display for HeapStep {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, class, name } = self;
        match (kind.as_str(), class) {
            ("static", Some(class)) => write!(out, "static {class}.{name}"),
            ("field", Some(class)) => write!(out, "{class}.{name}"),
            ("element", Some(class)) => write!(out, "{class}"),
            ("thread", _) if name.as_str().is_empty() => out.write_str("a thread"),
            ("thread", _) => write!(out, "thread {name}"),
            ("local", Some(class)) if !name.as_str().is_empty() => write!(out, "a local of {class}.{name}"),
            ("local", _) if !name.as_str().is_empty() => write!(out, "a local of thread {name}"),
            ("local", _) => out.write_str("a local variable"),
            ("native", _) => out.write_str("native code (JNI)"),
            ("jvm", _) => out.write_str("the JVM itself"),
            _ => out.write_str("something"),
        }
    }
}

/// A place that refers to objects of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct HeapHolder {
    /// Which class, by which field.
    pub by: HeapStep,
    /// References, or pools that are held so.
    pub count: u64,
    /// Of direct buffers: their bytes outside the heap.
    pub bytes: u64,
}

/// A way from a root to an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct HeapPath {
    /// From the root; what is held comes after the last.
    pub steps: Vec<HeapStep>,
    /// How many it may hold, by the sizes of the collections on it; `None` when they don't tell.
    pub holds: Option<u64>,
}

/// `static leakcase.Memory.SESSIONS → java.util.HashMap.table → …`.
impl fmt::Display for HeapPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.steps.iter().enumerate() {
            if at > 0 {
                out.write_str(" → ")?;
            }
            write!(out, "{step}")?;
        }
        Ok(())
    }
}

/// Who holds the objects of one class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct HeldClass {
    /// The class.
    pub class: Text,
    /// Who refers to them, most references first.
    pub holders: Vec<HeapHolder>,
    /// Ways to some of them, those that hold most first.
    pub paths: Vec<HeapPath>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_read_as_in_java() {
        let step = |kind: &str, class: Option<&str>, name: &str| HeapStep {
            kind: kind.into(),
            class: class.map(Text::from),
            name: name.into(),
        };
        let path = HeapPath {
            steps: vec![
                step("static", Some("app.Cache"), "MAP"),
                step("field", Some("java.util.HashMap"), "table"),
                step("element", Some("java.util.HashMap$Node[]"), ""),
            ],
            holds: None,
        };
        assert_eq!(
            path.to_string(),
            "static app.Cache.MAP → java.util.HashMap.table → java.util.HashMap$Node[]"
        );
        assert_eq!(step("local", Some("app.Main"), "run").to_string(), "a local of app.Main.run");
        assert_eq!(step("thread", None, "worker-1").to_string(), "thread worker-1");
        assert_eq!(step("", None, "").to_string(), "something");
    }
}
