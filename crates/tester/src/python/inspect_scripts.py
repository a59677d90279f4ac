"""Tells what shows of scripts without running them: python inspect_scripts.py < PATHS_JSON > ANSWER_JSON

PATHS_JSON is an array of paths. The answer has the interpreter's own path and an array of findings, one for each.
"""

import ast
import json
import sys

PARAMETERS = ("input_paths", "output_paths", "environ_vars", "job_args")


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


def names_of(target):
    if isinstance(target, ast.Name):
        yield target.id
    for part in getattr(target, "elts", []):
        yield from names_of(part)


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
    if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return "maybe" if any("main" in names_of(target) for target in targets) else "no"
    if isinstance(node, (ast.For, ast.With, ast.Delete)):
        return "maybe" if isinstance(node, ast.Delete) else "no"
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        # exec, setattr and the like.
        called = node.value.func
        return "maybe" if getattr(called, "id", None) in ("exec", "setattr") or is_globals(called) else "no"
    return "no"


def is_globals(called):
    inner = getattr(called, "value", None)
    return isinstance(inner, ast.Call) and getattr(inner.func, "id", None) in ("globals", "vars")


def signature(node):
    arguments = node.args
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


def inspect(path):
    try:
        with open(path, "rb") as file:
            source = file.read()
    except OSError as error:
        return {"kind": "unreadable", "message": error.strerror or str(error)}
    try:
        tree = ast.parse(source, path)
    except SyntaxError as error:
        return {"kind": "syntax_error", "line": error.lineno, "message": str(error.msg)}
    except ValueError as error:
        return {"kind": "syntax_error", "line": None, "message": str(error)}
    except (RecursionError, MemoryError):
        return {"kind": "unknown"}
    found = [(binds_main(node), node) for node in bindings_of(tree.body)]
    found = [(kind, node) for kind, node in found if kind != "no"]
    if not found:
        # A module-level `__getattr__` or a dynamic namespace shows as nothing else.
        dynamic = any(isinstance(node, ast.FunctionDef) and node.name == "__getattr__" for node in tree.body)
        subscripts = any(isinstance(node, ast.Call) and is_plain(node, ("globals", "vars")) for node in ast.walk(tree))
        return {"kind": "unknown"} if dynamic or subscripts else {"kind": "missing_main"}
    if any(kind == "maybe" for kind, _ in found):
        return {"kind": "unknown"}
    return signature(found[-1][1]) if len(found) == 1 and signature(found[-1][1]) else {"kind": "fine"}


def is_plain(node, names):
    return getattr(node.func, "id", None) in names


def main():
    paths = json.load(sys.stdin)
    # ASCII, whatever the encoding of the pipe.
    print(json.dumps({"executable": sys.executable or None, "findings": [inspect(path) for path in paths]}))


main()
