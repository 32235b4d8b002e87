//! A chunk's metadata: which fields each type of event and value has, in which order. Every chunk brings its own, so
//! that releases of the JDK may differ, and they do.
//!
//! ```text
//! root ─ metadata ─ class id=181 name=jdk.ThreadStart superType=jdk.jfr.Event
//!                     field name=startTime class=11
//!                     field name=stackTrace class=19 constantPool=true
//! ```

use std::collections::HashMap;

use super::bytes::{Broken, Cursor, Word};

/// Elements and attributes of all types; a JDK has some 10,000.
const MOST_ELEMENTS: usize = 500_000;
/// Elements inside one another; a JDK's are five deep.
const MOST_DEPTH: usize = 16;

/// One type.
#[derive(Clone, Debug, Default)]
pub(super) struct Type {
    pub(super) name: String,
    pub(super) fields: Vec<Field>,
}

/// One field of a type.
#[derive(Clone, Debug, Default)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) class: i64,
    /// Is its value a number in the constant pool?
    pub(super) pooled: bool,
    /// Are there any number of values?
    pub(super) array: bool,
}

/// All types of a chunk, by their number.
pub(super) type Types = HashMap<i64, Type>;

/// Reads the metadata event; the cursor stands at its beginning.
pub(super) fn parse(mut cursor: Cursor<'_>) -> Result<Types, Broken> {
    cursor.number()?; // size
    if cursor.number()? != 0 {
        return Err(Broken("metadata: not where they should be"));
    }
    for _ in 0..3 {
        cursor.number()?; // start, duration, number of the metadata
    }
    let count = cursor.count()?;
    let mut strings = Vec::new();
    for _ in 0..count {
        strings.push(match cursor.word()? {
            Word::Text(text) => text.as_str().to_owned(),
            Word::Nothing => String::new(),
            Word::Pooled(_) => return Err(Broken("metadata: a string")),
        });
    }
    let mut tree = Tree { cursor, strings, left: MOST_ELEMENTS, types: Types::new() };
    tree.element(0, &mut None)?;
    Ok(tree.types)
}

struct Tree<'a> {
    cursor: Cursor<'a>,
    strings: Vec<String>,
    left: usize,
    types: Types,
}

impl Tree<'_> {
    fn string(&mut self) -> Result<String, Broken> {
        let index =
            usize::try_from(self.cursor.number()?).map_err(|_| Broken("metadata: a string's number"))?;
        self.strings.get(index).cloned().ok_or(Broken("metadata: a string's number"))
    }

    /// One element with all below it; `class` is the one that it belongs to.
    fn element(&mut self, depth: usize, class: &mut Option<Type>) -> Result<(), Broken> {
        let name = self.string()?;
        let mut attributes = Vec::new();
        for _ in 0..self.cursor.count()? {
            self.spend()?;
            attributes.push((self.string()?, self.string()?));
        }
        self.spend()?;
        if depth > MOST_DEPTH {
            return Err(Broken("metadata: too deep"));
        }
        let attribute = |wanted: &str| {
            attributes
                .iter()
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value.as_str())
                .unwrap_or_default()
        };
        let number = |wanted: &str| attribute(wanted).parse::<i64>();
        let children = self.cursor.count()?;
        match name.as_str() {
            "class" => {
                let mut own = Some(Type { name: attribute("name").to_owned(), fields: Vec::new() });
                let id = number("id").map_err(|_| Broken("metadata: a class without a number"))?;
                for _ in 0..children {
                    self.element(depth + 1, &mut own)?;
                }
                self.types.insert(id, own.unwrap_or_default());
                return Ok(());
            }
            "field" => {
                if let Some(class) = class {
                    class.fields.push(Field {
                        name: attribute("name").to_owned(),
                        class: number("class").map_err(|_| Broken("metadata: a field without a class"))?,
                        pooled: attribute("constantPool") == "true",
                        array: !matches!(attribute("dimension"), "" | "0"),
                    });
                }
            }
            _ => {}
        }
        for _ in 0..children {
            // What is below a field (annotations) says nothing about the class's fields.
            self.element(depth + 1, &mut None)?;
        }
        Ok(())
    }

    fn spend(&mut self) -> Result<(), Broken> {
        self.left = self.left.checked_sub(1).ok_or(Broken("metadata: too many elements"))?;
        Ok(())
    }
}
