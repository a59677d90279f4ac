//! Starts a process in a group of its own, which ends when the thread that started it does.
//!
//! The standard library starts such a process by a fork, because there is something to do in it before it becomes the
//! program, and a fork copies the tables of all the memory that this process has. Here the new process borrows the memory
//! until then, as it does where the standard library starts a process without conditions.

#![allow(unsafe_code, reason = "the standard library has no way to do this")]

use std::ffi::{CStr, CString, OsStr, c_char, c_int, c_void};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt as _;
use std::ptr;

use rustix::process::Pid;

use super::watchdog;
use crate::process::ProcessRequest;
use crate::process::unix::reap;

/// More than the few calls need that are made on it.
const STACK_BYTES: usize = 64 * 1024;

/// What the new process is handed. All of it is made before, because nothing may be allocated there.
struct Handed {
    program: *const c_char,
    arguments: *const *const c_char,
    /// The program as an argument of a shell, for a script that does not name its interpreter.
    shell_arguments: *const *const c_char,
    environment: *const *const c_char,
    folder: *const c_char,
    descriptors: [RawFd; 3],
    parent: libc::pid_t,
    /// The error that kept the program from being started.
    error: c_int,
}

/// Starts the process. Standard input is closed.
pub(crate) fn spawn(request: &ProcessRequest<'_>) -> io::Result<Pid> {
    let program = c_string(request.program.as_str())?;
    let folder = c_string(request.folder.as_str())?;
    let mut arguments = vec![c"/bin/sh".to_owned(), program.clone()];
    for argument in &request.arguments {
        arguments.push(c_string(argument.as_str())?);
    }
    let mark = watchdog::mark();
    let mut set = request.environment.clone();
    set.push((watchdog::VARIABLE, &mark));
    let environment = environment(&set)?;
    let shell_pointers = pointers(&arguments);
    let environment_pointers = pointers(&environment);
    let null = File::open("/dev/null")?;
    // The new process puts them at 0, 1 and 2: where they are now must not be one of these.
    let descriptors =
        [above_standard(&null)?, above_standard(&request.stdout)?, above_standard(&request.stderr)?];
    let mut handed = Handed {
        program: program.as_ptr(),
        arguments: shell_pointers[1..].as_ptr(),
        shell_arguments: shell_pointers.as_ptr(),
        environment: environment_pointers.as_ptr(),
        folder: folder.as_ptr(),
        descriptors: descriptors.each_ref().map(|descriptor| descriptor.as_raw_fd()),
        parent: rustix::process::getpid().as_raw_nonzero().get(),
        error: 0,
    };
    let mut stack = vec![0_u128; STACK_BYTES / size_of::<u128>()];
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    // SAFETY: this thread waits until the new process has become its program or has ended, so all that it was handed and
    // its stack, which grows downward from the end that is handed over, outlive its use of them. Until then no signal
    // handler runs in it, because all signals are blocked.
    let (pid, error) = unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        let mut before: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut before);
        let top = stack.as_mut_ptr().add(stack.len());
        let pid = libc::clone(become_program, top.cast(), flags, (&raw mut handed).cast());
        let error = io::Error::last_os_error();
        libc::pthread_sigmask(libc::SIG_SETMASK, &before, ptr::null_mut());
        (pid, error)
    };
    let Some(pid) = Pid::from_raw(pid.max(0)) else { return Err(error) };
    // The compiler cannot know who has written to it.
    // SAFETY: it is a field of a value that is still there.
    let error = unsafe { ptr::read_volatile(&raw const handed.error) };
    if error == 0 {
        return Ok(pid);
    }
    reap(pid)?;
    Err(io::Error::from_raw_os_error(error))
}

/// What the new process does. It shares the memory of the old one, and makes nothing but system calls.
extern "C" fn become_program(handed: *mut c_void) -> c_int {
    let handed = handed.cast::<Handed>();
    // SAFETY: the thread that started this process waits, and what it has handed over is there.
    unsafe {
        let Handed { descriptors: [stdin, stdout, stderr], .. } = *handed;
        let is_ready = libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) == 0
            // It may have ended just before.
            && libc::getppid() == (*handed).parent
            && libc::setpgid(0, 0) == 0
            && libc::dup2(stdin, 0) == 0
            && libc::dup2(stdout, 1) == 1
            && libc::dup2(stderr, 2) == 2
            && libc::chdir((*handed).folder) == 0;
        if is_ready {
            // Handlers are of the old program, and what is ignored would stay so: Rust ignores the one, a test the other.
            for signal in 1..=64 {
                let mut action: libc::sigaction = std::mem::zeroed();
                if libc::sigaction(signal, ptr::null(), &mut action) == 0
                    && (matches!(signal, libc::SIGPIPE | libc::SIGXFSZ)
                        || (action.sa_sigaction != libc::SIG_DFL && action.sa_sigaction != libc::SIG_IGN))
                {
                    action.sa_sigaction = libc::SIG_DFL;
                    libc::sigaction(signal, &action, ptr::null_mut());
                }
            }
            let mut none: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&mut none);
            libc::pthread_sigmask(libc::SIG_SETMASK, &none, ptr::null_mut());
            libc::execve((*handed).program, (*handed).arguments, (*handed).environment);
            if *libc::__errno_location() == libc::ENOEXEC {
                let shell = *(*handed).shell_arguments;
                libc::execve(shell, (*handed).shell_arguments, (*handed).environment);
            }
        }
        let error = *libc::__errno_location();
        (*handed).error = if error == 0 { libc::ESRCH } else { error };
        libc::_exit(127)
    }
}

/// The environment of this process with what is set for the new one, as `NAME=value`.
fn environment(set: &[(&str, &str)]) -> io::Result<Vec<CString>> {
    let inherited = std::env::vars_os().filter(|(name, _)| !set.iter().any(|(other, _)| name == other));
    let inherited = inherited.map(|(name, value)| variable(&name, &value));
    let set = set.iter().map(|(name, value)| variable(OsStr::new(name), OsStr::new(value)));
    inherited.chain(set).collect()
}

fn variable(name: &OsStr, value: &OsStr) -> io::Result<CString> {
    let mut bytes = Vec::with_capacity(name.len() + value.len() + 2);
    bytes.extend_from_slice(name.as_bytes());
    bytes.push(b'=');
    bytes.extend_from_slice(value.as_bytes());
    c_string(bytes)
}

fn c_string(bytes: impl Into<Vec<u8>>) -> io::Result<CString> {
    CString::new(bytes)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "it has a NUL character in it"))
}

/// Pointers to the strings, with the null at the end that tells how many there are.
fn pointers(strings: &[CString]) -> Vec<*const c_char> {
    strings.iter().map(|string| CStr::as_ptr(string)).chain([ptr::null()]).collect()
}

/// A copy of a descriptor that is none of the standard ones.
fn above_standard(file: &File) -> io::Result<OwnedFd> {
    Ok(rustix::io::fcntl_dupfd_cloexec(file, 3)?)
}
