/// The name of a signal, where it has one.
pub(crate) fn signal_name(signal: i32) -> Option<String> {
    const NAMES: [(i32, &str); 27] = [
        (libc::SIGABRT, "ABRT"),
        (libc::SIGALRM, "ALRM"),
        (libc::SIGBUS, "BUS"),
        (libc::SIGCHLD, "CHLD"),
        (libc::SIGCONT, "CONT"),
        (libc::SIGFPE, "FPE"),
        (libc::SIGHUP, "HUP"),
        (libc::SIGILL, "ILL"),
        (libc::SIGINT, "INT"),
        (libc::SIGIO, "IO"),
        (libc::SIGKILL, "KILL"),
        (libc::SIGPIPE, "PIPE"),
        (libc::SIGPROF, "PROF"),
        (libc::SIGQUIT, "QUIT"),
        (libc::SIGSEGV, "SEGV"),
        (libc::SIGSTOP, "STOP"),
        (libc::SIGSYS, "SYS"),
        (libc::SIGTERM, "TERM"),
        (libc::SIGTRAP, "TRAP"),
        (libc::SIGTSTP, "TSTP"),
        (libc::SIGTTIN, "TTIN"),
        (libc::SIGTTOU, "TTOU"),
        (libc::SIGUSR1, "USR1"),
        (libc::SIGUSR2, "USR2"),
        (libc::SIGVTALRM, "VTALRM"),
        (libc::SIGXCPU, "XCPU"),
        (libc::SIGXFSZ, "XFSZ"),
    ];
    let (_, name) = NAMES.iter().find(|(number, _)| *number == signal)?;
    Some(format!("SIG{name}"))
}

/// A file that may not grow any more is an error where it is written. Without this the signal that comes first would end the
/// process without a word. Who has a handler of its own keeps it, and what is started has the signal as it was.
#[allow(unsafe_code, reason = "there is no safe way to say what a signal does")]
pub(crate) fn ignore_file_size_signal() {
    // SAFETY: an action of zeros is a valid value, both places are there, and neither call runs anything of this process.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        if libc::sigaction(libc::SIGXFSZ, std::ptr::null(), &mut action) == 0
            && action.sa_sigaction == libc::SIG_DFL
        {
            action.sa_sigaction = libc::SIG_IGN;
            libc::sigaction(libc::SIGXFSZ, &action, std::ptr::null_mut());
        }
    }
}
