//! The two system calls without a safe wrapper: where the library was loaded from, and memory shared with
//! other processes.
#![allow(unsafe_code, reason = "dladdr and mmap are foreign functions")]

use std::ffi::{CStr, OsStr, c_void};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;

/// The path by which this library was loaded, links not resolved.
pub(crate) fn library_path() -> Option<PathBuf> {
    let own = library_path as *const c_void;
    let mut info = libc::Dl_info {
        dli_fname: std::ptr::null(),
        dli_fbase: std::ptr::null_mut(),
        dli_sname: std::ptr::null(),
        dli_saddr: std::ptr::null_mut(),
    };
    // SAFETY: `own` is an address inside this library and `info` is a valid place for the answer.
    let found = unsafe { libc::dladdr(own, &raw mut info) };
    if found == 0 || info.dli_fname.is_null() {
        return None;
    }
    // SAFETY: dladdr succeeded, so that `dli_fname` is a NUL-terminated string that lives as long as the
    // library.
    let name = unsafe { CStr::from_ptr(info.dli_fname) };
    Some(PathBuf::from(OsStr::from_bytes(name.to_bytes())))
}

/// Maps the first `words` 64-bit words of a file that is at least as long, shared with every process that
/// does the same. The mapping is never undone: a thread may count calls until the process ends.
pub(crate) fn share(file: &File, words: usize) -> std::io::Result<&'static [AtomicU64]> {
    let bytes = words * size_of::<AtomicU64>();
    if file.metadata()?.len() < bytes as u64 {
        return Err(std::io::Error::other("the file is too short"));
    }
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: asks for a fresh mapping at an address of the kernel's choice; the descriptor is open.
    let start = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            bytes,
            protection,
            libc::MAP_SHARED,
            file.as_raw_fd(),
            0,
        )
    };
    if start == libc::MAP_FAILED {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: the mapping is page-aligned, `bytes` long, never unmapped, and only accessed through atomics;
    // the file is replaced, never shortened, by those who know its layout.
    Ok(unsafe { std::slice::from_raw_parts(start.cast::<AtomicU64>(), words) })
}
