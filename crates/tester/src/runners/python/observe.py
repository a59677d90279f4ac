"""Notes what a run does beyond its inputs, its outputs and its own folders.

`install` adds an audit hook. What the hook sees for the first time is appended at once to the file that is called
`observed` in the parameters, as a line of JSON, so that nothing is lost where a run ends abruptly:

    {"kind": "read" | "write" | "remove", "path": TEXT}    relative to the base folder, or absolute
    {"kind": "program" | "address", "name": TEXT}
    {"kind": "thread", "exception": {...}}                 an exception that has ended a thread
    {"kind": "omitted", "count": NUMBER}                   what was seen after `LIMIT` names

The hook never raises anything of its own and holds no file open. It is not traced or profiled: Python sees to that.
"""

import _thread
import os
import sys
from _weakref import ref
from json import dumps
from json.encoder import encode_basestring_ascii as quote

# Names that are noted in one process, and the exceptions of threads among them.
LIMIT = 10_000
THREAD_LIMIT = 20
# What is remembered of paths as scripts write them, so that a file that is opened again costs next to nothing.
MEMORY = 50_000
# What comes after the limit is counted in portions, because a process can end without notice.
PORTION = 1_000

FOLDER_KIND, LINK_KIND, KIND_BITS = 0o040000, 0o120000, 0o170000
SYSTEM_FOLDERS = {
    "darwin": """/System /Library /usr /bin /sbin /etc /private/etc /dev /Applications /opt/homebrew
        /private/var/db /private/var/run""".split(),
    "win32": [os.environ.get("SystemRoot", "C:\\Windows")],
}.get(
    sys.platform,
    """/usr /etc /lib /lib32 /lib64 /libx32 /bin /sbin /proc /sys /dev /run /var/run /var/lib /var/cache /nix/store
        /gnu/store /snap""".split(),
)
# Modules that read the sources of other modules, or put compiled ones beside them.
IMPORTERS = frozenset(
    """importlib._bootstrap_external _frozen_importlib_external zipimport linecache tokenize inspect pkgutil runpy
    compileall py_compile""".split()
)
# Modules that open what is in an open folder by its bare name, which says nothing without that folder.
WALKERS = frozenset(("os", "shutil"))
# Modules that start a program to learn something about the machine, or an interpreter to share the work.
ASKING = frozenset("platform ctypes uuid sysconfig locale multiprocessing".split())
INSTALLED = [f"{os.sep}{name}{os.sep}" for name in ("site-packages", "dist-packages")]
IS_WINDOWS = os.name == "nt"
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
SOURCES = (".py", ".pyc", ".pyw")
SHELLS = frozenset(("sh", "bash", "dash", "zsh", "ksh"))
# What the hook itself can run into. All else is a signal handler's, or sent to the thread, and goes on.
OWN_ERRORS = (OSError, ValueError, TypeError, AttributeError, LookupError, RuntimeError, MemoryError)


class Observer:
    def __init__(self, params, describe, started):
        self.describe = describe
        self.sink = params["observed"]
        run_folder = params.get("run_folder") or os.path.dirname(params["result"])
        base = params.get("base")
        work = params.get("working_directory")
        self.base = folder_of(base) if base else "\0"
        self.work = folder_of(work) if work and work != base else "\0"
        self.run_folder = folder_of(run_folder)
        # What was made after this was made by this run, as far as can be told.
        self.started = started
        self.declared = {params["script"], self.sink, *params["output_paths"].values()}
        for path in params["input_paths"].values():
            self.declared |= {path} if path.startswith(self.run_folder) else {path, os.path.realpath(path)}
        self.below_declared = tuple(with_separator(path) for path in self.declared)
        skipped = PLATFORM_FOLDERS | {self.run_folder}
        self.skipped = Folders(skipped, self.base)
        self.temporary = Folders(temporary_folders(), self.base)
        # A path that begins with one of these needs no second look.
        self.plain = self.below_declared + tuple(
            folder for folder in skipped if not self.base.startswith(folder) and not self.work.startswith(folder)
        )
        # What was seen as the script writes it, and what was noted.
        self.read_before, self.written_before = set(), set()
        self.names = set()
        self.threads = 0
        # What this run has made: files, and folders with all below them.
        self.made = set()
        # Folders by what leads to them.
        self.real_folders = {}
        self.lines, self.omitted = [], 0
        self.lookups = {}
        self.listening = []

    # What is seen of files

    def open(self, args):
        path, mode, flags = args
        if type(path) is not str:
            path = text_of(path)
            if path is None:
                return
        if (path.startswith(self.plain) and ".." not in path) or path in self.declared:
            return
        flags = flags or 0
        # Reading is zero, and files can be made by that too.
        writes = flags & WRITING
        given = path
        if given[:1] != os.sep and not (IS_WINDOWS and os.path.isabs(given)):
            path = f"{getcwd()}{os.sep}{given}"
        before = self.written_before if writes else self.read_before
        if path in before:
            return
        # Sources are code, which Python itself reads again to show where an error was, also under names that are none.
        if not writes and (given.endswith(SOURCES) or (given[:1] == "<" and given[-1:] == ">")):
            return
        caller = module_of_caller()
        if caller in IMPORTERS or (mode is None and caller in WALKERS and os.sep not in given):
            return
        if len(before) < MEMORY:
            before.add(path)
        path, status = self.locate(path)
        if flags & os.O_RDWR or not writes:
            self.read(path, status, is_changed=bool(flags & os.O_TRUNC) or status is None and bool(writes))
        if writes:
            self.write(path, status, is_new=bool(flags & os.O_TRUNC))

    def remove(self, args):
        self.change(args[0], args[1] if len(args) > 1 else None, self.removed)

    def rename(self, args):
        source, target, source_folder, target_folder = args[:4]
        self.change(source, source_folder, self.removed)
        self.change(target, target_folder, self.replaced)

    def link(self, args):
        source, target, source_folder, target_folder = args[:4]
        self.change(source, source_folder, self.read)
        self.change(target, target_folder, self.replaced)

    def symlink(self, args):
        self.change(args[1], args[2] if len(args) > 2 else None, self.replaced)

    def truncate(self, args):
        self.change(args[0], None, self.write)

    def mkdir(self, args):
        self.change(args[0], args[2] if len(args) > 2 else None, self.make)

    def copy(self, args):
        self.change(args[0], None, self.read)
        self.change(args[1], None, self.replaced)

    def database(self, args):
        path = text_of(args[0])
        if path is None or path in ("", ":memory:") or path.startswith("file::memory:"):
            return
        if path.startswith("file:"):
            path = path[len("file:") :].split("?")[0]
            path = path[path.startswith("//") * 2 :]
        path, status = self.locate(os.path.join(getcwd(), path))
        if status is None:
            self.write(path, status, is_new=True)
        else:
            self.read(path, status)

    def change(self, path, folder, note):
        """Notes what happens to a path that is relative to an open folder, or to the current one."""
        path = text_of(path)
        if path is None or (path.startswith(self.plain) and ".." not in path):
            return
        if not os.path.isabs(path):
            # Elsewhere than on Linux an open folder does not show its name.
            at = getcwd() if folder in (None, -1) else os.readlink(f"/proc/self/fd/{folder}")
            path = os.path.join(at, path)
        if module_of_caller() not in IMPORTERS:
            note(*self.locate(path, follow=note in (self.read, self.write)))

    def locate(self, path, follow=True):
        """What a path leads to, and what is there, if there is something."""
        folder, name = os.path.split(path)
        if name in ("", ".", ".."):
            path = os.path.realpath(path)
        else:
            real = self.real_folders.get(folder)
            if real is None:
                real = os.path.realpath(folder)
                if len(self.real_folders) < MEMORY and os.path.isdir(real):
                    self.real_folders[folder] = real
            path = os.path.join(real, name)
        status = status_of(path)
        if follow and status is not None and status.st_mode & KIND_BITS == LINK_KIND:
            path = os.path.realpath(path)
            status = status_of(path)
        return path, status

    def read(self, path, status, is_changed=False):
        if is_folder(status) or self.is_own(path) or is_changed:
            return
        if path.startswith(self.work):
            # Its own, unless it looks for what is not there: then for what is not there in the base folder.
            if status is None:
                self.note_path("read", self.base + path[len(self.work) :])
        elif not self.is_temporary_and_new(path, status):
            self.note_path("read", path)

    def write(self, path, status, is_new=False):
        if is_folder(status) or self.is_own(path):
            return
        if status is None or is_new:
            # What it reads there later is what it has written.
            self.remember(path)
        if not path.startswith(self.work) and (status is not None or not self.temporary.hold(path)):
            self.note_path("write", path)

    def replaced(self, path, status):
        self.write(path, None if is_folder(status) else status, is_new=True)

    def removed(self, path, status):
        if status is None or self.is_own(path) or path.startswith(self.work):
            return
        if not self.is_temporary_and_new(path, status):
            self.note_path("remove", path)
            # What goes with it, or comes in its place, is its own.
            self.remember(path)

    def make(self, path, status):
        if status is None and not self.is_own(path):
            self.remember(path)

    def remember(self, path):
        if len(self.made) < MEMORY:
            self.made.add(path)

    def is_own(self, path):
        """Whether a path is no concern of anyone else: the interpreter's, the system's, declared, or made by this run."""
        if self.skipped.hold(path) and not path.startswith(self.work):
            return True
        if path in self.declared or path.startswith(self.below_declared):
            return True
        if any(name in path for name in INSTALLED):
            return True
        made = self.made
        while made and path:
            if path in made:
                return True
            path = path[: max(path.rfind(os.sep), 0)]
        return False

    def is_temporary_and_new(self, path, status):
        """Whether a file was made by this run in a way that is not seen: by a library in C, or a program."""
        return status is not None and status.st_ctime >= self.started and self.temporary.hold(path)

    # What is seen of programs and of the network

    def started_program(self, args):
        program, arguments = args[0], args[1] if len(args) > 1 else None
        self.program(program, arguments)

    def spawned(self, args):
        self.program(args[1], args[2])

    def system(self, args):
        self.program("sh", ["sh", "-c", args[0]])

    def program(self, program, arguments):
        caller = module_of_caller(passed_over=("subprocess", "os", "asyncio"))
        if caller.split(".")[0] in ASKING or "externals.loky" in caller:
            return
        arguments = arguments if isinstance(arguments, (list, tuple)) else [arguments]
        name = text_of(program if program is not None else arguments[0])
        if name is None:
            return
        if os.path.basename(name) in SHELLS and len(arguments) > 2 and arguments[1] == "-c":
            word = ((text_of(arguments[2]) or "").split() or [""])[0]
            if word and all(letter.isalnum() or letter in "._-+/" for letter in word):
                name = word
        if os.path.isabs(name):
            name = name[len(self.base) :] if name.startswith(self.base) else os.path.basename(name)
        self.note_name("program", name)

    def looked_up(self, args):
        host, port = text_of(args[0]), args[1] if len(args) > 1 else None
        if not host or all(letter in "0123456789abcdefABCDEF.:%" for letter in host) and not host.isalpha():
            return
        # What is connected to next is known by its name.
        if len(self.lookups) > 1_000:
            self.lookups.clear()
        self.lookups[_thread.get_ident()] = (port, host)
        if host not in ("localhost", own_name()):
            self.note_name("address", address_of(host, port))

    def connect(self, args):
        address = args[-1]
        if isinstance(address, (str, bytes)):
            self.use_socket_file(address)
        elif is_internet(address):
            host, port = text_of(address[0]), address[1]
            if not any(port == port_of(other()) for other in self.listening):
                looked_up = self.lookups.get(_thread.get_ident())
                if looked_up is not None and looked_up[0] == port:
                    host = looked_up[1]
                self.note_name("address", address_of(host, port))

    def bind(self, args):
        socket, address = args
        if isinstance(address, (str, bytes)):
            self.use_socket_file(address)
        elif is_internet(address):
            if address[1] == 0:
                # Nobody else can want it, and nobody else is connected to by it.
                self.listening.append(ref(socket))
            else:
                self.note_name("address", address_of(text_of(address[0]), address[1]))

    def use_socket_file(self, path):
        path = text_of(path)
        if path and "\0" not in path:
            path, status = self.locate(os.path.join(getcwd(), path))
            note = self.write if status is None else self.read
            note(path, status)

    # What is noted

    def note_path(self, kind, path):
        if path.startswith(self.base):
            path = path[len(self.base) :]
        self.note(kind, path, f'{{"kind": "{kind}", "path": {quote(plain(path.replace(os.sep, "/")))}}}\n')

    def note_name(self, kind, name):
        self.note(kind, name, f'{{"kind": "{kind}", "name": {quote(plain(name))}}}\n')

    def note(self, kind, name, line):
        if (kind, name) in self.names:
            return
        if len(self.names) >= LIMIT:
            self.omitted += 1
            if self.omitted >= PORTION:
                self.tell_omitted()
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
            threading = sys.modules["threading"].__file__
            error.__traceback__ = args.exc_traceback
            self.append(dumps({"kind": "thread", "exception": self.describe(error, {threading})}) + "\n")
        finally:
            error.__traceback__ = kept

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
            if not isinstance(error, OSError):
                raise

    def finish(self):
        """Writes what could not be written before."""
        try:
            if self.omitted:
                self.tell_omitted()
            elif self.lines:
                self.append("")
        except OWN_ERRORS:
            pass

    def forked(self):
        """What the parent has not written yet is the parent's."""
        self.lines, self.omitted = [], 0


# Taken now: the script may patch whatever it likes.
os_open, os_write, os_close, os_lstat, getcwd = os.open, os.write, os.close, os.lstat, os.getcwd
CLOSE_ON_EXEC = getattr(os, "O_CLOEXEC", 0)
OWN_FILE = __file__
getframe = sys._getframe


class Folders:
    """Folders, told apart by whether they are in the base folder: those that it is in say nothing about what is in it."""

    def __init__(self, folders, base):
        self.base = base
        self.inside = tuple(folder for folder in folders if folder.startswith(base) and folder != base)
        self.outside = tuple(folder for folder in folders if not folder.startswith(base))

    def hold(self, path):
        return path.startswith(self.inside if path.startswith(self.base) else self.outside)


def with_separator(path):
    return os.path.join(path, "")


def folder_of(path):
    return with_separator(os.path.realpath(path))


def interpreter_folders():
    found = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix, os.path.dirname(os.__file__)}
    # Where Python is installed at the root, the system's folders are all that tells its files from others.
    found = {path for path in found if path and os.path.dirname(path) != path}
    return {with_separator(path) for path in found} | {folder_of(path) for path in found}


PLATFORM_FOLDERS = interpreter_folders() | {with_separator(path) for path in SYSTEM_FOLDERS}


def temporary_folders():
    named = [os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP")]
    usual = ["/tmp", "/var/tmp", "/usr/tmp"] if os.name == "posix" else ["c:\\temp", "c:\\tmp"]
    return {folder_of(path) for path in named + usual if path}


def text_of(path):
    """A path or name as text. None for what is neither, such as the number of an open file."""
    if type(path) is str:
        return path
    return os.fsdecode(path) if isinstance(path, (str, bytes, os.PathLike)) else None


def plain(text):
    """Text that is valid UTF-8: lone surrogates, which file names can hold, are written as escapes."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def status_of(path):
    try:
        return os_lstat(path)
    except OSError:
        return None


def is_folder(status):
    return status is not None and status.st_mode & KIND_BITS == FOLDER_KIND


def module_of_caller(passed_over=()):
    """The name of the module whose code has done what the hook is called for."""
    frame = getframe(1)
    while frame is not None:
        if frame.f_code.co_filename != OWN_FILE:
            name = frame.f_globals.get("__name__")
            name = name if isinstance(name, str) else ""
            if name.split(".")[0] not in passed_over:
                return name
        frame = frame.f_back
    return ""


def is_internet(address):
    return isinstance(address, tuple) and len(address) >= 2 and isinstance(address[0], (str, bytes))


def address_of(host, port):
    host = f"[{host}]" if ":" in host else host
    return f"{host}:{port}" if port else host


def port_of(socket):
    try:
        return socket.getsockname()[1]
    except (OSError, AttributeError, LookupError, TypeError):
        # It is closed or gone.
        return None


def own_name():
    return os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME")


def is_of_another(error):
    """Whether an exception was raised by what came in between, such as a signal handler, and not by the hook itself."""
    if not isinstance(error, OWN_ERRORS):
        return True
    traceback = error.__traceback__
    own = (OWN_FILE, os.path.__file__, os.__file__)
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename not in own and "<frozen " not in traceback.tb_frame.f_code.co_filename:
            return True
        traceback = traceback.tb_next
    return False


def watch_threads(observer):
    threading = sys.modules.get("threading")
    # What `threading` takes its own from, where it is not imported yet.
    module, name = (_thread, "_excepthook") if threading is None else (threading, "excepthook")
    before = getattr(module, name, None)
    if before is None:
        return

    def excepthook(args, /):
        """Handle uncaught Thread.run() exception."""
        try:
            observer.note_thread(args)
        except BaseException:
            # It must come to the hook before, whatever else happens.
            pass
        return before(args)

    setattr(module, name, excepthook)


def install(params, describe, started):
    """Begins to observe the process of a run that was `started` then, by the clock of the file system.

    Returns the observer, which is to be told when `main` has come back.
    """
    observer = Observer(params, describe, started)
    handlers = {
        "open": observer.open,
        "os.remove": observer.remove,
        "os.rmdir": observer.remove,
        "shutil.rmtree": observer.remove,
        "os.rename": observer.rename,
        "os.link": observer.link,
        "os.symlink": observer.symlink,
        "os.truncate": observer.truncate,
        "os.mkdir": observer.mkdir,
        "_winapi.CopyFile2": observer.copy,
        "sqlite3.connect": observer.database,
        "subprocess.Popen": observer.started_program,
        "os.exec": observer.started_program,
        "os.posix_spawn": observer.started_program,
        "os.startfile": observer.started_program,
        "os.spawn": observer.spawned,
        "os.system": observer.system,
        "socket.getaddrinfo": observer.looked_up,
        "socket.gethostbyname": observer.looked_up,
        "socket.connect": observer.connect,
        "socket.sendto": observer.connect,
        "socket.sendmsg": observer.connect,
        "socket.bind": observer.bind,
    }
    find = handlers.get

    def hook(event, args):
        handler = find(event)
        if handler is not None:
            try:
                handler(args)
            except BaseException as error:
                if is_of_another(error):
                    raise

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=observer.forked)
    watch_threads(observer)
    sys.addaudithook(hook)
    return observer
