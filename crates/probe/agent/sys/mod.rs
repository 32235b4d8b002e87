//! The few system calls the agent makes, without a C library: it has to load under glibc and musl alike, and must not
//! depend on which of them the target has. What belongs to a processor is in its own file.

#[cfg(target_arch = "x86_64")]
mod x86_64;
#[cfg(target_arch = "x86_64")]
use x86_64 as arch;

use core::ffi::CStr;

const AT_FDCWD: usize = -100_isize as usize;
const PROT_READ_WRITE: usize = 3;
const MAP_SHARED: usize = 1;
const MAP_PRIVATE_ANONYMOUS: usize = 0x22;
const NO_FILE: usize = usize::MAX;
const S_IFMT: u32 = 0o170_000;
const S_IFREG: u32 = 0o100_000;

/// An errno.
pub type Errno = i32;

fn checked(result: isize) -> Result<usize, Errno> {
    if result < 0 { Err(result.unsigned_abs() as Errno) } else { Ok(result as usize) }
}

/// An open file; closed when dropped. Its descriptor lives only within a command.
pub struct File(usize);

impl File {
    /// Opens a file that exists, never through a link at the end of its path.
    pub fn open(path: &CStr, to_map: bool) -> Result<Self, Errno> {
        let how = if to_map { arch::READ_WRITE_OPEN } else { arch::WRITE_ONLY_OPEN };
        let flags = how | arch::CLOSE_ON_EXEC | arch::NO_FOLLOW;
        // SAFETY: openat reads a string that ends with 0.
        let result = unsafe { arch::call(arch::OPENAT, [AT_FDCWD, path.as_ptr() as usize, flags, 0, 0, 0]) };
        checked(result).map(Self)
    }

    /// Its size, if it is a regular file.
    pub fn regular_size(&self) -> Option<usize> {
        let mut stat = [0_u64; arch::STAT_BYTES / 8];
        let base = stat.as_mut_ptr().cast::<u8>();
        // SAFETY: fstat writes STAT_BYTES into the array, and the two fields lie in it at aligned places.
        let (result, mode, size) = unsafe {
            let result = arch::call(arch::FSTAT, [self.0, base as usize, 0, 0, 0, 0]);
            let mode = base.add(arch::STAT_MODE).cast::<u32>().read();
            (result, mode, base.add(arch::STAT_SIZE).cast::<u64>().read())
        };
        (result == 0 && mode & S_IFMT == S_IFREG).then_some(size as usize)
    }

    /// Maps its first bytes, shared.
    pub fn map(&self, bytes: usize) -> Result<*mut u8, Errno> {
        // SAFETY: a new mapping at a place that the kernel chooses.
        let result = unsafe { arch::call(arch::MMAP, [0, bytes, PROT_READ_WRITE, MAP_SHARED, self.0, 0]) };
        checked(result).map(|address| address as *mut u8)
    }

    /// Writes all of it.
    pub fn write(&self, mut bytes: &[u8]) -> Result<(), Errno> {
        while !bytes.is_empty() {
            // SAFETY: write reads from the slice.
            let result =
                unsafe { arch::call(arch::WRITE, [self.0, bytes.as_ptr() as usize, bytes.len(), 0, 0, 0]) };
            let written = checked(result)?;
            bytes = match bytes.get(written..) {
                Some(rest) if written > 0 => rest,
                _ => return Err(5),
            };
        }
        Ok(())
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: the descriptor is ours, and nobody uses it after this.
        let _ = unsafe { arch::call(arch::CLOSE, [self.0, 0, 0, 0, 0, 0]) };
    }
}

/// Memory of our own, zeroed.
pub fn map_memory(bytes: usize) -> Option<*mut u8> {
    // SAFETY: a new mapping at a place that the kernel chooses.
    let result =
        unsafe { arch::call(arch::MMAP, [0, bytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, NO_FILE, 0]) };
    checked(result).ok().map(|address| address as *mut u8)
}

/// Gives a mapping back.
///
/// # Safety
/// It must be a mapping of this agent that nobody uses any more.
pub unsafe fn unmap(address: *mut u8, bytes: usize) {
    // SAFETY: the caller's promise.
    let _ = unsafe { arch::call(arch::MUNMAP, [address as usize, bytes, 0, 0, 0, 0]) };
}

/// Lets others run.
pub fn give_way() {
    // SAFETY: sched_yield takes nothing.
    let _ = unsafe { arch::call(arch::SCHED_YIELD, [0; 6]) };
}

/// Waits a millisecond.
pub fn sleep_ms() {
    let time: [i64; 2] = [0, 1_000_000];
    // SAFETY: nanosleep reads a timespec.
    let _ = unsafe { arch::call(arch::NANOSLEEP, [time.as_ptr() as usize, 0, 0, 0, 0, 0]) };
}

/// CLOCK_MONOTONIC, ns; for where the JVM's own clock may not be asked. 0 when the kernel refuses.
pub fn now() -> u64 {
    const MONOTONIC: usize = 1;
    let mut time = [0_i64; 2];
    // SAFETY: clock_gettime writes a timespec.
    let _ = unsafe { arch::call(arch::CLOCK_GETTIME, [MONOTONIC, time.as_mut_ptr() as usize, 0, 0, 0, 0]) };
    let [seconds, ns] = time;
    (seconds as u64).wrapping_mul(1_000_000_000).wrapping_add(ns as u64)
}
