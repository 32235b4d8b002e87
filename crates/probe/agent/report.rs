//! Reports: the answer to a command, gathered in memory and written to a file that flatfoot made for it. Written and not
//! mapped, as a full disk then is an error and not a signal that ends the target.

use crate::Call;
use crate::arena::List;
use crate::jni::{Jni, Obj};
use crate::jvmti::{self, Ti};
use crate::layout::{self, BOOT, CLASS, END, REPORT};
use crate::{origin, sys};

const MOST: usize = 16 << 20;

/// What a command has to say.
pub struct Report {
    bytes: List<u8>,
    /// When to stop looking, on JVMTI's clock.
    pub until: u64,
    /// What it is granted, ns.
    pub budget: u64,
    /// Was something left out?
    pub cut: bool,
    /// Things looked at.
    pub seen: u32,
    classes: u32,
}

impl Report {
    /// Adds a record.
    pub fn record(&mut self, kind: u32, write: impl FnOnce(&mut List<u8>)) {
        let start = self.bytes.len();
        if start > MOST {
            self.cut = true;
            return;
        }
        self.bytes.u32(0);
        self.bytes.u32(kind);
        write(&mut self.bytes);
        while !self.bytes.len().is_multiple_of(8) {
            if !self.bytes.push(0) {
                self.cut = true;
                self.bytes.truncate(start);
                return;
            }
        }
        let length = (self.bytes.len() - start) as u32;
        if let Some(place) =
            self.bytes.as_mut_slice().get_mut(start..).and_then(|rest| rest.first_chunk_mut())
        {
            *place = length.to_ne_bytes();
        }
    }

    /// Adds a class and answers its number.
    pub fn class(&mut self, jni: Jni, ti: Ti, class: Obj, signature: &[u8]) -> u32 {
        let number = self.classes;
        self.classes = number.wrapping_add(1);
        let flags = origin::loader_flags(jni, ti, class);
        let code = (flags & BOOT == 0).then(|| origin::of_class(jni, class));
        self.record(CLASS, |out| {
            out.u32(number);
            out.u32(flags);
            out.text(signature);
            out.text(code.as_ref().map_or(&[], origin::Origin::text));
        });
        number
    }

    /// Is its time over, for what is left out without harm?
    pub fn is_over(&self, ti: Ti) -> bool {
        ti.now() > self.until
    }

    /// Is its time over?
    pub fn is_late(&mut self, ti: Ti) -> bool {
        self.cut |= ti.now() > self.until;
        self.cut
    }
}

/// Carries a command out, with a JVMTI environment of its own, and writes what it says.
pub fn write(call: Call, look: fn(Call, Ti, &mut Report) -> Result<(), i32>) -> Result<(), i32> {
    const LONGEST_MS: u64 = 60_000;
    let path = call.options.path(b"out").ok_or(layout::BAD_OPTIONS)?;
    let budget = call.options.number(b"ms", 10).unwrap_or(1_000).min(LONGEST_MS) * 1_000_000;
    let file = sys::File::open(path.as_cstr(), false).map_err(|errno| layout::OPEN_FAILED + errno)?;
    file.regular_size().ok_or(layout::BAD_RING)?;
    let wanted = jvmti::CAN_TAG_OBJECTS
        | jvmti::CAN_GET_BYTECODES
        | jvmti::CAN_GET_CONSTANT_POOL
        | jvmti::CAN_GET_LINE_NUMBERS
        | jvmti::CAN_GET_SOURCE_FILE_NAME;
    // SAFETY: the JVM's.
    let ti = unsafe { Ti::open(call.vm, wanted) }.ok_or(layout::NO_JVMTI)?;
    let began = ti.now();
    let mut report = Report {
        bytes: List::new(),
        until: began.saturating_add(budget),
        budget,
        cut: false,
        seen: 0,
        classes: 0,
    };
    report.bytes.u64(REPORT);
    let result = look(call, ti, &mut report);
    let (cut, seen, spent) = (report.cut, report.seen, ti.now().saturating_sub(began));
    report.record(END, |out| {
        out.u32(if cut { layout::CUT } else { 0 });
        out.u32(seen);
        out.u64(spent);
    });
    ti.dispose();
    result?;
    file.write(report.bytes.as_slice()).map_err(|errno| layout::WRITE_FAILED + errno)
}
