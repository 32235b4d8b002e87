//! get_robust_list(2): where a thread keeps its list of robust mutexes. glibc keeps it in `struct pthread`, which lies
//! at the top of the thread's stack: one call per thread finds its stack, without stopping it.

#![allow(unsafe_code)]

use std::io;
use std::ptr;

use model::Pid;

/// The head of a thread's robust list, an address in the target; `None` when it never set one (musl, Go).
///
/// Errors: EPERM without the right to ptrace the thread, ESRCH when it ended.
pub fn head(tid: Pid) -> io::Result<Option<u64>> {
    let Ok(tid) = libc::pid_t::try_from(tid.0) else { return Err(io::ErrorKind::InvalidInput.into()) };
    if tid == 0 {
        // 0 would ask for the caller's own.
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut head: *mut libc::c_void = ptr::null_mut();
    let mut length: libc::size_t = 0;
    // SAFETY: the kernel writes one pointer and one size_t to the two places, which live through the call. The pointer
    // it writes belongs to the other process: it is only ever used as a number.
    let answer = unsafe { libc::syscall(libc::SYS_get_robust_list, tid, &raw mut head, &raw mut length) };
    if answer != 0 {
        return Err(io::Error::last_os_error());
    }
    let address = head.addr() as u64;
    Ok((address != 0).then_some(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threads_list_lies_near_its_locals() {
        // Only glibc keeps one for every thread; under musl there is none.
        let (tid, local) = std::thread::spawn(|| {
            let local = 0_u8;
            let tid = Pid(rustix::thread::gettid().as_raw_pid() as u32);
            (head(tid).unwrap(), (&raw const local).addr() as u64)
        })
        .join()
        .unwrap();
        if cfg!(target_env = "gnu") {
            let head = tid.unwrap();
            assert!(head > local && head - local < 8 << 20, "{head:#x} {local:#x}");
        }
    }

    #[test]
    fn no_thread_no_list() {
        assert_eq!(head(Pid(u32::MAX)).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        assert_eq!(head(Pid(0)).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        let child = std::process::Command::new("true").spawn().unwrap();
        let pid = Pid(child.id());
        let _ = child.wait_with_output();
        assert_eq!(head(pid).unwrap_err().raw_os_error(), Some(libc::ESRCH));
    }
}
