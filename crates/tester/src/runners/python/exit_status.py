"""What a script makes of the value that its `main` has returned, where the file is run as a program.

The statements of the file are followed with that value in place of every call of `main`. Nothing else is called but some
built-in functions and the script's own, whose statements are followed likewise. Where the end cannot be known, there is none.
"""

import ast
import builtins
import os
import sys
from types import ModuleType

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
CALLED = frozenset("abs bool float int len max min repr round str sum".split())
# What makes the result of a coroutine.
RUNNERS = ("run", "run_until_complete")
DEPTH = 4
PLAIN = (
    ast.Expression, ast.Constant, ast.Name, ast.expr_context, ast.NamedExpr, ast.Attribute, ast.Subscript, ast.Slice,
    ast.UnaryOp, ast.unaryop, ast.BinOp, ast.operator, ast.BoolOp, ast.boolop, ast.Compare, ast.cmpop, ast.IfExp,
    ast.Tuple, ast.List, ast.Dict, ast.JoinedStr, ast.FormattedValue, ast.Call, getattr(ast, "Index", ast.Slice),
)  # fmt: skip


class Unknown(Exception):
    """What an expression comes to cannot be known without calling what must not be called."""


class Exited(Exception):
    """The program ends, with the code that `sys.exit` would be given."""


class Returned(Exception):
    """A function returns a value, which may be that of `main` or made of it."""


def end_of(source, module, returned):
    """The code that the script exits with, and a sentence on it. None where it does not, or where that cannot be known."""
    tree = ast.parse(source)
    following = Following(tree, module, returned)
    try:
        following.take_all(tree.body)
    except Exited as end:
        kind, shown = type(returned), str(returned)[:200]
        if kind not in (bool, int, str, type(None)):
            shown += f" ({kind.__qualname__})"
        return end.args[0], f"main() returned {shown}, of which the script makes its exit status"
    except (Returned, Unknown):
        pass
    return None


class Following(ast.NodeTransformer):
    def __init__(self, tree, module, returned):
        self.main, self.returned = module.main, returned
        self.names = {**vars(module), "__name__": "__main__"}
        self.functions = {node.name: node for node in tree.body if isinstance(node, FUNCTIONS)}
        # The names of values that are that of `main` or made of it.
        self.derived = set()
        self.values = 0
        self.has_returned = False
        # How many conditions, loops and earlier ends there are that what comes next depends on, and nobody knows.
        self.doubts = 0
        self.may_have_ended = self.may_have_exited = False
        self.tries = 0
        self.depth = 0

    def resolve(self, node):
        """What a name stands for, where it can be had without calling anything."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id, getattr(builtins, node.id, None))
        if isinstance(node, ast.Attribute):
            of = self.resolve(node.value)
            return vars(of).get(node.attr) if isinstance(of, ModuleType) else None
        return None

    # Expressions

    def value_of(self, node):
        """What an expression comes to, and whether that is made of what `main` has returned."""
        if node is None:
            return None, False
        expression = ast.fix_missing_locations(ast.Expression(self.visit(node)))
        inner = list(ast.walk(expression))
        bound = {node.target.id for node in inner if isinstance(node, ast.NamedExpr)}
        called = {id(node.func) for node in inner if isinstance(node, ast.Call)}
        names = {node.id for node in inner if isinstance(node, ast.Name) and id(node) not in called} - bound
        is_known = all(isinstance(node, PLAIN) for node in inner) and all(name in self.names for name in names)
        calls = [node for node in inner if isinstance(node, ast.Call)]
        if not is_known or not all(self.is_harmless(call) for call in calls):
            self.forget(bound)
            raise Unknown
        is_derived = not self.derived.isdisjoint(names)
        if is_derived:
            self.derived |= bound
        allowed = {"__builtins__": {name: getattr(builtins, name) for name in CALLED}}
        try:
            return eval(compile(expression, "<end>", "eval"), allowed, self.names), is_derived
        except Exception as error:
            self.forget(bound)
            if is_derived and not self.doubts and not self.tries:
                raise Exited(f"{type(error).__name__}: {error}", True)
            raise Unknown

    def is_harmless(self, call):
        name = getattr(call.func, "id", None)
        return name in CALLED and name not in self.names and not call.keywords

    def visit_Call(self, node):
        self.generic_visit(node)
        function = self.resolve(node.func)
        if function is self.main:
            self.has_returned = True
            return self.named(self.returned)
        name = getattr(node.func, "attr", None) or getattr(node.func, "id", None)
        if name in RUNNERS:
            for argument in node.args:
                if getattr(argument, "id", None) in self.derived:
                    return argument
        own = self.functions.get(getattr(node.func, "id", None))
        if own is not None and not own.decorator_list and self.depth < DEPTH:
            return self.follow(own) or node
        return node

    def visit_Await(self, node):
        return self.visit(node.value)

    def visit_Lambda(self, node):
        return node

    def named(self, value):
        """A name for a value that is made of what `main` has returned."""
        self.values += 1
        name = f"<value {self.values}>"
        self.names[name] = value
        self.derived.add(name)
        return ast.Name(name, ast.Load())

    def follow(self, function):
        """Follows a function of the script. None where it returns nothing that is made of what `main` has returned."""
        names, derived, doubts = self.names, self.derived, self.doubts
        self.names, self.derived = dict(names), set(derived)
        arguments = function.args
        parameters = arguments.args + arguments.kwonlyargs + getattr(arguments, "posonlyargs", [])
        self.forget({argument.arg for argument in parameters})
        self.depth += 1
        try:
            self.take_all(function.body)
            end = None
        except Returned as returned:
            end = returned
        finally:
            self.depth -= 1
            self.names, self.derived = names, derived
        # That it may have returned before its end is over with it, that it may have exited is not.
        self.doubts, self.may_have_ended = doubts + self.may_have_exited, self.may_have_exited
        if end is None or not end.args[1]:
            return None
        return self.named(end.args[0])

    # Statements

    def take_all(self, body):
        for node in body:
            take = getattr(self, f"take_{type(node).__name__}", None)
            if take is not None:
                take(node)

    def take_in_doubt(self, *bodies):
        """Takes statements of which nobody knows whether they are run. What they end may have ended then."""
        for body in bodies:
            self.doubts += 1
            ended, self.may_have_ended = self.may_have_ended, False
            self.take_all(body)
            self.doubts -= 1
            if self.may_have_ended and self.has_returned:
                # Whatever comes next is in doubt.
                self.doubts += 1
            self.may_have_ended |= ended

    def end(self, kind, node):
        """Ends the program or a function by a value, if it is known that it comes to that."""
        try:
            value, is_derived = self.value_of(node)
        except Unknown:
            if not self.doubts and (self.has_returned or kind is Returned):
                raise
            self.doubt(kind is Exited)
            return
        if is_derived or (not self.doubts and (self.has_returned or kind is Returned)):
            raise kind(value, is_derived)
        self.doubt(kind is Exited)

    def doubt(self, is_exit):
        """It may be over here. What comes before `main` is not: that was called."""
        self.may_have_ended = True
        self.may_have_exited |= is_exit and self.has_returned

    def take_Expr(self, node):
        value = node.value
        if isinstance(value, ast.Call) and self.is_exit(value.func):
            self.end(Exited, value.args[0] if value.args else None)
            return
        try:
            self.value_of(value)
        except Unknown:
            pass

    def is_exit(self, node):
        function = self.resolve(node)
        exits = [sys.exit, os._exit, getattr(builtins, "exit", None), getattr(builtins, "quit", None)]
        return function is not None and any(function is known for known in exits)

    def take_Raise(self, node):
        error = node.exc
        is_call = isinstance(error, ast.Call)
        if self.resolve(error.func if is_call else error) is SystemExit:
            self.end(Exited, error.args[0] if is_call and error.args else None)
        elif self.doubts or self.tries:
            self.doubt(True)
        elif self.has_returned:
            shown = ast.unparse(error) if error is not None and hasattr(ast, "unparse") else "an exception"
            raise Exited(f"it raises {shown}", True)

    def take_Return(self, node):
        self.end(Returned, node.value)

    def take_Break(self, _node):
        self.may_have_ended = True

    take_Continue = take_Break

    def take_If(self, node):
        try:
            value, _ = self.value_of(node.test)
            is_true = bool(value)
        except Exception as error:
            if isinstance(error, Exited):
                raise
            self.take_in_doubt(node.body, node.orelse)
            return
        self.take_all(node.body if is_true else node.orelse)

    def take_Try(self, node):
        # Its handlers are for what `main` has not done: it has returned.
        self.tries += 1
        self.take_all(node.body)
        self.tries -= 1
        self.take_all(node.orelse)
        self.take_all(node.finalbody)

    take_TryStar = take_Try

    def take_With(self, node):
        for item in node.items:
            self.take_Expr(ast.Expr(item.context_expr))
            self.bind(item.optional_vars, None)
        self.take_all(node.body)

    take_AsyncWith = take_With

    def take_For(self, node):
        self.bind(node.target, None)
        self.take_in_doubt(node.body, node.orelse)

    take_AsyncFor = take_For

    def take_While(self, node):
        self.take_in_doubt(node.body, node.orelse)

    def take_Match(self, node):
        self.take_in_doubt(*(case.body for case in node.cases))

    def take_FunctionDef(self, node):
        if self.depth or node.name not in self.names:
            self.functions[node.name] = node

    take_AsyncFunctionDef = take_FunctionDef

    def take_Import(self, node):
        for alias in node.names:
            top = alias.name if alias.asname else alias.name.split(".")[0]
            if top in sys.modules:
                self.names[alias.asname or top] = sys.modules[top]

    def take_ImportFrom(self, node):
        of = sys.modules.get(node.module)
        for alias in node.names:
            if isinstance(of, ModuleType) and alias.name in vars(of):
                self.names[alias.asname or alias.name] = vars(of)[alias.name]

    def take_Assign(self, node):
        for target in node.targets:
            self.bind(target, node.value)

    def take_AnnAssign(self, node):
        if node.value is not None:
            self.bind(node.target, node.value)

    def take_AugAssign(self, node):
        if isinstance(node.target, ast.Name):
            self.bind(node.target, ast.BinOp(ast.Name(node.target.id, ast.Load()), node.op, node.value))

    def bind(self, target, node):
        """Has names stand for what an expression comes to, or for something unknown."""
        value, is_derived, is_known = None, False, node is not None
        if is_known:
            try:
                value, is_derived = self.value_of(node)
            except Unknown:
                is_known = False
        if is_known and isinstance(target, ast.Tuple) and isinstance(value, (tuple, list)):
            targets, values = target.elts, list(value)
            is_known = len(targets) == len(values)
        else:
            targets, values = [target], [value]
        for at, part in enumerate(targets):
            names = {node.id for node in ast.walk(part) if isinstance(node, ast.Name)} if part is not None else set()
            if is_known and isinstance(part, ast.Name) and (is_derived or not self.doubts):
                self.names[part.id] = values[at]
                (self.derived.add if is_derived else self.derived.discard)(part.id)
            elif isinstance(part, (ast.Name, ast.Tuple, ast.List, ast.Starred)):
                self.forget(names)

    def forget(self, names):
        for name in names:
            self.names.pop(name, None)
            self.derived.discard(name)
