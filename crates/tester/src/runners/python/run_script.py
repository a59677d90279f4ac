"""Runs one script: python run_script.py PARAMS_JSON [--recorded]

With `--fork-server` and the tester's process in place of the file, it serves requests for runs in forks of itself.

PARAMS_JSON holds the script's path, its four parameters, and the path of the file to leave the result in. To repeat
a run by hand, call this again with the same file: what goes wrong is then told on standard error as well, unless it is
said that the result is recorded.

Only cheap modules are imported before the script: what is imported here is paid by every run.
"""

import argparse
import json
import os
import sys

MESSAGE_LIMIT = 4_000
TRACEBACK_LIMIT = 16_000
PARAMETERS = ("input_paths", "output_paths", "environ_vars", "job_args")
# By the flags of their code.
GENERATORS = {0x20: "generator", 0x200: "async_generator"}
HELPERS = {}
# What is loaded after a script has begun, which could have changed it: the text of each.
SOURCES = {}
LATE = ("exit_status", "callable_logger")
OWN_FOLDER = os.path.dirname(os.path.abspath(__file__))


def load_params(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def cut(text, limit):
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half} characters left out ...]\n{text[-half:]}"


def plain(text):
    """Text that is valid UTF-8: lone surrogates, which file names can hold, are written as escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def text_of(thing):
    try:
        return str(thing)
    except BaseException as inner:
        return f"<the message could not be made: {type(inner).__name__}>"


def describe(error, own_frames_from):
    cls = type(error)
    name = cls.__qualname__ if cls.__module__ in ("builtins", "__main__") else f"{cls.__module__}.{cls.__qualname__}"
    message = text_of(error)
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename in own_frames_from:
        frames = frames.tb_next
    # `raise` without a frame of the script (a wrong call, for one) keeps what there is.
    error.__traceback__ = frames
    places = []
    try:
        while frames is not None:
            places.append((frames.tb_frame.f_code.co_filename, frames.tb_lineno))
            frames = frames.tb_next
        # The script may have left nothing to import it with.
        text = "".join(helper("traceback").format_exception(cls, error, error.__traceback__))
    except BaseException as inner:
        lines = [f'  File "{file}", line {line}\n' for file, line in places]
        text = f"{''.join(lines)}{name}: {message}\n<the traceback could not be made: {type(inner).__name__}>"
    if isinstance(error, SyntaxError) and error.filename:
        places.append((error.filename, error.lineno))
    return {
        "type_name": plain(name),
        "message": plain(cut(message, MESSAGE_LIMIT)),
        "places": [(plain(str(file)), line) for file, line in places[-50:]],
        "traceback": plain(cut(text, TRACEBACK_LIMIT)),
    }


def package_of(script):
    """The dotted name of the package a script lies in, and the folder above that package."""
    folder = os.path.dirname(script)
    parts = []
    while os.path.isfile(os.path.join(folder, "__init__.py")):
        folder, name = os.path.split(folder)
        if not name:
            break
        parts.insert(0, name)
    return ".".join(parts), folder


def keep_helpers(folder):
    """Loads what is needed after the script now, where a file of the script's folder would stand in its way."""
    known = getattr(sys, "stdlib_module_names", None)
    stems = {name.split(".")[0] for name in os.listdir(folder)}
    if known is None or stems & known:
        for name in ("asyncio", "inspect", "linecache", "logging", "tokenize", "traceback"):
            HELPERS[name] = __import__(name)


def helper(name):
    return HELPERS.get(name) or __import__(name)


def load(name, is_kept=True):
    """A module beside this file, which no script finds. What is kept is compiled once for all runs of a test."""
    path = os.path.join(OWN_FOLDER, f"{name}.py")
    if name in SOURCES:
        module = type(sys)(name)
        module.__file__ = path
        exec(compile(SOURCES[name], path, "exec"), vars(module))
        return module
    import importlib.util

    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, not is_kept
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
    return module


def keep_sources():
    for name in LATE:
        if name not in SOURCES:
            with open(os.path.join(OWN_FOLDER, f"{name}.py"), encoding="utf-8") as file:
                SOURCES[name] = file.read()


def take_secret(path):
    """What tells the result of this run from what others write: nobody finds it any more when the script begins."""
    path = os.path.join(os.path.dirname(path), "secret")
    with open(path, encoding="utf-8") as file:
        secret = file.read()
    os.unlink(path)
    return secret


def load_once(name, is_kept=True):
    if name not in HELPERS:
        HELPERS[name] = load(name, is_kept)
    return HELPERS[name]


def observe(params, started):
    """Has what this process does noted where the parameters say. What cannot be noted keeps no script from running."""
    try:
        return load_once("observe").install(params, describe, started, load_once)
    except Exception as error:
        sys.stderr.write(f"the run is not observed: {type(error).__name__}: {error}\n")
        return None


class Reserve:
    """Descriptors that are kept back, so that what went wrong can be told when a script has used up all others."""

    def __init__(self):
        self.kept = {}
        if not hasattr(os, "sysconf"):
            return
        # Below any limit that is usual, and above what a script that closes all it was not given opens next.
        highest = min(os.sysconf("SC_OPEN_MAX"), 256) - 1
        null = os.open(os.devnull, os.O_RDONLY)
        for number in range(highest - 4, highest):
            try:
                os.fstat(number)
            except OSError:
                os.dup2(null, number, inheritable=False)
                self.kept[number] = self.identity(number)
        os.close(null)

    @staticmethod
    def identity(number):
        found = os.fstat(number)
        return found.st_dev, found.st_ino

    def release(self):
        for number, identity in self.kept.items():
            try:
                if self.identity(number) == identity:
                    os.close(number)
            except OSError:
                pass
        self.kept = {}


class Leaving:
    """Leaves the result in its file, whatever the script has patched, and whatever it lets itself have."""

    def __init__(self, path, secret):
        self.path, self.secret = path, secret
        self.open, self.replace, self.symlink, self.umask = open, os.replace, getattr(os, "symlink", None), os.umask
        self.dumps = json_writer()

    def __call__(self, result):
        result = {**result, "secret": self.secret}
        text = self.dumps(result)
        for _ in range(2):
            try:
                return self.write(text)
            except OSError:
                lift_limits()
        self.leave_link(result)

    def write(self, text):
        # The script may have taken all rights from the files that are made after it.
        before = self.umask(0o022)
        try:
            with self.open(self.path + ".part", "w", encoding="utf-8") as file:
                file.write(text)
        finally:
            self.umask(before)
        self.replace(self.path + ".part", self.path)

    def leave_link(self, result):
        """Leaves what matters most as what a link leads to: no limit of what may be written is one of links."""
        left = result.get("exception")
        if left is not None:
            left.update(message=cut(left["message"], 300), places=left["places"][-1:], traceback="")
        self.symlink(self.dumps(result), self.path)


def json_writer():
    """What writes JSON with nothing that a script could change: it is made before the script begins."""
    quoted = json.encoder.encode_basestring_ascii
    words = {None: "null", True: "true", False: "false"}

    def dumps(value):
        if value is None or value is True or value is False:
            return words[value]
        if isinstance(value, str):
            return quoted(value)
        if isinstance(value, dict):
            return "{" + ", ".join([quoted(key) + ": " + dumps(member) for key, member in value.items()]) + "}"
        if isinstance(value, (list, tuple)):
            return "[" + ", ".join([dumps(member) for member in value]) + "]"
        return repr(value)

    return dumps


def recover(reserve, setrecursionlimit=sys.setrecursionlimit):
    """Takes back what a script has done to the interpreter that would keep it from telling what came of the script."""
    setrecursionlimit(max(sys.getrecursionlimit(), 1000))
    reserve.release()


def lift_limits():
    """Takes back, as far as that is allowed, what the script has set itself as limits of what it may write, open and hold."""
    try:
        resource = helper("resource")
        for limit in (resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE, resource.RLIMIT_AS):
            _, hard = resource.getrlimit(limit)
            resource.setrlimit(limit, (hard, hard))
    except (ImportError, AttributeError, OSError, ValueError):
        # There are none here, or the script has a module of this name.
        pass


def import_script(script):
    import importlib
    import importlib.util

    # Where a link leads to, as an interpreter that is given the script has it.
    real = os.path.realpath(script)
    folder = os.path.dirname(real)
    keep_helpers(folder)
    package, above = package_of(real)
    stem = os.path.splitext(os.path.basename(real if package else script))[0]
    if package:
        sys.path.insert(0, above)
    sys.path.insert(0, folder)
    importlib.invalidate_caches()
    if package:
        importlib.import_module(package)
    name = f"{package}.{stem}" if package else stem
    spec = importlib.util.spec_from_file_location(name, script)
    if spec is None:
        # The file has no ending that Python knows.
        from importlib.machinery import SourceFileLoader

        spec = importlib.util.spec_from_loader(name, SourceFileLoader(name, script))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    # It may change or remove its own file.
    with open(script, "rb") as file:
        source = file.read()
    spec.loader.exec_module(module)
    return module, source


def wrong_main(problem, function):
    """The result where `main` is something that does nothing when it is called as it is here."""
    code = getattr(helper("inspect").unwrap(function), "__code__", None) if callable(function) else None
    return {"kind": "wrong_main", "line": code.co_firstlineno if code else None, "problem": problem}


def kind_problem(main):
    """What `main` is where it is no function that does its work when it is called."""
    if any(cls.__module__.split(".")[0] == "click" for cls in type(main).__mro__) and hasattr(main, "callback"):
        return wrong_main({"kind": "click_command"}, main.callback)
    flags = getattr(getattr(main, "__code__", None), "co_flags", 0)
    for flag, kind in GENERATORS.items():
        if flags & flag:
            return wrong_main({"kind": kind}, main)
    return None


def signature_problem(main):
    """What keeps `main` from being called, and whether it takes a logger."""
    inspect = helper("inspect")
    try:
        signature = inspect.signature(main)
    except (TypeError, ValueError):
        return None, False
    parameters = signature.parameters.values()
    positional_only = [p.name for p in parameters if p.kind is p.POSITIONAL_ONLY]
    if set(PARAMETERS) <= set(signature.parameters) and set(positional_only) & set(PARAMETERS):
        return wrong_main({"kind": "positional_only", "parameters": positional_only}, main), False
    by_keyword = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
    given = set(PARAMETERS) | {"logger"}
    missing = [] if takes_any else [name for name in PARAMETERS if name not in by_keyword]
    unexpected = [
        p.name
        for p in parameters
        if p.default is p.empty
        and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        and (p.name not in given or p.kind is p.POSITIONAL_ONLY)
    ]
    if not missing and not unexpected:
        return None, "logger" in by_keyword
    code = getattr(inspect.unwrap(main), "__code__", None)
    return {
        "kind": "wrong_signature",
        "signature": plain(cut(str(signature), 300)),
        "line": code.co_firstlineno if code else None,
        "missing": missing,
        "unexpected": unexpected,
    }, False


def exit_result(error, own):
    code = error.code
    if not isinstance(code, int):
        status = 0 if code is None else 1
    else:
        # A status is a byte to the system, and Python takes what is no number of a processor for -1.
        status = int(code) & 0xFF if -(2**63) <= code < 2**63 else 0xFF
    if status == 0:
        return {"kind": "passed"}, 0
    result = {"kind": "exited", "status": status}
    if not isinstance(code, int):
        result["message"] = plain(cut(text_of(code), MESSAGE_LIMIT))
    cause = error.__cause__
    if cause is None and not error.__suppress_context__:
        cause = error.__context__
    if isinstance(cause, Exception):
        result["cause"] = describe(cause, own)
    return result, status


def has(thing, name):
    """Whether a thing has something of this name. It may be one that does not like to be asked."""
    try:
        return hasattr(thing, name)
    except Exception:
        return False


def returned_result(returned, module, source):
    """What `main` has come to by what it has returned: its file may make that the status of the process."""
    for kind, name in (("generator", "gi_code"), ("async_generator", "ag_code")):
        code = getattr(returned, name) if has(returned, name) else None
        if code is not None and getattr(code, "co_name", None) == "main":
            # A function around it has returned it.
            return {"kind": "wrong_main", "line": code.co_firstlineno, "problem": {"kind": kind}}, 1
    try:
        is_used = may_use(source, returned)
        end = load_once("exit_status", is_kept=False).end_of(source, module, returned) if is_used else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        # What cannot be parsed makes nothing of it.
        end = None
    result, status = exit_result(SystemExit(end and end[0]), set())
    if status and not isinstance(end[0], str):
        result["message"] = plain(end[1])
    return result, status


def may_use(source, returned):
    """Whether the script may make a status of the value. Most `main` return nothing, of which few make anything."""
    if returned is not None:
        return b"xit" in source or b"quit" in source
    words = (b"not ", b" if ", b" or ", b"is None", b"==", b"!=", b"int(", b"bool(")
    lines = [line for line in source.splitlines() if b"main(" in line or b"xit(" in line]
    lines += source[source.rfind(b"__main__") :].splitlines()[1:]
    return b"xit" in source and any(word in line for line in lines for word in words)


def run(params, reserve, started):
    script = params["script"]
    own = {os.path.abspath(__file__), __file__, "<frozen importlib._bootstrap>", "<frozen importlib._bootstrap_external>"}
    os.environ.update(params["environ_vars"])
    sys.argv = [script]
    # The folder of this file is no place to import from.
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != OWN_FOLDER]
    observer = observe(params, started) if started is not None and "observed" in params else None
    try:
        return outcome(params, own, reserve)
    finally:
        if observer is not None:
            observer.finish()


def outcome(params, own, reserve):
    """Imports the script and calls its `main`. Returns the result, and the status to end with."""
    script = params["script"]
    try:
        module, source = import_script(script)
    except SystemExit as error:
        recover(reserve)
        result, status = exit_result(error, own)
        if result["kind"] == "passed":
            return {"kind": "import_failed", "exception": describe(error, own)}, 1
        return result, status
    except BaseException as error:
        recover(reserve)
        return {"kind": "import_failed", "exception": describe(error, own)}, 1
    main = getattr(module, "main", None)
    if not callable(main):
        return {"kind": "missing_main"}, 1
    problem, takes_logger = kind_problem(main), False
    if problem is None:
        problem, takes_logger = signature_problem(main)
    if problem:
        return problem, 1
    arguments = {
        "input_paths": params["input_paths"],
        "output_paths": params["output_paths"],
        "environ_vars": params["environ_vars"],
        "job_args": argparse.Namespace(),
    }
    # Not by keyword: an argument may be called `self`.
    vars(arguments["job_args"]).update(params["job_args"])
    if takes_logger:
        # Imported for scripts only that ask for it.
        arguments["logger"] = load_once("callable_logger", is_kept=False).make(module.__name__, helper("logging"))
    settrace, setprofile = sys.settrace, sys.setprofile
    try:
        try:
            returned = main(**arguments)
            settrace(None)
            if has(returned, "__await__"):
                returned = helper("asyncio").run(as_coroutine(returned))
        finally:
            # Here, where no function is called that would be traced.
            settrace(None)
            setprofile(None)
    except SystemExit as error:
        recover(reserve)
        return exit_result(error, own)
    except BaseException as error:
        recover(reserve)
        if isinstance(error, MemoryError):
            lift_limits()
        return {"kind": "exception", "exception": describe(error, own)}, 1
    recover(reserve)
    return returned_result(returned, module, source)


async def as_coroutine(awaitable):
    return await awaitable


def flush(name):
    """A script may have closed its streams, which the interpreter would otherwise call an error at exit."""
    stream = getattr(sys, name, None)
    try:
        if stream is not None:
            stream.flush()
    except (OSError, ValueError):
        setattr(sys, name, None)
    except Exception:
        # The interpreter sees the same at its end, and calls it an error.
        pass


def tell(result):
    """Says what went wrong, to who has repeated a run by hand. What is recorded says it in the report."""
    if "exception" in result:
        sys.stderr.write(result["exception"]["traceback"])
    elif result["kind"] != "passed":
        sys.stderr.write(f"{json.dumps(result)}\n")


def execute(path, is_by_hand=False):
    """Runs the script that the file names, and leaves a result where it says. Returns the status to end with.

    A run that is repeated by hand says what went wrong, and is not observed.
    """
    params = load_params(path)
    started = None if is_by_hand else os.stat(path).st_ctime
    keep_sources()
    leave, number_of_process = Leaving(params["result"], None if is_by_hand else take_secret(path)), os.getpid
    process = number_of_process()
    reserve = Reserve()
    result, status = run(params, reserve, started)
    reserve.release()
    # A child that the script has forked may come here too: it ends as it would, and the result is its parent's.
    is_child = number_of_process() != process
    if not is_child:
        leave(result)
    if is_by_hand or is_child:
        tell(result)
    flush("stdout")
    flush("stderr")
    return status


def serve():
    pristine = set(sys.modules)
    load("fork_server").main(sys.modules[__name__], pristine)


def main():
    if sys.argv[1] == "--fork-server":
        serve()
    else:
        sys.exit(execute(sys.argv[1], is_by_hand=sys.argv[2:] != ["--recorded"]))


# Not where `multiprocessing` imports this file again for a worker process.
if __name__ == "__main__":
    main()
