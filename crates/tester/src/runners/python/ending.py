"""Ends what has to end: a script after its time, what it has left, an interpreter as it would end by itself, a folder."""

import atexit
import gc
import os
import signal
import sys
import time


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
    # Objects that only modules hold go: a file that was never closed is written now.
    for name in own:
        try:
            vars(sys.modules.pop(name)).clear()
        except BaseException:
            pass
    gc.collect()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            pass
    os._exit(status & 0xFF)


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
