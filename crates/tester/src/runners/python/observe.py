"""Notes what a run does beyond its inputs, its outputs and its own folders.

`install` adds an audit hook. What the hook sees for the first time is appended at once to the file that is called
`observed` in the parameters, as a line of JSON, so that nothing is lost where a run ends abruptly:

    {"kind": "read" | "write" | "remove", "path": TEXT}    relative to the base folder, or absolute
                                                           "new": true for what is written where nothing was, or anew
    {"kind": "program" | "address", "name": TEXT}
    {"kind": "thread", "exception": {...}}                 an exception that has ended a thread
    {"kind": "omitted", "count": NUMBER}                   what was seen after `LIMIT` names

The hook never raises anything of its own and holds no file open. It is not traced or profiled: Python sees to that.
"""

import _thread
import os
import sys
from json import dumps
from json.encoder import encode_basestring_ascii as quote

# Names that are noted in one process, and the exceptions of threads among them.
LIMIT = 10_000
THREAD_LIMIT = 20
# What comes after the limit is counted in portions, because a process can end without notice.
PORTION = 1_000

# What the hook itself can run into. All else is a signal handler's, or sent to the thread, and goes on.
OWN_ERRORS = (OSError, ValueError, TypeError, AttributeError, LookupError, RuntimeError, MemoryError)
# Taken now: the script may patch whatever it likes.
os_open, os_write, os_close, getframe = os.open, os.write, os.close, sys._getframe
CLOSE_ON_EXEC = getattr(os, "O_CLOEXEC", 0)
OWN_FILES = frozenset(
    os.path.join(os.path.dirname(__file__), name) for name in ("observe.py", "observe_files.py", "observe_calls.py")
)
STANDARD_FOLDER = os.path.join(os.path.dirname(os.__file__), "")
OWN_AND_PATH_FILES = OWN_FILES | {os.path.__file__, os.__file__}
# Sets what is done with events, where the hook was added before the process was forked.
set_handlers = None
# What imports that were made before the process was forked have read. Each run notes it as its own.
read_by_imports = []


def is_of_another(error):
    """Whether an exception was raised by what came in between, such as a signal handler, and not by the hook itself."""
    if not isinstance(error, OWN_ERRORS):
        return True
    traceback = error.__traceback__
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if file not in OWN_AND_PATH_FILES and not file.startswith("<frozen "):
            return True
        traceback = traceback.tb_next
    return False


class Notes:
    """What was noted, and the file where it is written."""

    is_of_another = staticmethod(is_of_another)

    def __init__(self, params, describe):
        self.sink = params["observed"]
        self.describe = describe
        self.names = set()
        # Whether something was looked for in vain, and nothing was found since.
        self.has_missing = False
        self.threads = 0
        self.lines, self.omitted = [], 0
        # What is to be called when `main` has come back.
        self.finishing = []

    def note_path(self, kind, path, is_new=False):
        new = ', "new": true' if is_new else ""
        self.note(kind, path, f'{{"kind": "{kind}", "path": {quote(plain(path.replace(os.sep, "/")))}{new}}}\n')

    def note_going_on(self):
        if self.has_missing:
            self.has_missing = False
            self.append('{"kind": "going_on"}\n')

    def note_missing(self, name, below):
        self.has_missing = True
        path = quote(plain(below.replace(os.sep, "/")))
        self.note("missing", (name, below), f'{{"kind": "missing", "input": {quote(plain(name))}, "path": {path}}}\n')

    def note_name(self, kind, name):
        self.note(kind, name, f'{{"kind": "{kind}", "name": {quote(plain(name))}}}\n')

    def note(self, kind, name, line):
        if (kind, name) in self.names:
            return
        if len(self.names) >= LIMIT:
            self.omit()
            return
        self.names.add((kind, name))
        self.append(line)

    def note_thread(self, args):
        error = args.exc_value if args.exc_value is not None else args.exc_type()
        self.threads += 1
        if self.threads > THREAD_LIMIT or isinstance(error, SystemExit):
            return
        kept = error.__traceback__
        try:
            threading = getattr(sys.modules.get("threading"), "__file__", None)
            error.__traceback__ = args.exc_traceback
            self.append(dumps({"kind": "thread", "exception": self.describe(error, {threading})}) + "\n")
        finally:
            error.__traceback__ = kept

    def note_unraisable(self, args):
        """Notes what has ended a thread that was started without `threading`. No other such exception ends anything."""
        if "thread started by" in (args[1].err_msg or ""):
            self.note_thread(args[1])

    def omit(self):
        self.omitted += 1
        if self.omitted >= PORTION:
            self.tell_omitted()

    def tell_omitted(self):
        count, self.omitted = self.omitted, 0
        self.append(f'{{"kind": "omitted", "count": {count}}}\n')

    def append(self, line):
        self.lines.append(line)
        # Another thread may come in between: each takes what there is.
        lines, self.lines = self.lines, []
        try:
            file = os_open(self.sink, os.O_WRONLY | os.O_APPEND | os.O_CREAT | CLOSE_ON_EXEC, 0o644)
            try:
                os_write(file, "".join(lines).encode("ascii"))
            finally:
                os_close(file)
        except BaseException as error:
            self.lines[:0] = lines
            if is_of_another(error):
                raise

    def finish(self):
        """Notes what shows only now, and writes what could not be written before."""
        try:
            for finish in self.finishing:
                finish()
            if self.omitted:
                self.tell_omitted()
            elif self.lines:
                self.append("")
        except OWN_ERRORS:
            pass

    def forked(self):
        """What the parent has not written yet is the parent's."""
        self.lines, self.omitted = [], 0

    def text_of(self, path):
        """A path or name as text. None for what is neither, such as the number of an open file."""
        if type(path) is str:
            return path
        return os.fsdecode(path) if isinstance(path, (str, bytes, os.PathLike)) else None

    def caller(self, passed_over=()):
        """Whose code has done what the hook is called for: the name of a module of Python's own, or the path of a file."""
        frame = getframe(1)
        while frame is not None:
            name = frame.f_code.co_filename
            if name not in OWN_FILES:
                name = module_of(name)
                if name.split(".")[0] not in passed_over:
                    return name
            frame = frame.f_back
        return ""

    def place(self):
        """The code that has done what the hook is called for."""
        frame = getframe(1)
        while frame.f_code.co_filename in OWN_FILES:
            frame = frame.f_back
        return frame.f_code


class Remembered(Notes):
    """Notes that are written nowhere."""

    def append(self, line):
        pass


def module_of(file):
    """The name of a module of Python's own by the file of its code, which no script can have. Any other file is its own."""
    if file.startswith("<frozen "):
        return file[len("<frozen ") : -1]
    if file.startswith(STANDARD_FOLDER) and f"{os.sep}site-packages{os.sep}" not in file and file.endswith(".py"):
        return file[len(STANDARD_FOLDER) : -len(".py")].replace(os.sep, ".")
    return file


def plain(text):
    """Text that is valid UTF-8: lone surrogates, which file names can hold, are written as escapes."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def watch_threads(notes):
    threading = sys.modules.get("threading")
    # What `threading` takes its own from, where it is not imported yet.
    module, name = (_thread, "_excepthook") if threading is None else (threading, "excepthook")
    before = getattr(module, name, None)
    if before is None:
        return

    def excepthook(args, /):
        """Handle uncaught Thread.run() exception."""
        try:
            notes.note_thread(args)
        except BaseException:
            # It must come to the hook before, whatever else happens.
            pass
        return before(args)

    setattr(module, name, excepthook)


def install(params, describe, started, load):
    """Begins to observe the process of a run that was `started` then, by the clock of the file system.

    Returns the notes, which are to be finished when `main` has come back.
    """
    notes = Notes(params, describe)
    files = load("observe_files").Files(notes, params, started)
    calls = load("observe_calls").Calls(notes, files)
    notes.finishing.append(files.finish)
    for path in read_by_imports:
        files.read(path, files.status_of(path))
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=notes.forked)
    watch_threads(notes)
    handle({**files.handlers(), **calls.handlers(), "sys.unraisablehook": notes.note_unraisable})
    return notes


def watch_imports(params, started, load):
    """Begins to observe imports. Returns what ends it, and returns what was noted: kinds and names."""
    notes = Remembered(params, None)
    files = load("observe_files").Files(notes, params, started)
    handle({**files.handlers(), **load("observe_calls").Calls(notes, files).handlers()})

    def end():
        handle({})
        return sorted(notes.names)

    return end


def handle(handlers):
    """Has events handled. There is one hook, which cannot be removed: a second would be called for every event too."""
    global set_handlers
    if set_handlers is not None:
        set_handlers(handlers)
        return
    find = handlers.get

    def hook(event, args):
        handler = find(event)
        if handler is not None:
            try:
                handler(args)
            except BaseException as error:
                if is_of_another(error):
                    raise

    def change(others):
        nonlocal find
        find = others.get

    sys.addaudithook(hook)
    set_handlers = change
