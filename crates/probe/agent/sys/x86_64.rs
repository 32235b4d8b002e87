//! Linux system calls on x86-64, and the memory functions that the compiler expects somebody to have.

use core::arch::asm;

pub const READ_WRITE_OPEN: usize = 2;
pub const WRITE_ONLY_OPEN: usize = 1;
pub const CLOSE_ON_EXEC: usize = 0o2_000_000;
pub const NO_FOLLOW: usize = 0o400_000;

pub const WRITE: usize = 1;
pub const CLOSE: usize = 3;
pub const FSTAT: usize = 5;
pub const MMAP: usize = 9;
pub const MUNMAP: usize = 11;
pub const SCHED_YIELD: usize = 24;
pub const NANOSLEEP: usize = 35;
pub const CLOCK_GETTIME: usize = 228;
pub const OPENAT: usize = 257;

/// Bytes of `struct stat`, and where its mode and size are (asm/stat.h).
pub const STAT_BYTES: usize = 144;
pub const STAT_MODE: usize = 24;
pub const STAT_SIZE: usize = 48;

/// A system call: its result, or a negated errno.
///
/// # Safety
/// The arguments must be what the kernel expects of this call.
#[inline(always)]
pub unsafe fn call(number: usize, arguments: [usize; 6]) -> isize {
    let result: isize;
    let [a, b, c, d, e, f] = arguments;
    // SAFETY: the kernel's convention: rcx and r11 are lost, memory may change (no `nomem`), the stack is untouched.
    unsafe {
        asm!("syscall", inlateout("rax") number as isize => result, in("rdi") a, in("rsi") b, in("rdx") c,
             in("r10") d, in("r8") e, in("r9") f, lateout("rcx") _, lateout("r11") _, options(nostack));
    }
    result
}

/// As C's memcpy.
///
/// # Safety
/// As C's memcpy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, bytes: usize) -> *mut u8 {
    // SAFETY: the caller's promise; the direction flag is clear by the ABI.
    unsafe {
        asm!("rep movsb", inout("rcx") bytes => _, inout("rdi") to => _, inout("rsi") from => _,
             options(nostack, preserves_flags));
    }
    to
}

/// As C's memmove.
///
/// # Safety
/// As C's memmove.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, bytes: usize) -> *mut u8 {
    if (to as usize).wrapping_sub(from as usize) >= bytes {
        // SAFETY: the first byte of `to` is not within `from`, so that copying upwards is right.
        return unsafe { memcpy(to, from, bytes) };
    }
    // SAFETY: the caller's promise; copies downwards and clears the direction flag again.
    unsafe {
        asm!("std", "rep movsb", "cld", inout("rcx") bytes => _, inout("rdi") to.add(bytes).wrapping_sub(1) => _,
             inout("rsi") from.add(bytes).wrapping_sub(1) => _, options(nostack));
    }
    to
}

/// As C's memset.
///
/// # Safety
/// As C's memset.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memset(to: *mut u8, value: i32, bytes: usize) -> *mut u8 {
    // SAFETY: the caller's promise.
    unsafe {
        asm!("rep stosb", inout("rcx") bytes => _, inout("rdi") to => _, in("al") value as u8,
             options(nostack, preserves_flags));
    }
    to
}

/// As C's memcmp.
///
/// # Safety
/// As C's memcmp.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memcmp(left: *const u8, right: *const u8, bytes: usize) -> i32 {
    for at in 0..bytes {
        // SAFETY: the caller's promise; volatile, or the compiler makes this loop a call of memcmp.
        let (a, b) = unsafe { (left.add(at).read_volatile(), right.add(at).read_volatile()) };
        if a != b {
            return i32::from(a) - i32::from(b);
        }
    }
    0
}

/// As memcmp, for equality only.
///
/// # Safety
/// As C's memcmp.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bcmp(left: *const u8, right: *const u8, bytes: usize) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { memcmp(left, right, bytes) }
}

/// As C's strlen.
///
/// # Safety
/// As C's strlen.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strlen(text: *const u8) -> usize {
    let mut length = 0;
    // SAFETY: the caller's promise; volatile, or the compiler makes this loop a call of strlen.
    while unsafe { text.add(length).read_volatile() } != 0 {
        length += 1;
    }
    length
}

// Only for the compiler's own calls in here: not to be found by anybody else in the process.
core::arch::global_asm!(
    ".hidden memcpy",
    ".hidden memmove",
    ".hidden memset",
    ".hidden memcmp",
    ".hidden bcmp",
    ".hidden strlen"
);
