"""Runs one script: python run_script.py PARAMS_JSON [--recorded]

With `--fork-server` in place of the file, it serves requests for runs in forks of itself.

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


def describe(error, own_frames_from):
    traceback = helper("traceback")
    cls = type(error)
    name = cls.__qualname__ if cls.__module__ in ("builtins", "__main__") else f"{cls.__module__}.{cls.__qualname__}"
    try:
        message = str(error)
    except BaseException as inner:
        message = f"<the message could not be made: {type(inner).__name__}>"
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename in own_frames_from:
        frames = frames.tb_next
    # `raise` without a frame of the script (a wrong call, for one) keeps what there is.
    error.__traceback__ = frames
    try:
        text = "".join(traceback.format_exception(cls, error, frames))
        places = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(frames)]
    except BaseException as inner:
        text, places = f"<the traceback could not be made: {type(inner).__name__}>", []
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


def load(name):
    """A module that lies beside this file, and that no script finds among those that are imported."""
    import importlib.util

    spec = importlib.util.spec_from_file_location(name, os.path.join(OWN_FOLDER, f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    # It is compiled once for all runs of a test.
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, False
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
    return module


def load_once(name):
    if name not in HELPERS:
        HELPERS[name] = load(name)
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
    spec.loader.exec_module(module)
    return module


class CallableLogger:
    """Made on demand, so that `logging` is imported only for scripts that ask for a logger."""

    def __new__(cls, name):
        logging = helper("logging")

        class Logger(logging.Logger):
            """A logger that can be called too, because some scripts are handed `print`."""

            def __call__(self, *args, **kwargs):
                self.info("%s", " ".join(str(arg) for arg in args))

        logging.basicConfig(level=logging.INFO, stream=sys.stderr)
        logger = Logger(name)
        logger.parent = logging.getLogger()
        return logger


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
    if code is None or (isinstance(code, int) and code == 0):
        return {"kind": "passed"}, 0
    result, status = {"kind": "exited", "status": 1}, 1
    if isinstance(code, int):
        # A status is a byte to the system: one that would look like zero there is none.
        result["status"] = max(-(2**31), min(int(code), 2**31 - 1))
        status = int(code) & 0xFF or 1
    else:
        result["message"] = plain(cut(str(code), MESSAGE_LIMIT))
    cause = error.__cause__
    if cause is None and not error.__suppress_context__:
        cause = error.__context__
    if isinstance(cause, Exception):
        result["cause"] = describe(cause, own)
    return result, status


def returned_result(returned, script):
    """What `main` has come to by what it has returned: its file may make that the status of the process."""
    code = getattr(returned, "gi_code", None) or getattr(returned, "ag_code", None)
    if code is not None and code.co_name == "main":
        # A function around it has returned it.
        kind = "generator" if hasattr(returned, "gi_code") else "async_generator"
        return {"kind": "wrong_main", "line": code.co_firstlineno, "problem": {"kind": kind}}, 1
    is_status = isinstance(returned, int) and not isinstance(returned, bool) and returned != 0
    if not (is_status or isinstance(returned, str)) or not exits_with_main(script):
        return {"kind": "passed"}, 0
    result, status = exit_result(SystemExit(returned), set())
    result.setdefault("message", f"main() returned {plain(str(returned))}, and the script ends in `sys.exit(main())`")
    return result, status


def exits_with_main(script):
    """Whether the script, run as a program, makes what `main` returns its status."""
    import ast

    try:
        with open(script, "rb") as file:
            tree = ast.parse(file.read())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    statements = [node for node in tree.body if not isinstance(node, functions)]
    nodes = [node for statement in statements for node in ast.walk(statement)]

    def is_call_of(node, names):
        function = getattr(node, "func", None)
        return getattr(function, "id", None) in names or getattr(function, "attr", None) in names

    def is_main(node):
        if isinstance(node, ast.Name):
            return node.id in kept
        return is_call_of(node, ("main",)) or (is_call_of(node, ("run",)) and any(map(is_main, node.args)))

    kept = set()
    for node in nodes:
        if isinstance(node, ast.Assign) and is_main(node.value):
            kept |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    exits = ("exit", "_exit", "quit", "SystemExit")
    return any(is_call_of(node, exits) and len(node.args) == 1 and is_main(node.args[0]) for node in nodes)


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
        module = import_script(script)
    except SystemExit as error:
        result, status = exit_result(error, own)
        if result["kind"] == "passed":
            return {"kind": "import_failed", "exception": describe(error, own)}, 1
        return result, status
    except BaseException as error:
        reserve.release()
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
        arguments["logger"] = CallableLogger(module.__name__)
    try:
        returned = main(**arguments)
        if hasattr(returned, "__await__"):
            returned = helper("asyncio").run(as_coroutine(returned))
    except SystemExit as error:
        return exit_result(error, own)
    except BaseException as error:
        reserve.release()
        return {"kind": "exception", "exception": describe(error, own)}, 1
    return returned_result(returned, script)


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


def tell(result):
    """Says what went wrong, to who has repeated a run by hand. What is recorded says it in the report."""
    if "exception" in result:
        sys.stderr.write(result["exception"]["traceback"])
    elif result["kind"] != "passed":
        sys.stderr.write(f"{json.dumps(result)}\n")


def execute(path, tell=None):
    """Runs the script that the file names, and leaves a result where it says. Returns the status to end with.

    With `tell` it is repeated by hand, says what went wrong, and is not observed.
    """
    params = load_params(path)
    started = os.stat(path).st_ctime if tell is None else None
    # Taken now: the script may patch whatever it likes.
    write, replace, dumps = open, os.replace, json.dumps
    reserve = Reserve()
    result, status = run(params, reserve, started)
    reserve.release()
    with write(params["result"] + ".part", "w", encoding="utf-8") as file:
        file.write(dumps(result))
    replace(params["result"] + ".part", params["result"])
    if tell is not None:
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
        by_hand = sys.argv[2:] != ["--recorded"]
        sys.exit(execute(sys.argv[1], tell if by_hand else None))


# Not where `multiprocessing` imports this file again for a worker process.
if __name__ == "__main__":
    main()
