//! Class files: the constant pool's calls, and where bytecode makes them (JVM specification, chapters 4 and 6).
//!
//! Pure, and compiled into flatfoot's tests as well: what the JVM hands over is well formed, and nothing here relies on
//! that.

/// `java/util/Timer` and `<init>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Called<'a> {
    pub class: &'a [u8],
    pub method: &'a [u8],
}

fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    let pair = bytes.get(at..)?.first_chunk::<2>()?;
    Some(usize::from(u16::from_be_bytes(*pair)))
}

fn i32_at(bytes: &[u8], at: usize) -> Option<i64> {
    let four = bytes.get(at..)?.first_chunk::<4>()?;
    Some(i64::from(i32::from_be_bytes(*four)))
}

const METHOD: u8 = 10;
const INTERFACE_METHOD: u8 = 11;

/// Gives the place of each of the constants 1 to `count` - 1 to `place`; those that take two numbers leave one out.
/// False when the pool is cut short or has an unknown tag.
pub fn index(pool: &[u8], count: usize, mut place: impl FnMut(usize, usize) -> bool) -> bool {
    let (mut at, mut number) = (0, 1);
    while number < count {
        let Some(tag) = pool.get(at) else { return false };
        if !place(number, at) {
            return false;
        }
        let bytes = match tag {
            1 => u16_at(pool, at + 1).map(|length| length + 3),
            3 | 4 | 9..=12 | 17 | 18 => Some(5),
            5 | 6 => Some(9),
            7 | 8 | 16 | 19 | 20 => Some(3),
            15 => Some(4),
            _ => None,
        };
        let Some(bytes) = bytes else { return false };
        at += bytes;
        number += if matches!(tag, 5 | 6) { 2 } else { 1 };
    }
    true
}

/// The method that a constant names, if it is one; `places` are those of all constants by their number.
pub fn called<'a>(pool: &'a [u8], places: &[u32], number: usize) -> Option<Called<'a>> {
    let place = |number: usize| places.get(number).map(|at| *at as usize);
    let utf8 = |number: usize| {
        let at = place(number)?;
        pool.get(at).filter(|tag| **tag == 1)?;
        let length = u16_at(pool, at + 1)?;
        pool.get(at + 3..)?.get(..length)
    };
    let at = place(number)?;
    pool.get(at).filter(|tag| matches!(**tag, METHOD | INTERFACE_METHOD))?;
    let class = utf8(u16_at(pool, place(u16_at(pool, at + 1)?)? + 1)?)?;
    let method = utf8(u16_at(pool, place(u16_at(pool, at + 3)?)? + 1)?)?;
    Some(Called { class, method })
}

/// Does this call make a thread, a pool or a timer?
pub fn makes_threads(called: Called) -> bool {
    let Called { class, method } = called;
    match class {
        b"java/util/concurrent/Executors" => method.starts_with(b"new"),
        b"java/util/concurrent/ThreadPoolExecutor"
        | b"java/util/concurrent/ScheduledThreadPoolExecutor"
        | b"java/util/concurrent/ForkJoinPool"
        | b"java/util/Timer" => method == b"<init>",
        b"java/lang/Thread" => {
            matches!(method, b"<init>" | b"start" | b"ofPlatform" | b"ofVirtual" | b"startVirtualThread")
        }
        _ => false,
    }
}

/// Gives each call in a method's bytecode to `see`: where, and the constant's number. Stops at what makes no sense.
pub fn calls(code: &[u8], mut see: impl FnMut(usize, usize)) {
    const INVOKE_VIRTUAL: u8 = 182;
    const INVOKE_INTERFACE: u8 = 185;
    let mut at = 0;
    while let Some(operation) = code.get(at) {
        if (INVOKE_VIRTUAL..=INVOKE_INTERFACE).contains(operation)
            && let Some(number) = u16_at(code, at + 1)
        {
            see(at, number);
        }
        let Some(next) = length(code, at, *operation).and_then(|bytes| at.checked_add(bytes)) else { return };
        at = next;
    }
}

/// Bytes of the instruction at a place.
fn length(code: &[u8], at: usize, operation: u8) -> Option<usize> {
    Some(match operation {
        16 | 18 | 21..=25 | 54..=58 | 169 | 188 => 2,
        17 | 19 | 20 | 132 | 153..=168 | 178..=184 | 187 | 189 | 192 | 193 | 198 | 199 => 3,
        197 => 4,
        185 | 186 | 200 | 201 => 5,
        196 => {
            if code.get(at + 1)? == &132 {
                6
            } else {
                4
            }
        }
        // tableswitch, lookupswitch: padded to a multiple of 4 from the method's beginning.
        170 => {
            let table = (at + 4) & !3;
            let entries = i32_at(code, table + 8)?.checked_sub(i32_at(code, table + 4)?)?.checked_add(1)?;
            (table - at) + 12 + 4 * usize::try_from(entries).ok()?
        }
        171 => {
            let table = (at + 4) & !3;
            (table - at) + 8 + 8 * usize::try_from(i32_at(code, table + 4)?).ok()?
        }
        _ => 1,
    })
}
