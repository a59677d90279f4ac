"""What a run does to files beyond its inputs, its outputs and its own folders."""

import os
import sys

# What is remembered of paths as scripts write them, so that a file that is opened again costs next to nothing.
MEMORY = 50_000

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
# Modules that put compiled modules beside their sources. The last one reads the archives that modules are in.
IMPORTERS = frozenset("importlib._bootstrap_external compileall py_compile zipimport".split())
# Modules that open what is in an open folder by its bare name, which says nothing without that folder.
WALKERS = frozenset(("os", "shutil"))
INSTALLED = [f"{os.sep}{name}{os.sep}" for name in ("site-packages", "dist-packages")]
IS_WINDOWS = os.name == "nt"
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
ARCHIVES = (".zip", ".egg", ".whl", ".pyz")
SOURCES = (".py", ".pyc", ".pyw")
# Taken now: the script may patch whatever it likes.
os_lstat, os_readlink, getcwd = os.lstat, os.readlink, os.getcwd
# Links that lead to links, before they are taken for a circle.
LINK_LIMIT = 40
# To look up each folder on the way of a longer path takes long, and a script may try thousands.
PATH_LIMIT = 1024


class Files:
    def __init__(self, notes, params, started):
        self.notes = notes
        self.text_of, self.caller = notes.text_of, notes.caller
        self.is_of_another = notes.is_of_another
        run_folder = params.get("run_folder") or os.path.dirname(params["result"])
        base = params.get("base")
        work = params.get("working_directory")
        self.base = folder_of(base) if base else "\0"
        self.work = folder_of(work) if work and work != base else "\0"
        self.run_folder = folder_of(run_folder)
        # What was made after this was made by this run, as far as can be told.
        self.started = started
        self.declared = {params["script"], params["observed"], *params["output_paths"].values()}
        for path in params["input_paths"].values():
            self.declared |= {path} if path.startswith(self.run_folder) else {path, os.path.realpath(path)}
        self.below_declared = tuple(with_separator(path) for path in self.declared)
        self.inputs = [(with_separator(path), name) for name, path in params["input_paths"].items()]
        self.below_inputs = tuple(path for path, name in self.inputs)
        skipped = PLATFORM_FOLDERS | {self.run_folder}
        self.skipped = Folders(skipped, self.base)
        self.temporary = Folders(temporary_folders(), self.base)
        # A path that begins with one of these needs no second look.
        self.plain = self.below_declared + tuple(
            folder for folder in skipped if not self.base.startswith(folder) and not self.work.startswith(folder)
        )
        # What was seen, as the script writes it.
        self.read_before, self.written_before = set(), set()
        # What this run has made: files, and folders with all below them.
        self.made = set()
        # Whether the script has opened a folder, to name files by it.
        self.has_open_folder = False
        # Databases that were there, as they were before.
        self.databases = {}
        # Folders by what leads to them.
        self.real_folders = {}

    def handlers(self):
        return {
            "open": self.open,
            "os.remove": self.remove,
            "os.rmdir": self.remove,
            "shutil.rmtree": self.remove,
            "os.rename": self.rename,
            "os.link": self.link,
            "os.symlink": self.symlink,
            "os.truncate": self.truncate,
            "os.utime": self.set_times,
            "os.chmod": self.set_mode,
            "os.chown": self.set_owner,
            "os.mkdir": self.mkdir,
            "_winapi.CopyFile2": self.copy,
            "sqlite3.connect": self.database,
        }

    def open(self, args):
        path, mode, flags = args
        if type(path) is not str:
            path = self.text_of(path)
            if path is None:
                return
        flags = flags or 0
        if (path.startswith(self.plain) and ".." not in path) or path in self.declared:
            if path.startswith(self.below_inputs) and not flags & WRITING:
                self.look_for(path)
            return
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
        if mode is None and os.sep not in given and self.caller() in WALKERS:
            return
        if self.is_import(given, writes):
            return
        if len(path) > PATH_LIMIT:
            self.notes.omit()
            return
        if len(before) < MEMORY:
            before.add(path)
        path, status = self.locate(path)
        if mode is None:
            if is_folder(status):
                self.has_open_folder = self.has_open_folder or self.caller() not in WALKERS
            elif status is None and self.has_open_folder and not os.path.isabs(given):
                # It may be in an open folder, which is not said.
                return
        if flags & os.O_RDWR or not writes:
            self.read(path, status, is_changed=bool(flags & os.O_TRUNC) or status is None and bool(writes))
        if writes:
            self.write(path, status, is_new=bool(flags & os.O_TRUNC))

    def look_for(self, path):
        """Notes a file below an input that is not there."""
        if path in self.read_before or len(self.read_before) >= MEMORY:
            return
        self.read_before.add(path)
        if self.status_of(path) is not None:
            # It goes on: it can do without what it did not find before.
            self.notes.note_going_on()
        else:
            for folder, name in self.inputs:
                if path.startswith(folder):
                    self.notes.note_missing(name, path[len(folder) :])

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

    def set_times(self, args):
        self.change(args[0], args[3], self.touch)

    def set_mode(self, args):
        self.change(args[0], args[2], self.touch)

    def set_owner(self, args):
        self.change(args[0], args[3], self.touch)

    def mkdir(self, args):
        self.change(args[0], args[2] if len(args) > 2 else None, self.make)

    def copy(self, args):
        self.change(args[0], None, self.read)
        self.change(args[1], None, self.replaced)

    def database(self, args):
        path = self.text_of(args[0])
        if path is None or path in ("", ":memory:") or path.startswith("file::memory:"):
            return
        options = []
        if path.startswith("file:"):
            path, options = parse_address(path)
        path, status = self.locate(os.path.join(getcwd(), path))
        is_read_only = "mode=ro" in options or "immutable=1" in options
        if status is None and not is_read_only and "mode=rw" not in options:
            self.write(path, status, is_new=True)
            return
        self.read(path, status)
        if not is_read_only and path not in self.databases and len(self.databases) < MEMORY:
            self.databases[path] = self.state_of_database(path)

    def state_of_database(self, path):
        """What changes of a database when it is written: it, or the log beside it."""
        found = [self.status_of(path + suffix) for suffix in ("", "-wal")]
        return [status and (status.st_size, status.st_mtime_ns) for status in found]

    def finish(self):
        """Notes which databases were written, which only shows afterwards."""
        for path, before in self.databases.items():
            state = self.state_of_database(path)
            # A log that has nothing in it is made by reading too.
            if state[0] != before[0] or (state[1] != before[1] and state[1] and state[1][0]):
                self.write(path, self.status_of(path))

    def change(self, path, folder, note):
        """Notes what happens to a path that is relative to an open folder, or to the current one."""
        path = self.text_of(path)
        if path is None or (path.startswith(self.plain) and ".." not in path):
            return
        if not os.path.isabs(path):
            # Elsewhere than on Linux an open folder does not show its name.
            at = getcwd() if folder in (None, -1) else os_readlink(f"/proc/self/fd/{folder}")
            path = os.path.join(at, path)
        if not self.is_import(path, True):
            note(*self.locate(path, follow=note in (self.read, self.write, self.touch)))

    def is_import(self, path, writes):
        """Whether a compiled module is put beside its source, or taken from an archive. Other modules are told by their
        names."""
        if writes:
            return (".pyc" in path or path.endswith("__pycache__")) and self.caller() in IMPORTERS
        return path.endswith(ARCHIVES) and self.caller() == "zipimport"

    def locate(self, path, follow=True):
        """What a path leads to, and what is there, if there is something."""
        folder, name = os.path.split(path)
        if name in ("", ".", ".."):
            path = self.real_path(path)
        else:
            real = self.real_folders.get(folder)
            if real is None:
                real = self.real_path(folder)
                if len(self.real_folders) < MEMORY and is_folder(self.status_of(real)):
                    self.real_folders[folder] = real
            path = os.path.join(real, name)
        status = self.status_of(path)
        if follow and status is not None and status.st_mode & KIND_BITS == LINK_KIND:
            path = self.real_path(path)
            status = self.status_of(path)
        return path, status

    def status_of(self, path):
        try:
            return os_lstat(path)
        except OSError as error:
            if self.is_of_another(error):
                raise
            return None

    def real_path(self, path):
        """What `os.path.realpath` says, which would keep an exception of a signal handler to itself."""
        if IS_WINDOWS:
            return os.path.realpath(path)
        names, real, links = path.split("/")[::-1], "", 0
        while names:
            name = names.pop()
            if name == "..":
                real = real[: max(real.rfind("/"), 0)]
            elif name not in ("", "."):
                at = f"{real}/{name}"
                status = self.status_of(at)
                if status is None or status.st_mode & KIND_BITS != LINK_KIND or links >= LINK_LIMIT:
                    real = at
                    continue
                links += 1
                target = os_readlink(at)
                if target.startswith("/"):
                    real = ""
                names += target.split("/")[::-1]
        return real or "/"

    def read(self, path, status, is_changed=False):
        if is_folder(status) or self.is_own(path) or is_changed:
            return
        if path.startswith(self.work):
            # Its own, unless it looks for what is not there: then for what is not there in the base folder.
            if status is None:
                self.note("read", self.base + path[len(self.work) :])
        elif not self.is_temporary_and_new(path, status):
            self.note("read", path)

    def write(self, path, status, is_new=False):
        if is_folder(status) or self.is_of_no_concern(path):
            return
        is_new = is_new or status is None
        if is_new:
            # What it reads there later is what it has written.
            self.remember(path)
        # Temporary files are there or not, as earlier runs have left them.
        if not path.startswith(self.work) and not self.temporary.hold(path):
            self.note("write", path, is_new)

    def touch(self, path, status):
        if status is not None:
            self.write(path, status)

    def replaced(self, path, status):
        self.write(path, None if is_folder(status) else status, is_new=True)

    def removed(self, path, status):
        if status is None or self.is_own(path) or path.startswith(self.work):
            return
        if not self.is_temporary_and_new(path, status):
            self.note("remove", path)
            # What goes with it, or comes in its place, is its own.
            self.remember(path)

    def make(self, path, status):
        if status is None and not self.is_own(path):
            self.write(path, None)

    def remember(self, path):
        if len(self.made) < MEMORY:
            self.made.add(path)

    def is_of_no_concern(self, path):
        """Whether a path is the interpreter's, the system's, or declared."""
        if self.skipped.hold(path) and not path.startswith(self.work):
            return True
        if path in self.declared or path.startswith(self.below_declared):
            return True
        return any(name in path for name in INSTALLED)

    def is_own(self, path):
        """Whether what is read or removed is no concern of anyone else, or was made by this run."""
        if self.is_of_no_concern(path):
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

    def note(self, kind, path, is_new=False):
        self.notes.note_path(kind, path[len(self.base) :] if path.startswith(self.base) else path, is_new)


def parse_address(address):
    """The path and the options of the address of a database."""
    path, _, options = address[len("file:") :].partition("#")[0].partition("?")
    if path.startswith("//"):
        path = path[max(path.find("/", 2), 0) :]
    first, *rest = path.split("%")
    if rest:
        parts = [bytes.fromhex(part[:2]) + os.fsencode(part[2:]) for part in rest]
        path = os.fsdecode(os.fsencode(first) + b"".join(parts))
    return path, options.split("&")


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


def is_folder(status):
    return status is not None and status.st_mode & KIND_BITS == FOLDER_KIND
