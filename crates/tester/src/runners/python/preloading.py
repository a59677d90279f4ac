"""Makes imports in an interpreter that runs are forked from, and looks at what they leave."""

import _imp
import _signal
import atexit
import gc
import os
import sys

# Threads that libraries keep, which forks do without, and modules whose handlers at exit every fork can run for itself.
SURVIVING_THREADS = frozenset(("jemalloc_bg_thd", "polars-ooc-clea"))
EXIT_MODULES = frozenset(
    """PIL.Image certifi.core duckdb h5py matplotlib._pylab_helpers numcodecs openpyxl.worksheet._writer polars pyarrow.fs
    tables.file xarray.backends.file_manager zarr.core.sync""".split()
)
# What has to be removed only once, and would be by the first fork that ends.
REMOVING_MODULES = frozenset("os posix shutil tempfile".split())
# What libraries look for in the working directory when they are imported, in ways that show only where it is there.
LOOKED_UP = (("matplotlib", "matplotlibrc"), ("numba", ".numba_config.yaml"))
SUFFIXES = (".py", ".pyc", *_imp.extension_suffixes())
# The folder of the project, in which the interpreter is started.
base_folder = os.getcwd()


class RecordingEnviron(type(os.environ)):
    """Notes which variables are read. `None` among the names stands for all of them."""

    names = set()

    def __getitem__(self, key):
        self.names.add(key)
        return super().__getitem__(key)

    def __iter__(self):
        self.names.add(None)
        return super().__iter__()

    def __setitem__(self, key, value):
        self.names.add(key)
        super().__setitem__(key, value)

    def __delitem__(self, key):
        self.names.add(key)
        super().__delitem__(key)


def make_imports(imports, run_script, folder):
    """Returns why no run can be forked after them, if none can, and whether one of them is left to the scripts.

    They are made in a new folder, as nothing that a script does at its beginning finds what another run has left.
    """
    files, modules, state = open_files(), set(sys.modules), process_state()
    handlers = []
    os.mkdir(folder)
    os.chdir(folder)
    folder = os.getcwd()
    observe = run_script.load_once("observe")
    end = observe.watch_imports(params_of_imports(run_script, folder), os.stat(folder).st_ctime, run_script.load_once)
    try:
        failed, has_stopped = preload(imports, handlers)
    finally:
        seen = end()
    # What fails in an empty folder may not in that of a run.
    failed = find_effect(seen, folder) or failed
    if failed is None and (os.getcwd(), process_state()) != (folder, state):
        failed = "what the script imports has changed the working directory, the mask of modes, or what is done at a signal"
    failed = failed or find_obstacle(files, modules, handlers)
    if failed is None:
        os.chdir(base_folder)
        os.rmdir(folder)
        observe.read_by_imports += [path for _, path in seen]
    return failed, has_stopped


def params_of_imports(run_script, folder):
    """What a run is observed by, for one that has nothing but a working directory."""
    nowhere = os.path.join(run_script.OWN_FOLDER, "none")
    return {
        "script": nowhere,
        "observed": nowhere,
        "input_paths": {},
        "output_paths": {},
        "run_folder": run_script.OWN_FOLDER,
        "working_directory": folder,
        "base": base_folder,
    }


def find_effect(seen, folder):
    """What imports do that each run has to do for itself, if they do such a thing: by what was seen, kinds and names.

    What they read elsewhere is the same for all runs.
    """
    verbs = {"read": "reads", "write": "writes", "remove": "removes", "program": "starts", "address": "uses"}
    for kind, name in seen:
        if kind != "read" or not os.path.isabs(name):
            return f"what the script imports {verbs[kind]} `{name}`"
    for name in os.listdir(folder):
        return f"what the script imports writes `{name}`"
    for module, name in LOOKED_UP:
        if module in sys.modules and os.path.lexists(os.path.join(base_folder, name)):
            return f"what the script imports reads `{name}`"
    return None


def process_state():
    """What of a process imports can change that a script's own process does not take over."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask, {number: _signal.getsignal(number) for number in _signal.valid_signals()}


def find_obstacle(files, modules, handlers):
    """Why no run can be forked after imports, if none can: by what was there before, and what was registered meanwhile."""
    foreign = foreign_module(set(sys.modules) - modules)
    if foreign is not None:
        return foreign
    if open_files() - files:
        return "what the script imports has opened files that runs would share"
    threads = threads_that_forks_need()
    if threads:
        return f"what the script imports has started threads ({len(threads)} that a fork is without)"
    handlers += unfinished()
    unknown = sorted({caller for caller, function in handlers if not can_be_shared(caller, function)})
    if unknown:
        return f"what the script imports has something to do when the process ends: {', '.join(unknown)}"
    return None


def preload(imports, handlers):
    """Makes imports, one statement after the other. Returns what went wrong, and whether one is left to the scripts."""
    os.environ.__class__ = RecordingEnviron
    register = atexit.register

    def noting(function, *args, **kwargs):
        handlers.append((caller(sys._getframe(1)), getattr(function, "__module__", None)))
        return register(function, *args, **kwargs)

    atexit.register = noting
    # Modules are made of objects that stay: looking for others among them takes longer than it is worth.
    gc.disable()
    try:
        for statement in imports:
            if not is_installed(statement.split()[1].split(".")[0]):
                return None, True
            exec(compile(statement, "<imports>", "exec"), {"__name__": "imports"})
    except BaseException as error:
        try:
            return f"`{statement}`: {type(error).__name__}: {error}", True
        except BaseException:
            return f"`{statement}`: {type(error).__name__}", True
    finally:
        os.environ.__class__ = RecordingEnviron.__mro__[1]
        atexit.register = register
        gc.enable()
    return None, False


def caller(frame):
    """The module that a frame is of. Compiled modules have no frames: then it is the one that imports them."""
    while frame is not None:
        name = frame.f_globals.get("__name__")
        if isinstance(name, str) and name.split(".")[0] not in ("importlib", "_frozen_importlib"):
            return name
        frame = frame.f_back
    return ""


def open_files():
    """The descriptors of what processes would share: all that is no device, which has no place where it is read."""
    found = set()
    for entry in os.listdir("/proc/self/fd"):
        try:
            mode = os.fstat(int(entry)).st_mode
        except OSError:
            continue
        # S_IFCHR.
        if mode & 0o170000 != 0o020000:
            found.add(entry)
    return found


def threads_that_forks_need():
    """The names of threads of libraries without which these do not work in a fork."""
    if len(os.listdir("/proc/self/task")) == 1:
        return []
    # Some libraries end their threads before each fork, and begin them anew when they need them.
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    names = []
    for task in set(os.listdir("/proc/self/task")) - {str(os.getpid())}:
        try:
            with open(f"/proc/self/task/{task}/comm", encoding="utf-8", errors="replace") as file:
                names.append(file.read().strip())
        except OSError:
            # It has ended.
            pass
    names = [name for name in names if name not in SURVIVING_THREADS]
    # This library begins them anew in a fork, and gives them no name of their own.
    numexpr = sys.modules.get("numexpr")
    known = numexpr.get_num_threads() if numexpr is not None else 0
    return names if len(names) > known or len(sys._current_frames()) > 1 else []


def thread_pools():
    """Starts the threads of a library for linear algebra, as functions to be called in each fork.

    OpenBLAS ends them before a fork. Where there are more than two, the first call that needs them in the fork can wait for
    itself for ever.
    """
    try:
        with open("/proc/self/maps", encoding="utf-8", errors="replace") as file:
            paths = {line.split(None, 5)[-1].strip() for line in file if "openblas" in line}
    except OSError:
        return []
    found = []
    if paths:
        import ctypes

        for path in sorted(paths):
            for prefix, suffix in (("scipy_", "64_"), ("scipy_", ""), ("", "64_"), ("", "")):
                try:
                    library = ctypes.CDLL(path)
                    count = getattr(library, f"{prefix}openblas_get_num_threads{suffix}")()
                    start = getattr(library, f"{prefix}openblas_set_num_threads{suffix}")
                except (AttributeError, OSError):
                    continue
                if count > 2:
                    found.append((start, count))
                break
    return found


def reseed():
    """Forks would all draw the same numbers. Python's own generator sees to that itself."""
    random = sys.modules.get("numpy.random")
    if random is not None:
        random.seed()


def unfinished():
    """Who has left what is to be done when objects go, at the latest when the process ends: caller and function."""
    weakref = sys.modules.get("weakref")
    entries = list(weakref.finalize._registry.values()) if weakref is not None else []
    modules = [getattr(entry.func, "__module__", None) for entry in entries if entry.atexit]
    return [(module, module) for module in modules if module in REMOVING_MODULES]


def can_be_shared(caller, function):
    """Whether every fork can run a handler for itself that a module registers with `atexit`."""
    if function in REMOVING_MODULES:
        return False
    return caller in EXIT_MODULES or is_standard(caller)


def is_standard(module):
    try:
        file = sys.modules[module].__file__
    except AttributeError:
        # It is built in, or frozen.
        return True
    except KeyError:
        return False
    return file is None or (is_in(file, [os.path.dirname(os.__file__)]) and not is_in(file, site_folders()))


def site_folders():
    """Where the interpreter has its installed packages. What is named in PYTHONPATH is the user's own, and so is what lies in
    the folder of the project, unless the interpreter does."""
    base = with_separator(base_folder)
    prefixes = [sys.prefix, sys.base_prefix, getattr(sys.modules.get("site"), "USER_BASE", None)]
    prefixes = tuple(with_separator(prefix) for prefix in prefixes if prefix)
    named = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    named = [with_separator(os.path.join(base, entry)) for entry in named if entry]
    folders = []
    for entry in sys.path:
        if os.path.basename(os.path.normpath(entry)) in ("site-packages", "dist-packages"):
            real = with_separator(entry)
            if real not in named and (real.startswith(prefixes) or not real.startswith(base)):
                folders.append(entry)
    return folders


def with_separator(path):
    return os.path.join(os.path.realpath(path), "")


def is_in(file, folders):
    return any(file.startswith(os.path.join(folder, "")) for folder in folders)


def is_installed(name):
    """Whether a module would be imported from where the interpreter has its installed packages."""
    try:
        spec = sys.modules[name].__spec__ if name in sys.modules else None
        for finder in sys.meta_path:
            spec = spec or finder.find_spec(name, None)
        places = [spec.origin] if spec.has_location else list(spec.submodule_search_locations)
        return bool(places) and all(is_in(place, site_folders()) for place in places)
    except Exception:
        # Importing it will say what is wrong with it.
        return False


def find_shadow(folders, names):
    """A file in these folders that a fresh interpreter would import in place of a module that was imported already."""
    for folder in folders:
        try:
            entries = os.listdir(folder)
        except OSError:
            continue
        for entry in entries:
            if entry.split(".")[0] in names and is_module(folder, entry):
                return entry
    return None


def is_module(folder, entry):
    """Whether an entry of a folder is a module. Folders without an `__init__.py` are none that goes before another."""
    name = entry.split(".")[0]
    if name == entry:
        return any(os.path.isfile(os.path.join(folder, name, f"__init__{suffix}")) for suffix in SUFFIXES)
    return entry[len(name) :] in SUFFIXES


def foreign_module(names):
    """Says which of these modules is the user's own and was imported by a library, if one is."""
    folders = site_folders() + [os.path.dirname(os.__file__)]
    for name in sorted(names):
        origin = getattr(getattr(sys.modules.get(name), "__spec__", None), "origin", None)
        if isinstance(origin, str) and os.path.isabs(origin) and not is_in(origin, folders):
            return f"what the script imports has imported `{name}` from `{origin}`"
    return None
