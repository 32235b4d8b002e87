//! What the walk knows of classes: looked up once for each by JVMTI, and found again by a tag on the class.

use crate::arena::{List, Piece};
use crate::jni::{Field, Jni, Obj};
use crate::jvmti::Ti;
use crate::layout::UNKNOWN;
use crate::names::{Kind, THREAD, is_jdk, kind, without_lambda};
use crate::report::Report;

const MOST_CLASSES: usize = 20_000;
const MOST_FIELDS: usize = 96;
/// java.lang.Thread's fields that matter: the others lead to what every thread has.
const OF_THREAD: [&[u8]; 4] = [b"target", b"holder", b"contextClassLoader", b"inheritedAccessControlContext"];

/// An instance field.
#[derive(Clone, Copy)]
pub struct FieldInfo {
    pub id: Field,
    pub name: Piece,
    /// First character of its type.
    pub sort: u8,
    /// May it lead to something of interest?
    pub leads: bool,
}

/// A class.
#[derive(Clone, Copy)]
pub struct ClassInfo {
    pub signature: Piece,
    pub kind: Kind,
    /// Not of the JDK, as far as loader and package tell.
    pub application: bool,
    fields: (u32, u32),
    /// Its number in the report, once it has one.
    number: u32,
}

/// All that were met.
pub struct Classes {
    list: List<ClassInfo>,
    fields: List<FieldInfo>,
    pub text: List<u8>,
}

impl Classes {
    pub const fn new() -> Self {
        Self { list: List::new(), fields: List::new(), text: List::new() }
    }

    pub fn get(&self, at: usize) -> Option<ClassInfo> {
        self.list.as_slice().get(at).copied()
    }

    pub fn fields_of(&self, class: ClassInfo) -> &[FieldInfo] {
        self.fields.as_slice().get(class.fields.0 as usize..class.fields.1 as usize).unwrap_or(&[])
    }

    /// A field by name and sort: the most derived class's.
    pub fn field(&self, class: ClassInfo, name: &[u8], sort: u8) -> Field {
        let found = self
            .fields_of(class)
            .iter()
            .find(|field| field.sort == sort && self.text.piece(field.name) == name);
        found.map_or(core::ptr::null_mut(), |field| field.id)
    }

    /// The class of an object.
    pub fn of(&mut self, jni: Jni, ti: Ti, object: Obj) -> Option<(usize, ClassInfo)> {
        let class = jni.class_of(object);
        let found = self.of_class(jni, ti, class);
        jni.release(class);
        found
    }

    fn of_class(&mut self, jni: Jni, ti: Ti, class: Obj) -> Option<(usize, ClassInfo)> {
        let tag = ti.tag(class);
        if tag > 0
            && let Some(info) = self.get(tag as usize - 1)
        {
            return Some((tag as usize - 1, info));
        }
        if class.is_null() || self.list.len() >= MOST_CLASSES {
            return None;
        }
        let info = self.describe(jni, ti, class);
        let at = self.list.len();
        if !self.list.push(info) {
            return None;
        }
        ti.set_tag(class, at as i64 + 1);
        Some((at, info))
    }

    fn describe(&mut self, jni: Jni, ti: Ti, class: Obj) -> ClassInfo {
        let signature = ti.signature(class);
        let loader = ti.loader(class);
        let application = !loader.is_null() && !is_jdk(signature.text());
        jni.release(loader);
        let first = self.fields.len();
        let mut found = Kind::Plain;
        // Up the superclasses; `class` itself is the caller's.
        let mut current = class;
        while !current.is_null() {
            let name = ti.signature(current);
            if found == Kind::Plain {
                found = kind(name.text());
            }
            self.own_fields(ti, current, name.text() == THREAD, first);
            let next = jni.superclass(current);
            if current != class {
                jni.release(current);
            }
            current = next;
        }
        let fields = (first as u32, self.fields.len() as u32);
        let signature = self.text.keep(without_lambda(signature.text()));
        ClassInfo { signature, kind: found, application, fields, number: UNKNOWN }
    }

    fn own_fields(&mut self, ti: Ti, class: Obj, of_thread: bool, first: usize) {
        for id in ti.fields(class).as_slice() {
            let Some((name, signature, is_static)) = ti.describe_field(class, *id) else { continue };
            let (name, signature) = (name.text(), signature.text());
            let sort = signature.first().copied().unwrap_or(0);
            let of_use = matches!(sort, b'L' | b'[' | b'I' | b'J' | b'Z') && !is_static;
            if !of_use
                || (of_thread && !OF_THREAD.contains(&name))
                || self.fields.len() - first >= MOST_FIELDS
            {
                continue;
            }
            let leads = sort == b'L'
                && !(of_thread && name != b"target" && name != b"holder")
                && !matches!(kind(signature), Kind::Closed);
            let name = self.text.keep(name);
            self.fields.push(FieldInfo { id: *id, name, sort, leads });
        }
    }

    /// The number of an object's class in the report, which gets the class if it hasn't.
    pub fn number(&mut self, jni: Jni, ti: Ti, report: &mut Report, object: Obj) -> u32 {
        let Some((at, info)) = self.of(jni, ti, object) else { return UNKNOWN };
        if info.number != UNKNOWN {
            return info.number;
        }
        let class = jni.class_of(object);
        let number = report.class(jni, ti, class, self.text.piece(info.signature));
        jni.release(class);
        if let Some(info) = self.list.as_mut_slice().get_mut(at) {
            info.number = number;
        }
        number
    }
}
