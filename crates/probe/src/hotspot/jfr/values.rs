//! Values of a chunk, read as its types say, and the constant pool that most of them are kept in.

use std::collections::HashMap;

use model::Text;

use super::bytes::{Broken, Cursor, Word};
use super::types::{Type, Types};

/// Values in one another; a stack's are four deep.
const MOST_DEPTH: usize = 12;

/// A value of a recording.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Number(i64),
    Text(Text),
    /// In the pool: type and number.
    Pooled(i64, i64),
    /// Fields, in the type's order.
    Record(i64, Vec<Value>),
    List(Vec<Value>),
    Nothing,
}

/// Reads values, as many as may be.
pub(super) struct Reader<'a> {
    pub(super) types: &'a Types,
    string: i64,
    left: &'a mut usize,
}

impl<'a> Reader<'a> {
    /// `left`: how many values may still be read.
    pub(super) fn new(types: &'a Types, left: &'a mut usize) -> Self {
        let string =
            types.iter().find(|(_, known)| known.name == "java.lang.String").map_or(-1, |(id, _)| *id);
        Self { types, string, left }
    }

    fn spend(&mut self) -> Result<(), Broken> {
        *self.left = self.left.checked_sub(1).ok_or(Broken("too many values"))?;
        Ok(())
    }

    /// A value of a type.
    pub(super) fn value(
        &mut self,
        cursor: &mut Cursor<'_>,
        class: i64,
        depth: usize,
    ) -> Result<Value, Broken> {
        self.spend()?;
        let known = self.types.get(&class).ok_or(Broken("a type that is not described"))?;
        Ok(match known.name.as_str() {
            "boolean" | "byte" => Value::Number(cursor.byte()?.into()),
            "char" | "short" | "int" | "long" => Value::Number(cursor.number()?),
            "float" => {
                cursor.take(4)?;
                Value::Nothing
            }
            "double" => {
                cursor.take(8)?;
                Value::Nothing
            }
            "java.lang.String" => match cursor.word()? {
                Word::Text(text) => Value::Text(text),
                Word::Pooled(index) => Value::Pooled(self.string, index),
                Word::Nothing => Value::Nothing,
            },
            _ if depth > MOST_DEPTH => return Err(Broken("values too deep")),
            _ => Value::Record(class, self.fields(cursor, known, depth)?),
        })
    }

    /// The fields of an event or of a record.
    pub(super) fn fields(
        &mut self,
        cursor: &mut Cursor<'_>,
        known: &Type,
        depth: usize,
    ) -> Result<Vec<Value>, Broken> {
        let mut values = Vec::with_capacity(known.fields.len().min(64));
        for field in &known.fields {
            let mut one = |cursor: &mut Cursor<'_>| {
                if field.pooled {
                    self.spend()?;
                    Ok(Value::Pooled(field.class, cursor.number()?))
                } else {
                    self.value(cursor, field.class, depth + 1)
                }
            };
            values.push(if field.array {
                let count = cursor.count()?;
                let list: Result<Vec<Value>, Broken> = (0..count).map(|_| one(cursor)).collect();
                Value::List(list?)
            } else {
                one(cursor)?
            });
        }
        Ok(values)
    }
}

/// The constants of a chunk by type and number.
#[derive(Debug, Default)]
pub(super) struct Pool(HashMap<(i64, i64), Value>);

impl Pool {
    /// Adds those of a checkpoint event, of which the cursor stands behind size and type.
    pub(super) fn add(&mut self, cursor: &mut Cursor<'_>, reader: &mut Reader<'_>) -> Result<(), Broken> {
        for _ in 0..3 {
            cursor.number()?; // start, duration, way to the one before
        }
        cursor.byte()?; // kind
        for _ in 0..cursor.count()? {
            let class = cursor.number()?;
            for _ in 0..cursor.count()? {
                let index = cursor.number()?;
                let value = reader.value(cursor, class, 0)?;
                self.0.insert((class, index), value);
            }
        }
        Ok(())
    }

    /// A value, followed into the pool; one that leads to itself ends.
    pub(super) fn resolve<'v>(&'v self, value: &'v Value) -> &'v Value {
        let mut value = value;
        for _ in 0..4 {
            match value {
                Value::Pooled(class, index) => match self.0.get(&(*class, *index)) {
                    Some(found) => value = found,
                    None => return &Value::Nothing,
                },
                other => return other,
            }
        }
        &Value::Nothing
    }

    /// A field of a record, followed into the pool.
    pub(super) fn field<'v>(&'v self, types: &Types, record: &'v Value, name: &str) -> &'v Value {
        let Value::Record(class, values) = self.resolve(record) else { return &Value::Nothing };
        let position = |known: &Type| known.fields.iter().position(|field| field.name == name);
        types
            .get(class)
            .and_then(position)
            .and_then(|position| values.get(position))
            .map_or(&Value::Nothing, |value| self.resolve(value))
    }
}

impl Value {
    pub(super) fn number(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }
}
