"""Tells what shows of scripts without running them: python inspect_scripts.py PATHS_JSON > ANSWER_JSON

PATHS_JSON is a file that holds an array of paths. The answer has the interpreter's own path and an array of findings, one for each.
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


def inspect(path):
    try:
        with open(path, "rb") as file:
            source = file.read()
    except OSError as error:
        return {"kind": "unreadable", "message": error.strerror or str(error)}
    try:
        return finding(ast.parse(source, path))
    except SyntaxError as error:
        return {"kind": "syntax_error", "line": error.lineno, "message": str(error.msg)}
    except ValueError as error:
        return {"kind": "syntax_error", "line": None, "message": str(error)}
    except (RecursionError, MemoryError):
        return {"kind": "unknown"}


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
        paths = json.load(file)
    # ASCII, whatever the encoding of standard output.
    print(json.dumps({"executable": sys.executable or None, "findings": [inspect(path) for path in paths]}))


main()
