"""Ends what has to end: a script after its time, what it has left, an interpreter as it would end by itself, a folder."""

import atexit
import gc
import os
import signal
import sys
import time
import weakref
from types import FunctionType


def watch(script, server, timeout, grace):
    """Waits for the script. Returns its status, what it used, and what has ended it, if something has."""
    deadline = time.monotonic() + timeout
    ended_by = None
    while True:
        pid, status, usage = os.wait4(-1, os.WNOHANG)
        if pid == script:
            return status, usage, ended_by
        if pid:
            # The script's own child has left it to the guard, and has ended.
            continue
        left = deadline - time.monotonic()
        if left <= 0:
            if ended_by is None:
                ended_by = "timeout"
                deadline = end(script, signal.SIGTERM, grace)
            else:
                deadline = end(script, signal.SIGKILL, 3600)
            continue
        received = signal.sigtimedwait({signal.SIGCHLD, signal.SIGTERM}, left)
        if received is None or received.si_signo != signal.SIGTERM:
            continue
        if ended_by is None:
            ended_by = "cancel"
            deadline = end(script, signal.SIGTERM, grace)
        if os.getppid() != server:
            # There is nobody left to wait for an answer.
            deadline = time.monotonic()


def end(script, number, seconds):
    """Signals the group and the script itself, which may have left it. Returns until when to wait."""
    for kill in (os.killpg, os.kill):
        try:
            kill(script, number)
        except OSError:
            pass
    return time.monotonic() + seconds


def end_children(grace):
    """Ends what the script has left, all of which is the guard's now. Returns the names of what was still running."""
    deadline = time.monotonic() + grace
    leaked = set()
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return leaked
        if pid:
            continue
        if time.monotonic() < deadline:
            time.sleep(0.005)
            continue
        for child, name in children_of(os.getpid()):
            leaked.add(name)
            try:
                os.kill(child, signal.SIGKILL)
            except OSError:
                pass
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return leaked


def children_of(parent):
    """The living children of a process: number and name."""
    children = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                    text = file.read()
            except OSError:
                continue
            name, rest = text[text.index("(") + 1 :].rsplit(")", 1)
            state, its_parent = rest.split()[:2]
            if int(its_parent) == parent and state != "Z":
                children.append((int(entry), name))
    return children


def end_as_interpreters_do(status, own):
    """Ends the process, after all that an interpreter does at its end and a script can see.

    `own` are the names of the script's module and of those it has imported from beside it.
    """
    threading = sys.modules.get("threading")
    if threading is not None:
        try:
            threading._shutdown()
        except BaseException:
            pass
    try:
        atexit._run_exitfuncs()
    except BaseException:
        # It was told on standard error, and interpreters end as if nothing had been.
        pass
    end_modules(own)
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            pass
        except BaseException:
            status = 120
    os._exit(status & 0xFF)


def end_modules(names):
    """Has what only modules hold go, as interpreters do: a file that was never closed is written now."""
    # Interpreters do so too: it puts what is held after what holds it, so that a file is written before it is closed.
    gc.collect()
    witnesses = []
    for name in names:
        try:
            kept = vars(sys.modules.pop(name))
            # It goes when the names of its module do, and they can be had from it until then.
            witness = kept["<witness>"] = FunctionType((lambda: None).__code__, kept)
            witnesses.append(weakref.ref(witness))
        except BaseException:
            # There are objects among modules that are none.
            pass
    kept = witness = None
    # What does something when it goes finds the names of its module whole.
    gc.collect()
    for witness in reversed(witnesses):
        function = witness()
        if function is not None:
            take_names(function.__globals__)
    function = None
    gc.collect()


def take_names(kept):
    """Takes what a module holds from it: first what is private, last what is built in, which stays."""
    for is_private in (True, False):
        for name in list(kept):
            if (name[:1] == "_" and name[1:2] != "_") == is_private and name != "__builtins__":
                try:
                    kept[name] = None
                except BaseException:
                    pass


def remove_folder(folder):
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        try:
            if os.path.isdir(path) and not os.path.islink(path):
                remove_folder(path)
            else:
                os.remove(path)
        except OSError:
            pass
    try:
        os.rmdir(folder)
    except OSError:
        pass
