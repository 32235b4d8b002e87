//! Creation sites: methods of loaded application classes that make threads, pools or timers, found in their constant
//! pools and bytecode. Without a safepoint: the classes are looked at one by one.

use crate::Call;
use crate::arena::List;
use crate::bytecode;
use crate::jni::{Method, Obj};
use crate::jvmti::Ti;
use crate::layout::{NO_MEMORY, SITE};
use crate::names::is_jdk;
use crate::report::Report;

/// Constants of one class, and those of them that are calls in question.
struct Pool {
    places: List<u32>,
    wanted: List<u16>,
}

/// Writes the sites of all application classes, until the report's time is over.
pub fn report(call: Call, ti: Ti, report: &mut Report) -> Result<(), i32> {
    const ROOM: i32 = 65_535;
    let jni = call.jni;
    jni.frame(ROOM, || {
        let classes = ti.classes();
        let mut pool = Pool { places: List::new(), wanted: List::new() };
        for class in classes.as_slice() {
            let loader = ti.loader(*class);
            if !loader.is_null() && !report.is_late(ti) {
                look(call, ti, report, &mut pool, *class);
            }
            jni.release(loader);
            jni.release(*class);
        }
    })
    .ok_or(NO_MEMORY)
}

fn look(call: Call, ti: Ti, report: &mut Report, pool: &mut Pool, class: Obj) {
    let signature = ti.signature(class);
    if is_jdk(signature.text()) {
        return;
    }
    report.seen = report.seen.wrapping_add(1);
    let Some((count, constants)) = ti.constants(class) else { return };
    let bytes = constants.as_slice();
    pool.places.truncate(0);
    pool.wanted.truncate(0);
    let indexed = bytecode::index(bytes, count.min(0x1_0000), |number, at| {
        while pool.places.len() < number {
            // The numbers that are left out lead nowhere.
            if !pool.places.push(u32::MAX) {
                return false;
            }
        }
        pool.places.push(at as u32)
    });
    if !indexed {
        return;
    }
    for number in 1..pool.places.len() {
        if bytecode::called(bytes, pool.places.as_slice(), number).is_some_and(bytecode::makes_threads) {
            pool.wanted.push(number as u16);
        }
    }
    if pool.wanted.len() == 0 {
        return;
    }
    let (file, methods) = (ti.source_file(class), ti.methods(class));
    let mut number = None;
    for method in methods.as_slice() {
        let code = ti.bytecodes(*method);
        bytecode::calls(code.as_slice(), |at, constant| {
            if !pool.wanted.as_slice().contains(&(constant as u16)) {
                return;
            }
            let Some(called) = bytecode::called(bytes, pool.places.as_slice(), constant) else { return };
            let number = *number.get_or_insert_with(|| report.class(call.jni, ti, class, signature.text()));
            site(ti, report, number, *method, at, file.text(), called);
        });
    }
}

fn site(
    ti: Ti,
    report: &mut Report,
    class: u32,
    method: Method,
    at: usize,
    file: &[u8],
    called: bytecode::Called,
) {
    let (name, line) = (ti.method_name(method), ti.line(method, at as i64));
    report.record(SITE, |out| {
        out.u32(class);
        out.u32(line as u32);
        out.text(name.text());
        out.text(file);
        out.text(called.class);
        out.text(called.method);
    });
}
