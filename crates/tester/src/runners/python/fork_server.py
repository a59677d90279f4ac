"""Forks a process for each run, out of an interpreter that has made the scripts' imports before.

Requests come as lines of JSON, answers go the same way, each after a record separator: what else is printed to where they
go is no answer. A server can fork another server, which makes further imports and takes its requests from a named pipe; all
of them answer through the same pipe, in lines that are short enough to arrive whole. A server ends when its requests do.

Each run is two processes. The script's own is what an interpreter that was started for it would be. Its parent, the
guard, waits for it, ends it after its time, adopts and ends what it leaves behind, and answers.
"""

import ctypes
import gc
import json
import os
import select
import signal
import sys
import time

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
# What a script has started may need a moment to end after it.
LEAK_GRACE_SECONDS = 1.0
LINE_LIMIT = 4000
TEXT_LIMIT = 500
RECORD_SEPARATOR = "\x1e"
# The tester has made the file: what another script has put in its place is not followed, and not waited for.
NO_LINK = os.O_NOFOLLOW | os.O_NONBLOCK
# The temporary folder that a tester makes for an interpreter and the pipes to it.
FOLDER_PREFIX = "runtime-testing"
LOST = "the process that watches over the script was ended"

try:
    prctl = ctypes.CDLL(None).prctl
except (AttributeError, OSError):
    prctl = None


def find_obstacle():
    """Why scripts cannot be run in forks here, if they cannot."""
    if not sys.platform.startswith("linux") or prctl is None:
        return "runs are forked on Linux only"
    return None


def cut(text):
    # File names can hold what is no text.
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text if len(text) <= TEXT_LIMIT else text[:TEXT_LIMIT] + "..."


class Server:
    def __init__(self, requests, answers, run_script, pristine):
        self.requests = requests
        self.answers = answers
        self.run_script = run_script
        self.preloading, self.ending = run_script.load("preloading"), run_script.load("ending")
        # What is to be answered for each child that ends without an answer of its own.
        self.children = {}
        # The processes that the next run is handed to: the guard, and the pipes at which it and the script's wait.
        self.spare = None
        # The names of the modules that any interpreter has before a script's imports.
        self.pristine = pristine
        self.note_imports()
        self.wakeup = None
        # Whether there was an import that has to be left to the scripts, with all that come after it.
        self.has_stopped = False
        # What starts threads that a fork needs.
        self.thread_pools = []
        # The tester, which may have been killed already.
        self.parent = int(sys.argv[2])

    def note_imports(self):
        # What scripts find imported, the last of it, and what no file beside a script may be called.
        self.imported = frozenset(sys.modules)
        self.last_imported = next(reversed(sys.modules.items()))
        self.shadowed = frozenset(name.split(".")[0] for name in self.imported) - self.pristine

    def answer(self, **fields):
        write_line(self.answers, fields, RECORD_SEPARATOR)

    def serve(self, has_runs):
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        os.set_blocking(reader, False)
        self.wakeup = (reader, writer)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        poll = select.poll()
        poll.register(self.requests, select.POLLIN)
        poll.register(reader, select.POLLIN)
        buffer = b""
        if has_runs:
            try:
                self.fork_spare()
            except OSError:
                # The first run tells it, if it is still so.
                pass
        while True:
            ready = dict(poll.poll())
            if reader in ready:
                try:
                    os.read(reader, 4096)
                except BlockingIOError:
                    pass
                self.reap()
            if self.requests in ready:
                received = os.read(self.requests, 65536)
                if not received:
                    self.end(has_runs)
                *lines, buffer = (buffer + received).split(b"\n")
                for line in lines:
                    self.take(json.loads(line))

    def end(self, has_runs):
        """Ends, because there will be no requests. Where the tester was ended too, nobody else removes its folder."""
        deadline = time.monotonic() + 0.5
        while not has_runs and time.monotonic() < deadline:
            if os.getppid() != self.parent:
                if os.path.basename(self.run_script.OWN_FOLDER).startswith(FOLDER_PREFIX):
                    self.ending.remove_folder(self.run_script.OWN_FOLDER)
                break
            time.sleep(0.005)
        os._exit(0)

    def reap(self):
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            is_known = pid in self.children
            answered = self.children.pop(pid, None)
            if self.spare is not None and self.spare[0] == pid:
                self.drop_spare()
            if status != 0 or not is_known:
                self.end_strays()
            if status != 0 and answered is not None:
                self.answer(**answered)

    def end_strays(self):
        """Ends what a process has watched over that was ended itself: it is this one's own child now."""
        for child, _ in self.ending.children_of(os.getpid()):
            try:
                # Processes that watch over scripts are of this group, and see to their own end.
                if child not in self.children and os.getpgid(child) != os.getpgrp():
                    self.ending.end(child, signal.SIGKILL, 0)
            except OSError:
                # It has ended.
                pass

    def take(self, request):
        if request["kind"] == "cancel":
            for pid, answered in self.children.items():
                if answered is not None and answered.get("run") == request["run"]:
                    os.kill(pid, signal.SIGTERM)
        elif request["kind"] == "preload":
            self.fork_server(request)
        else:
            self.fork_run(request)

    def fork(self, answered):
        """Forks a child of which `answered` is said where it ends without an answer of its own."""
        server = os.getpid()
        # Nothing that is buffered may be written twice.
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid:
            self.children[pid] = answered
            return pid
        self.children = {}
        if self.spare is not None:
            self.drop_spare()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for fd in self.wakeup:
            os.close(fd)
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != server:
            os._exit(1)
        return 0

    def drop_spare(self):
        for pipe in self.spare[1]:
            os.close(pipe)
        self.spare = None

    def fork_server(self, request):
        name = request["server"]
        try:
            os.mkfifo(request["requests"])
            ended = "the interpreter ended while it made the script's imports"
            if self.fork({"server": name, "secret": request["secret"], "failed": ended}):
                return
        except OSError as error:
            self.answer(server=name, secret=request["secret"], failed=cut(str(error)))
            return
        os.close(self.requests)
        # What the imports leave running becomes this one's own child, whatever it does.
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        failed = None
        if not self.has_stopped:
            folder = request["requests"] + "-folder"
            failed, self.has_stopped = self.preloading.make_imports(request["imports"], self.run_script, folder)
        if self.ending.end_children(0.0) and failed is None:
            failed = "what the script imports has started processes"
        if failed is not None:
            self.answer(server=name, secret=request["secret"], failed=cut(failed))
            os._exit(0)
        self.note_imports()
        self.thread_pools = self.preloading.thread_pools()
        # What is there now lives as long as the process: looking at it again would only copy its memory.
        gc.freeze()
        # Without waiting for the other end of the pipe, which is opened after the answer.
        self.requests = os.open(request["requests"], os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        read = self.preloading.RecordingEnviron.names
        # A variable that is looked for as bytes is one that `subprocess` needs itself.
        line = {"server": name, "secret": request["secret"], "reads": None if None in read else sorted(key for key in read if isinstance(key, str))}
        if len(json.dumps(line)) > LINE_LIMIT:
            line["reads"] = None
        self.answer(**line)
        self.serve(has_runs=True)

    def fork_run(self, request):
        run, secret = request["run"], request["secret"]
        shadow = self.preloading.find_shadow(request["folders"], self.shadowed)
        if shadow is not None:
            reason = f"`{cut(shadow)}` beside the script has the name of a module that is imported before"
            self.answer(run=run, secret=secret, refused=reason)
            return
        try:
            if self.spare is None:
                self.fork_spare()
            self.dispatch(request)
            # The next run finds its processes there.
            self.fork_spare()
        except OSError as error:
            if lost(request) not in self.children.values():
                self.answer(run=run, secret=secret, refused=cut(str(error)))

    def dispatch(self, request):
        """Hands a run to the processes that wait for one."""
        guard, (to_guard, to_script) = self.spare
        try:
            write_line(to_guard, request)
            self.children[guard] = lost(request)
            try:
                # What shows an answer to be the guard's is nothing for the script.
                write_line(to_script, {name: value for name, value in request.items() if name != "secret"})
            except OSError:
                # It has been ended, and that is how the guard tells it.
                pass
        finally:
            self.drop_spare()

    def fork_spare(self):
        """Forks the two processes of a run before there is one, so that no run has to wait for them."""
        pipes = []
        try:
            pipes += os.pipe()
            pipes += os.pipe()
            pid = self.fork(None)
        except OSError:
            for pipe in pipes:
                os.close(pipe)
            raise
        readers, writers = pipes[::2], pipes[1::2]
        if pid:
            for pipe in readers:
                os.close(pipe)
            self.spare = (pid, writers)
        else:
            try:
                for pipe in writers:
                    os.close(pipe)
                self.guard(*readers)
            finally:
                # Nothing of it may go on as if it were the server.
                os._exit(1)

    def guard(self, pipe, script_pipe):
        """Has a process made for a script, waits for a run at the pipe, and watches over it."""
        server = os.getppid()
        os.close(self.requests)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
        signal.signal(signal.SIGCHLD, lambda *_: None)
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        guard = os.getpid()
        try:
            script = os.fork()
        except OSError:
            os._exit(1)
        if script == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
            prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != guard:
                os._exit(1)
            set_group(0)
            for fd in (self.answers, pipe):
                os.close(fd)
            self.preloading.reseed()
            for start, count in self.thread_pools:
                start(count)
            request = read_line(script_pipe)
            if request is None:
                os._exit(1)
            os.close(script_pipe)
            self.run(request)
        os.close(script_pipe)
        # The script is handed its request by the server: from now on a signal to end it must find it watched over.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        set_group(script)
        # What waiting for a process needs is loaded before there is one to wait for.
        import resource  # noqa: F401
        request = read_line(pipe)
        if request is None:
            os._exit(1)
        status, usage, ended_by = self.ending.watch(script, server, request["timeout_seconds"], request["grace_seconds"])
        leaked = self.ending.end_children(0.0 if ended_by else LEAK_GRACE_SECONDS)
        signaled = os.WIFSIGNALED(status)
        self.answer(
            run=request["run"],
            secret=request["secret"],
            ended_by=ended_by,
            status=None if signaled else os.WEXITSTATUS(status),
            signal=os.WTERMSIG(status) if signaled else None,
            user_seconds=usage.ru_utime,
            system_seconds=usage.ru_stime,
            # In kilobytes.
            peak_memory_bytes=usage.ru_maxrss * 1024,
            leaked=[] if ended_by else sorted(leaked)[:20],
        )
        os._exit(0)

    def run(self, request):
        """Becomes what an interpreter is that was started to run a script, and runs it. Does not come back."""
        os.chdir(request["folder"])
        if "multiprocessing.process" in sys.modules:
            # It keeps where it was imported.
            sys.modules["multiprocessing.process"].ORIGINAL_DIR = request["folder"]
        for target, path, flags in (
            (0, os.devnull, os.O_RDONLY),
            (1, request["stdout"], os.O_WRONLY | os.O_APPEND | NO_LINK),
            (2, request["stderr"], os.O_WRONLY | os.O_APPEND | NO_LINK),
        ):
            fd = os.open(path, flags)
            os.set_blocking(fd, True)
            if fd != target:
                os.dup2(fd, target)
                os.close(fd)
        os.environ.update(request["environment"])
        run_script = self.run_script
        try:
            status = run_script.execute(request["params"])
        except BaseException:
            sys.excepthook(*sys.exc_info())
            status = 1
        own = [name for name in self.new_modules() if is_below(name, request["folders"])]
        self.ending.end_as_interpreters_do(status, own)

    def new_modules(self):
        """The names of what a script has imported, in the order in which it did. Those that were there before are not
        touched: memory that is shared with the server is copied where it is."""
        names = []
        try:
            last, module = self.last_imported
            for name in reversed(sys.modules):
                # All others were there before, unless it was imported anew.
                if name == last and sys.modules[name] is module:
                    break
                if name not in self.imported:
                    names.append(name)
        except Exception:
            # A script can put there what it likes.
            pass
        return names[::-1]


def lost(request):
    return {"run": request["run"], "secret": request["secret"], "lost": LOST}


def is_below(name, folders):
    try:
        file = os.path.realpath(sys.modules[name].__file__)
        return "site-packages" not in file and any(file.startswith(os.path.join(folder, "")) for folder in folders)
    except BaseException:
        # There are objects among modules that are none.
        return False


def read_line(pipe):
    """Reads one request. None where there will be none."""
    received = b""
    while not received.endswith(b"\n"):
        part = os.read(pipe, 65536)
        if not part:
            return None
        received += part
    return json.loads(received)


def write_line(pipe, request, mark=""):
    line = f"{mark}{json.dumps(request)}\n".encode()
    while line:
        line = line[os.write(pipe, line) :]


def set_group(pid):
    try:
        os.setpgid(pid, pid)
    except OSError:
        # The other side of the fork was first, or the script has ended.
        pass


def forget_imports(pristine):
    """Scripts import for themselves what only this file has imported."""
    for name in set(sys.modules) - pristine - set(sys.builtin_module_names):
        del sys.modules[name]


def main(run_script, pristine):
    """Serves until there are no more requests, which come from standard input. Answers go to standard output."""
    answers = os.dup(1)
    requests = os.dup(0)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    # What is printed while modules are imported is told beside the errors.
    os.dup2(2, 1)
    os.close(null)
    # It ends when its requests do, and has something to do then.
    if prctl is not None:
        prctl(PR_SET_PDEATHSIG, 0)
    forget_imports(pristine)
    own_folder = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != own_folder]
    server = Server(requests, answers, run_script, {name.split(".")[0] for name in pristine})
    obstacle = find_obstacle()
    if obstacle is not None:
        server.answer(server=0, failed=obstacle)
        os._exit(0)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    server.answer(server=0, reads=[])
    try:
        # Now, because nobody waits for it.
        for name in ("observe", "observe_files", "observe_calls"):
            run_script.load_once(name)
        run_script.keep_sources()
    except Exception:
        # Each run says what is wrong with it.
        pass
    forget_imports(pristine)
    server.note_imports()
    server.serve(has_runs=False)
