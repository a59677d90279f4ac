"""Tells what shows of scripts without running them: python inspect_scripts.py QUESTION_JSON ANSWER_JSON

The question has the paths of scripts and the names of libraries to import before a fork, besides the well-known ones. The
answer has the interpreter's own path, and for each script a finding and the imports of such libraries that it begins with.
"""

import ast
import json
import os
import sys
from importlib.machinery import all_suffixes

if sys.version_info < (3, 8):
    sys.exit("it is Python %d.%d, and 3.9 or later is needed" % sys.version_info[:2])

PARAMETERS = ("input_paths", "output_paths", "environ_vars", "job_args")

# Libraries that are imported before a fork: those that were tried under load in forks and work there as in a fresh
# interpreter. The interpreter that imports them looks where they come from.
LIBRARIES = frozenset(
    """PIL aiohttp attr boto3 botocore bs4 click cloudpickle dateutil dill duckdb fsspec grpc h5py httpx jinja2 joblib
    lightgbm lxml matplotlib narwhals networkx numexpr numpy openpyxl orjson pandas polars psutil psycopg2 pyarrow pydantic
    pytz requests rich scipy seaborn simplejson sklearn sqlalchemy tables tabulate tqdm ujson urllib3 xarray xgboost xlrd yaml
    zarr""".split()
)
# Modules of the standard library that do something when they are imported.
WITH_EFFECT = frozenset("antigravity idlelib test this tkinter turtle turtledemo".split())


def bindings_of(body):
    """Every statement of the module's own scope that may bind a name, also inside `if`, `try`, `with` and loops."""
    for node in body:
        yield node
        for field in ("body", "orelse", "finalbody"):
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                yield from bindings_of(getattr(node, field, []))
        for handler in getattr(node, "handlers", []):
            yield from bindings_of(handler.body)
        for case in getattr(node, "cases", []):
            yield from bindings_of(case.body)


def binds_main(node):
    """`no`, `function` for a plain def, or `maybe` where only running the script can tell."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        if node.name != "main":
            return "no"
        return "maybe" if node.decorator_list else "function"
    if isinstance(node, ast.ClassDef):
        return "maybe" if node.name == "main" else "no"
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        names = [(alias.asname or alias.name.split(".")[0]) for alias in node.names]
        return "maybe" if "main" in names or "*" in names else "no"
    return "no"


def yields(body):
    """Whether a function of this body is a generator function."""
    for node in body:
        if isinstance(node, (ast.Yield, ast.YieldFrom)):
            return True
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            if yields(ast.iter_child_nodes(node)):
                return True
    return False


def signature(node):
    arguments = node.args
    names = [arg.arg for arg in arguments.posonlyargs]
    every = names + [arg.arg for arg in arguments.args + arguments.kwonlyargs]
    problem = None
    if yields(node.body):
        problem = {"kind": "async_generator" if isinstance(node, ast.AsyncFunctionDef) else "generator"}
    elif set(PARAMETERS) <= set(every) and set(names) & set(PARAMETERS):
        problem = {"kind": "positional_only", "parameters": names}
    if problem is not None:
        return {"kind": "wrong_main", "line": node.lineno, "problem": problem}
    positional = arguments.posonlyargs + arguments.args
    defaults = len(positional) - len(arguments.defaults)
    required = [arg.arg for arg in positional[:defaults]]
    required += [arg.arg for arg, default in zip(arguments.kwonlyargs, arguments.kw_defaults) if default is None]
    by_keyword = [arg.arg for arg in arguments.args + arguments.kwonlyargs]
    positional_only = [arg.arg for arg in arguments.posonlyargs]
    missing = [] if arguments.kwarg else [name for name in PARAMETERS if name not in by_keyword]
    unexpected = [
        name for name in required if name in positional_only or name not in PARAMETERS and name != "logger"
    ]
    if not missing and not unexpected:
        return None
    try:
        text = f"({ast.unparse(arguments)})"
    except AttributeError:
        text = "(" + ", ".join(by_keyword) + ")"
    return {
        "kind": "wrong_signature",
        "line": node.lineno,
        "signature": text[:300],
        "missing": missing,
        "unexpected": unexpected,
    }


def may_bind_main(tree):
    """Whether `main` is bound in some way that only running the script can tell the outcome of."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == "main" and not isinstance(node.ctx, ast.Load):
            return True
        if isinstance(node, ast.Attribute) and node.attr == "main" and not isinstance(node.ctx, ast.Load):
            return True
        if isinstance(node, ast.Global) and "main" in node.names:
            return True
        if isinstance(node, ast.FunctionDef) and node.name == "__getattr__":
            return True
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) in ("globals", "locals", "vars", "exec", "setattr"):
            return True
    return False


# Calls that change nothing which a later import could see.
HARMLESS_CALLS = set(
    """abspath absolute basename cpu_count dirname exists expanduser getLogger getenv getpid is_dir is_file joinpath
    namedtuple realpath resolve setLevel NewType ParamSpec Path PurePath TypeVar""".split()
)
# The same, where it is a plain name that is called.
HARMLESS_NAMES = set("bool dict float frozenset int len list max min range set sorted str tuple".split())


def is_warning_filter(call):
    """Filters that hide warnings change nothing; one that makes errors of them would."""
    name = getattr(call.func, "id", None) or getattr(call.func, "attr", None)
    first = call.args[0] if call.args else None
    return name in ("filterwarnings", "simplefilter") and getattr(first, "value", None) in ("ignore", "default")


def is_harmless(node):
    """Whether an expression or a statement without a body of its own changes nothing that an import could see."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call):
            plain = getattr(inner.func, "id", None)
            name = plain or getattr(inner.func, "attr", None)
            is_known = name in HARMLESS_CALLS or plain in HARMLESS_NAMES
            if not is_known and not is_path_append(inner) and not is_warning_filter(inner):
                return False
        elif isinstance(inner, (ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)):
            return False
    return True


def is_path_append(call):
    """What is put at the end of `sys.path` takes the place of nothing that is found without it."""
    return isinstance(call.func, ast.Attribute) and ast.dump(call.func) == ast.dump(
        ast.parse("sys.path.append", mode="eval").body
    )


def is_standard(top):
    known = getattr(sys, "stdlib_module_names", None)
    if known is not None:
        return top in known
    folder = os.path.dirname(os.__file__)
    files = os.listdir(folder) + os.listdir(os.path.join(folder, "lib-dynload"))
    return top in sys.builtin_module_names or top in {file.split(".")[0] for file in files}


class Imports:
    """The imports of well-known libraries that a script begins with, as statements in its order.

    Modules of the standard library are passed over. The first import of something else ends it, and so does a statement that
    a later import could see the effect of.
    """

    def __init__(self, folders, libraries):
        self.folders = folders
        self.libraries = libraries
        self.statements = []

    def add(self, statement):
        if statement not in self.statements:
            self.statements.append(statement)

    def is_own(self, top):
        """Whether the script's folder has a module of this name, which goes before all others."""
        stems = [os.path.join(folder, *name) for folder in self.folders for name in ((top,), (top, "__init__"))]
        return any(os.path.isfile(stem + suffix) for stem in stems for suffix in all_suffixes())

    def kind_of(self, module):
        """`library`, `standard`, or `other` for what is imported by the script itself, with all that comes after it."""
        top = module.split(".")[0]
        if self.is_own(top):
            return "other"
        if top in self.libraries:
            return "library"
        return "standard" if is_standard(top) and top not in WITH_EFFECT else "other"

    def take_module(self, module):
        """Takes in `import a.b.c`. False where it ends the imports."""
        kind = self.kind_of(module)
        if kind == "library":
            parts = module.split(".")
            for count in range(1, len(parts) + 1):
                self.add("import " + ".".join(parts[:count]))
        return kind != "other"

    def take_from(self, node):
        if node.level or not self.take_module(node.module):
            return False
        if self.kind_of(node.module) == "library":
            for alias in node.names:
                self.add("from {} import {}".format(node.module, alias.name))
        return True

    def take_body(self, body):
        """False where a statement was found after which nothing can be told."""
        for node in body:
            if isinstance(node, ast.Import):
                if not all(self.take_module(alias.name) for alias in node.names):
                    return False
            elif isinstance(node, ast.ImportFrom):
                if not self.take_from(node):
                    return False
            elif not self.can_go_on_after(node):
                return False
        return True

    def can_go_on_after(self, node):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            defaults = [default for default in node.args.defaults + node.args.kw_defaults if default is not None]
            return all(is_harmless(default) for default in defaults)
        if isinstance(node, ast.ClassDef):
            return self.all_harmless(node.body)
        if isinstance(node, ast.Pass):
            return True
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = (ast.Name, ast.Tuple, ast.List, ast.Load, ast.Store, ast.Starred)
            if not all(isinstance(inner, names) for target in targets for inner in ast.walk(target)):
                return False
            return node.value is None or is_harmless(node.value)
        if isinstance(node, ast.Expr):
            return is_harmless(node.value)
        if isinstance(node, ast.If):
            if not is_harmless(node.test):
                return False
            name = getattr(node.test, "id", None) or getattr(node.test, "attr", None)
            is_main = isinstance(node.test, ast.Compare) and "__main__" in ast.dump(node.test)
            is_never = name == "TYPE_CHECKING" or (is_main and isinstance(node.test.ops[0], ast.Eq))
            return self.all_harmless(node.orelse if is_never else node.body + node.orelse)
        if isinstance(node, ast.Try):
            handlers = [inner for handler in node.handlers for inner in handler.body]
            return self.all_harmless(node.body + handlers + node.orelse + node.finalbody)
        return False

    def all_harmless(self, body):
        """What is imported under a condition cannot be told, and ends the imports unless it is in the way of nothing."""
        for node in body:
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                modules = [node.module]
            elif self.can_go_on_after(node):
                continue
            else:
                return False
            if any(self.kind_of(module) == "other" for module in modules):
                return False
        return True


def imports_of(path, tree, libraries):
    # A link is imported from where it leads to.
    folder = os.path.dirname(os.path.realpath(path))
    packages = []
    above = folder
    while os.path.isfile(os.path.join(above, "__init__.py")) and os.path.dirname(above) != above:
        packages.insert(0, os.path.join(above, "__init__.py"))
        above = os.path.dirname(above)
    imports = Imports([folder] if above == folder else [folder, above], libraries)
    try:
        # The packages that the script is in are imported before it.
        for package in packages:
            with open(package, "rb") as source:
                if not imports.take_body(ast.parse(source.read(), package).body):
                    return imports.statements
        imports.take_body(tree.body)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        # Importing it will say what is wrong with it.
        pass
    return imports.statements


# A script that imports more files of its own is watched as far as these.
MOST_MODULES = 200


def own_modules(path, tree):
    """The files beside a script that its imports lead to, and those of them that would make its folder a package.

    What is imported by a name that is made while it runs does not show.
    """
    folder = os.path.dirname(os.path.realpath(path))
    above = folder
    while os.path.isfile(os.path.join(above, "__init__.py")) and os.path.dirname(above) != above:
        above = os.path.dirname(above)
    # Where it comes, all scripts of the folder are others.
    found = {os.path.join(folder, "__init__.py"): None}
    waiting = [(os.path.join(folder, os.path.basename(path)), tree)]
    while waiting and len(found) < MOST_MODULES:
        importer, tree = waiting.pop()
        for folders, name in names_imported(importer, tree, [folder, above]):
            for file in files_of_module(folders, name):
                if file not in found and len(found) < MOST_MODULES:
                    found[file] = None
                    inner = tree_of(file)
                    if inner is not None:
                        waiting.append((file, inner))
    return list(found)


def names_imported(importer, tree, folders):
    """The names of the modules that a file may import, each with the folders where it is looked for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield folders, alias.name
        elif isinstance(node, ast.ImportFrom):
            places = folders
            if node.level:
                place = importer
                for _ in range(node.level):
                    place = os.path.dirname(place)
                places = [place]
            if node.module:
                yield places, node.module
            for alias in node.names:
                yield places, f"{node.module}.{alias.name}" if node.module else alias.name


def files_of_module(folders, name):
    """The files of a module and of the packages that it is in, where they lie in one of the folders."""
    for folder in folders:
        files = []
        for part in name.split("."):
            stem = os.path.join(folder, part)
            packages = [os.path.join(stem, "__init__.py"), stem + ".py"]
            files += [file for file in packages if os.path.isfile(file)][:1]
            if not os.path.isdir(stem):
                break
            folder = stem
        if files:
            return files
    return []


TREES = {}


def tree_of(file):
    """The parsed file, which several scripts may import. None where it cannot be parsed: importing it will tell."""
    if file not in TREES:
        try:
            with open(file, "rb") as source:
                TREES[file] = ast.parse(source.read(), file)
        except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
            TREES[file] = None
    return TREES[file]


def inspect(path, libraries):
    """A finding, the script's imports of libraries, and the files of its own that it imports."""
    try:
        with open(path, "rb") as file:
            source = file.read()
    except OSError as error:
        return {"kind": "unreadable", "message": error.strerror or str(error)}, [], []
    try:
        tree = ast.parse(source, path)
        return finding(tree), imports_of(path, tree, libraries), own_modules(path, tree)
    except SyntaxError as error:
        return {"kind": "syntax_error", "line": error.lineno, "message": str(error.msg)}, [], []
    except ValueError as error:
        return {"kind": "syntax_error", "line": None, "message": str(error)}, [], []
    except (RecursionError, MemoryError):
        return {"kind": "unknown"}, [], []


def finding(tree):
    found = [(binds_main(node), node) for node in bindings_of(tree.body)]
    found = [(kind, node) for kind, node in found if kind != "no"]
    if not found:
        return {"kind": "unknown"} if may_bind_main(tree) else {"kind": "missing_main"}
    if len(found) > 1 or found[0][0] == "maybe" or may_bind_main(tree):
        return {"kind": "unknown"}
    return signature(found[0][1]) or {"kind": "fine"}


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        question = json.load(file)
    libraries = LIBRARIES.union(question["preload"])
    answers = [inspect(path, libraries) for path in question["paths"]]
    findings, imports, modules = ([answer[part] for answer in answers] for part in range(3))
    # What is not UTF-8 cannot be told.
    modules = [[file for file in files if file == file.encode(errors="replace").decode()] for files in modules]
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        found = {"findings": findings, "imports": imports, "modules": modules}
        json.dump({"executable": sys.executable or None, **found}, file)


main()
