"""Tells what a script asks of its spec by reading its code. None of the code is run.

The code is followed as an interpreter would follow it, with values that are known only in part. Constants, lists,
tuples and dicts stand for themselves, what cannot be known is UNKNOWN, and where a condition is not known both branches
are followed. A name counts only where it is a known text that a source is asked for, so that none is ever guessed.
"""

import ast
import itertools
import json
import operator
import re

# Bounds of what is followed. Where something lies beyond them, the answer is not complete.
# The steps that are taken by the end of each phase, the calls in each other, and about as many frames of Python's own.
STEPS = {"module": 8_000, "main": 16_000, "block": 20_000}
DEPTH = 8
NESTING = 600
# What is in a list, the values that a value may have, and the names of a kind.
LIMIT = 256
TEXT_LIMIT = 4_096
# Rounds of a loop that are followed one by one where nothing is asked for in them.
ROUNDS = 16

# Variables that every process has, whatever the script.
MACHINE = frozenset("PATH HOME USER TMPDIR PWD SHELL LANG".split())
CONSTANTS = (str, int, float, bool, type(None))
# What built-in functions raise where they are called with the wrong constants.
ERRORS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError)
OPERATORS = {
    "Add": operator.add, "Sub": operator.sub, "Mult": operator.mul, "Div": operator.truediv, "Mod": operator.mod,
    "FloorDiv": operator.floordiv, "Pow": operator.pow, "LShift": operator.lshift, "UAdd": operator.pos,
    "USub": operator.neg, "Eq": operator.eq, "NotEq": operator.ne, "Lt": operator.lt, "LtE": operator.le,
    "Gt": operator.gt, "GtE": operator.ge,
}  # fmt: skip
PURE = {
    "chr": chr, "float": float, "int": int, "len": len, "loads": json.loads, "max": max, "min": min, "ord": ord,
    "round": round, "sum": sum,
}  # fmt: skip
TEXT_METHODS = frozenset(
    """capitalize casefold count endswith find index isalpha isdigit isidentifier islower isupper lower lstrip partition
    removeprefix removesuffix replace rfind rpartition rsplit rstrip split splitlines startswith strip swapcase title
    upper zfill""".split()
)
MAPPING_METHODS = frozenset("__contains__ __getitem__ copy get items keys pop setdefault update values".split())
TYPES = {"str": str, "int": int, "float": float, "bool": bool, "list": list, "tuple": tuple, "dict": dict}
# Modules whose functions are known by their last names alone, as those without a module are.
MODULES = frozenset(
    """argparse asyncio builtins collections contextlib copy dataclasses dict enum functools itertools json operator os
    sys types typing""".split()
)
# Functions that hand on what they are given, or what it comes to.
SAME = frozenset(
    "MappingProxyType copy create_task deepcopy ensure_future iter nullcontext run run_until_complete shield".split()
)
# Functions that call one of their arguments with those that come after it, by the place of that argument.
CALLERS = {"submit": 0, "to_thread": 0, "run_in_executor": 1, "call_soon": 0, "callback": 0, "pipe": 0}
# Functions that neither look for a name in what they are given nor call it.
HARMLESS = frozenset(
    """bool cache cached_property callable critical debug error exception format id info isinstance len log lru_cache
    pprint print repr str type warn warning wraps""".split()
)
EXITS = frozenset(["sys.exit", "exit", "quit", "os._exit", "os.abort"])
# How statements can end where they do not go on, the least certain first.
SIGNALS = ("continue", "break", "return", "raise")
# Formats that may make a long text of short ones, and what is no text that can be written.
WIDE = re.compile(r"%(?:\(\w*\))?[-#0 +.\d]{0,9}(?:\d{4}|\*)|\{[^{}]*(?:\d{4}|\{)")
SURROGATES = re.compile("[\ud800-\udfff]")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Thing:
    """A value that is none of Python's own.

    Source    what a script is given by names, which are noted in its `record`
    Key       any name of a source; in a dict it stands for all that was taken over from the source
    Asked     what a source has under one of `names`
    Test      a condition; the names in `holds` are there where it holds, and those in `fails` where it does not
    Choice    one of several values
    Library   a module or what is in it, by its dotted name; what is built in has a plain name
    Method    what any other value has under a name
    Partial   a function with some of its arguments
    Function, Class, Instance   those of the script; a member of an enumeration of texts has its `text`
    """

    is_member, after, real = False, None, None

    def __init__(self, **fields):
        self.__dict__.update(fields)


Source, Key, Asked, Test, Choice, Library, Method, Partial, Function, Class, Instance = (
    type(name, (Thing,), {})
    for name in "Source Key Asked Test Choice Library Method Partial Function Class Instance".split()
)


class Row(list):
    """A list, or what stands for a set. Where it is not `exact`, there may be more or less in it.

    The names in `fails` are there where it is empty.
    """

    def __init__(self, items=(), exact=True, fails=frozenset()):
        super().__init__(items)
        self.exact, self.fails = exact, fails


class Scope(dict):
    """The variables of a function, and where those are that it declares as another's."""

    def __init__(self, parent, kind="function"):
        super().__init__()
        self.parent, self.kind, self.elsewhere = parent, kind, {}


class Exhausted(Exception):
    """There are no steps left."""


class Raises(Exception):
    """The script surely raises an exception or exits here."""


# EARLIER is what a loop has assigned in an earlier round.
UNKNOWN, EARLIER, MISSING, AUTO, SUPPRESS = (Thing() for _ in range(5))
INPUTS, OUTPUTS, ENVIRON, JOB_ARGS, OS_ENVIRON, JOB_VARS = SOURCES = [
    Source(record=record) for record in "inputs outputs environ_vars job_args environ_vars job_args".split()
]
for one in SOURCES:
    one.key = Key(source=one)
PARAMETERS = {"input_paths": INPUTS, "output_paths": OUTPUTS, "environ_vars": ENVIRON, "job_args": JOB_ARGS}
NONE = frozenset()


def asks(tree):
    """What a script asks of its spec, as far as its code shows."""
    reading = Reading(tree)
    reading.follow("module", reading.take_module)
    reading.follow("main", reading.take_main)
    noted, is_complete = reading.noted, reading.is_complete
    # The block under `__main__` shows defaults, and nothing else.
    reading.is_recording = False
    reading.follow("block", reading.take_main_block)
    parsed = {option["dest"]: option["default"] for option in reading.options}
    for kind, defaults in (("environ_vars", reading.passed), ("job_args", parsed)):
        noted[kind] = {name: defaults.get(name) if value is None else value for name, value in noted[kind].items()}
    return {
        "inputs": [name for name, is_required in noted["inputs"].items() if is_required],
        "optional_inputs": [name for name, is_required in noted["inputs"].items() if not is_required],
        "outputs": list(noted["outputs"]),
        "environ_vars": noted["environ_vars"],
        "job_args": noted["job_args"],
        "is_complete": is_complete,
    }


def options(tree):
    """The options that a script declares for its command line with `argparse`, in the order of its lines."""
    reading = Reading(tree)
    reading.is_recording = False
    reading.follow("module", reading.take_module)
    reading.follow("main", lambda: reading.take_main_block(is_main_followed=True))
    reading.follow("block", reading.take_declaring_functions)
    found = {}
    for option in sorted(reading.options, key=lambda option: option["line"]):
        if "type" in option:
            found.setdefault(option["dest"], {key: option[key] for key in option if key != "line"})
    return list(found.values())


def options_of(value):
    return value.options if isinstance(value, Choice) else [value]


def there(value):
    """What is looked into: where None is one of several values, it is another one."""
    options = [option for option in options_of(value) if option is not None]
    return options[0] if len(options) == 1 else Choice(options=options) if options else None


def plain(value):
    """A member of an enumeration of texts is as good as its text."""
    return getattr(value, "text", value) if isinstance(value, Instance) else value


def is_flat(value):
    """Whether a value is a constant or a row of constants, and not large."""
    if isinstance(value, (list, tuple)):
        return len(value) <= LIMIT and all(not isinstance(part, (list, tuple)) and is_flat(part) for part in value)
    if isinstance(value, str):
        return len(value) <= TEXT_LIMIT
    return isinstance(value, CONSTANTS) and (not isinstance(value, int) or value.bit_length() <= 64)


def is_wide(text):
    return len(text) > TEXT_LIMIT or WIDE.search(text.replace("{{", "")) is not None


def copied(value, depth=3):
    """A list or a dict as it is now."""
    if isinstance(value, Row) and depth:
        return Row([copied(part, depth - 1) for part in value], value.exact, value.fails)
    return {key: copied(value[key], depth - 1) for key in value} if isinstance(value, dict) and depth else value


def key_of(value):
    """A value as the key of a dict. UNKNOWN where it is not known or cannot be one."""
    value = plain(value)
    kinds = CONSTANTS + (Key, Class, Function, Instance)
    return value if isinstance(value, kinds) or isinstance(value, tuple) and is_flat(value) else UNKNOWN


def guards(test):
    """The names that are there where a condition holds, and those that are there where it does not."""
    if isinstance(test, Asked):
        return frozenset((test.source, name) for name in test.names), NONE
    if isinstance(test, Row):
        return NONE, test.fails
    if isinstance(test, Choice):
        holds = [guards(one)[0] for one in test.options if one is not False and one is not None]
        fails = [guards(one)[1] for one in test.options if one is not True]
        return tuple(frozenset.intersection(*sides) if sides else NONE for sides in (holds, fails))
    return (test.holds, test.fails) if isinstance(test, Test) else (NONE, NONE)


def negated(test):
    """The opposite of a condition, as far as it is known."""
    if isinstance(test, Test):
        return Test(holds=test.fails, fails=test.holds)
    return not test if isinstance(test, bool) else UNKNOWN


def from_module(name):
    return OS_ENVIRON if name == "os.environ" else Library(name=name)


def last_of(value):
    """The last part of the name of what comes from a module, or empty text."""
    return value.name.rsplit(".", 1)[-1] if isinstance(value, Library) else ""


def find(cls, name, after=None):
    """What a class has under a name, or one that it is derived from, or only one that comes `after` another."""
    found, waiting = [], [cls]
    while waiting and len(found) < 32:
        one = waiting.pop(0)
        if isinstance(one, Class) and one not in found:
            if after is None and name in one.namespace:
                return one.namespace[name]
            after = None if after is one else after
            found.append(one)
            waiting[:0] = one.bases
    return MISSING


def mentions(node, name):
    return any(isinstance(inner, ast.Name) and inner.id == name for inner in ast.walk(node))


class Reading:
    """What is known while a script is followed."""

    def __init__(self, tree):
        self.tree = tree
        self.module = Scope(None)
        self.module["__name__"] = "script"
        # Functions and classes of the module are there as soon as they are needed, however long the way to them is.
        self.waiting = {node.name: node for node in tree.body if isinstance(node, FUNCTIONS + (ast.ClassDef,))}
        self.noted = {"inputs": {}, "outputs": {}, "environ_vars": {}, "job_args": {}}
        self.is_complete = self.is_recording = True
        self.options, self.passed, self.assigned = [], {}, Scope(None)
        self.ran, self.widened = set(), {}
        # How often something was noted, what the variables of the module went through, and what functions return.
        self.asked, self.changes, self.results = 0, 0, {}
        self.steps, self.limit, self.line = 0, 0, 0

    def follow(self, phase, take):
        self.limit = STEPS[phase]
        self.scope, self.frame, self.depth, self.active = self.module, None, 0, {}
        # The names that conditions have found, what branches change, and the names asked for where KeyError is caught.
        self.present, self.journals, self.pending, self.nesting = NONE, [], [], 0
        try:
            take()
        except (Exhausted, RecursionError):
            self.is_complete = False
        except Raises:
            pass

    def charge(self, steps=1):
        self.steps += steps
        if self.steps > self.limit:
            raise Exhausted

    def take_module(self):
        for node in self.tree.body:
            if isinstance(node, FUNCTIONS) and not node.decorator_list:
                defaults = node.args.defaults + node.args.kw_defaults
                if all(isinstance(one, (ast.Constant, type(None))) for one in defaults):
                    continue
            self.body([node])

    def take_main(self):
        main = self.named("main")
        if isinstance(main, Library):
            # It is not there, or comes from elsewhere.
            self.is_complete = self.is_complete and "main" not in self.module
        else:
            self.call(main, [], self.parameters_of(main))

    def parameters_of(self, main):
        """The parameters of `main` are known by their names, or else by their places."""
        if not isinstance(main, Function):
            return dict(PARAMETERS)
        arguments = main.node.args
        names = [one.arg for one in arguments.posonlyargs + arguments.args + arguments.kwonlyargs]
        found = {name: PARAMETERS[name] for name in names if name in PARAMETERS}
        for name, source in zip(names, PARAMETERS.values()):
            if name not in found and source not in found.values():
                found[name] = source
        if arguments.kwarg:
            found.update((name, source) for name, source in PARAMETERS.items() if source not in found.values())
        return found

    def take_main_block(self, is_main_followed=False):
        self.main = self.named("main")
        self.module["__name__"] = "__main__"
        if not is_main_followed:
            self.module["main"] = Library(name="main of the script")
        for node in self.tree.body:
            if isinstance(node, ast.If) and mentions(node.test, "__name__"):
                self.body([node])

    def take_declaring_functions(self):
        """Follows each function that declares options and was not followed yet."""
        waiting = [(node, None) for node in reversed(self.tree.body)]
        while waiting:
            node, function = waiting.pop()
            called = getattr(getattr(node, "value", None), "func", None)
            if getattr(called, "attr", "") == "add_argument" and function is not None and id(function) not in self.ran:
                self.called_back(self.function(function))
            function = node if isinstance(node, FUNCTIONS) else function
            self.charge()
            for inner in ("body", "handlers", "orelse", "finalbody", "cases"):
                waiting.extend((child, function) for child in reversed(getattr(node, inner, [])))

    # What is noted.

    def ask(self, source, key, is_optional=False, default=MISSING):
        """Notes that a source is asked for a name, and returns what it has there."""
        self.asked += 1
        names, keys = [], [plain(option) for option in options_of(key)]
        if any(isinstance(one, Asked) for one in keys):
            # What is taken in place of a name that is data is data too.
            keys = [UNKNOWN]
        for one in keys:
            if isinstance(one, str) and one and one.isprintable():
                names.append(one)
                self.note(source, one, is_optional, default)
            elif one is not None:
                self.is_complete = False
        return Asked(source=source, names=names, default=default if len(names) == 1 else MISSING)

    def note(self, source, name, is_optional, default):
        self.asked += 1
        noted = self.noted[source.record]
        if not self.is_recording or source is OS_ENVIRON and name in MACHINE:
            return
        if self.assigned.get((source, name)) is True:
            return
        if len(noted) >= LIMIT and name not in noted:
            self.is_complete = False
        elif source is INPUTS:
            is_optional = is_optional or (source, name) in self.present
            catching = [names for names, depth in self.pending if depth in (None, self.depth)]
            if catching and not is_optional:
                catching[-1].append((source, name))
                is_optional = True
            noted[name] = noted.get(name, False) or not is_optional
        elif noted.get(name) is None:
            default = self.as_json(default)
            is_text = source.record == "environ_vars" and isinstance(default, CONSTANTS[:-1])
            noted[name] = str(default) if is_text else default if source.record == "job_args" else None

    def note_default(self, asked, default):
        for name in asked.names:
            self.note(asked.source, name, True, default)

    def require(self, names):
        """Where one of these names is missing, the script does not go on."""
        for source, name in names:
            if source is INPUTS and self.is_recording:
                self.noted["inputs"][name] = True

    def test(self, source, key):
        return Test(holds=guards(self.ask(source, key, True))[0], fails=NONE)

    def as_json(self, value):
        """A default as JSON. None where it is not known."""
        self.charge()
        value = plain(value)
        if isinstance(value, (list, tuple)):
            return [self.as_json(part) for part in value]
        if isinstance(value, dict):
            is_known = all(isinstance(key, str) for key in value)
            return {key: self.as_json(part) for key, part in value.items()} if is_known else None
        if isinstance(value, Asked):
            return self.as_json(value.default)
        is_odd = isinstance(value, float) and value - value != 0 or isinstance(value, str) and SURROGATES.search(value)
        return value if isinstance(value, CONSTANTS) and is_flat(value) and not is_odd else None

    def note_option(self, args, kwargs):
        """Notes a call of `add_argument`."""
        self.asked += 1
        flags, action = [plain(flag) for flag in args], kwargs.get("action")
        if not flags or not all(isinstance(flag, str) for flag in flags) or action in ("help", "version"):
            return
        flag = next((flag for flag in flags if flag.startswith("--")), flags[0])
        is_positional = not flag.startswith("-")
        dest = kwargs.get("dest", flag if is_positional else flag.lstrip("-").replace("-", "_"))
        default = self.as_json(kwargs.get("default"))
        kind = last_of(kwargs.get("type"))
        if action in ("store_true", "store_false") and "default" not in kwargs:
            default = action == "store_false"
        if kind in ("int", "float") and isinstance(default, str):
            # argparse reads a default that is text as it reads what is given.
            default = self.as_json(self.pure(PURE[kind], default))
        kinds = {"int": "int", "float": "float", "Path": "path", "PurePath": "path", "FileType": "path"}
        flag_actions = ("store_true", "store_false", "store_const", "count")
        is_flag = action in flag_actions or last_of(action) == "BooleanOptionalAction"
        kind = "flag" if is_flag else kinds.get(kind, "str")
        required = kwargs.get("nargs") not in ("?", "*") if is_positional else kwargs.get("required") is True
        option = {"flag": None if is_positional else flag, "dest": dest, "required": required}
        if isinstance(dest, str):
            self.options.append({**option, "default": default, "type": kind, "line": self.line})

    # Values.

    def pure(self, function, *args, **kwargs):
        """What a function of Python's own makes of constants."""
        args = [plain(arg) for arg in args]
        if not all(map(is_flat, args)) or not all(map(is_flat, kwargs.values())):
            return UNKNOWN
        try:
            result = function(*args, **kwargs)
        except ERRORS:
            return UNKNOWN
        if isinstance(result, (str, list)):
            self.charge(len(result) // 64)
        result = Row(result) if isinstance(result, list) else result
        return result if is_flat(result) or isinstance(result, (Row, dict)) and len(result) <= LIMIT else UNKNOWN

    def join(self, values):
        """One of several values."""
        found, seen = [], set()
        for option in itertools.chain.from_iterable(map(options_of, values)):
            mark = (type(option), option) if isinstance(option, CONSTANTS) else id(option)
            if mark not in seen:
                seen.add(mark)
                found.append(option)
        self.charge(len(found) // 8)
        if len(found) > LIMIT:
            found[LIMIT:] = [UNKNOWN]
        return found[0] if len(found) == 1 else Choice(options=found) if found else UNKNOWN

    def over(self, function, *values):
        """What a function makes of each value of a choice. Two choices may hang together, and tell nothing."""
        choices = {id(value): value for value in values if isinstance(value, Choice)}
        if not choices:
            return function(*values)
        if len(choices) > 1:
            every = [option for choice in choices.values() for option in choice.options]
            self.is_complete = self.is_complete and not any(isinstance(option, Source) for option in every)
            return UNKNOWN
        (choice,) = choices.values()
        self.charge(len(choice.options))
        return self.join(
            [function(*[one if value is choice else value for value in values]) for one in choice.options]
        )

    def truth(self, value):
        """Whether a condition holds. None where it is not known."""
        value = plain(value)
        if isinstance(value, Choice):
            truths = {self.truth(option) for option in value.options}
            return truths.pop() if len(truths) == 1 else None
        if isinstance(value, (list, dict)):
            # What is empty may be filled by what is not followed.
            return True if value and getattr(value, "exact", True) else None
        if isinstance(value, CONSTANTS + (tuple,)):
            return bool(value)
        return True if isinstance(value, (Function, Class, Partial)) else None

    def items(self, value):
        """What a loop over a value comes to."""
        value = there(value)
        if isinstance(value, Choice):
            found = self.join([item for one in value.options for item in self.items(one)])
            return Row(options_of(found), False)
        if isinstance(value, (list, tuple, dict, str)):
            self.charge(min(len(value), LIMIT) // 8)
            items = list(itertools.islice(value, LIMIT)) + [UNKNOWN] * (len(value) > LIMIT)
            is_cut = len(value) > LIMIT or isinstance(value, dict) and UNKNOWN in value
            return Row(items, getattr(value, "exact", True) and not is_cut)
        if isinstance(value, Class) and value.members:
            return Row(value.members)
        if isinstance(value, Instance):
            result = self.special(value, "__iter__")
            return Row([UNKNOWN], False) if result is MISSING or result is value else self.items(result)
        if isinstance(value, Source):
            self.is_complete = False
            return Row([value.key], False)
        return Row([UNKNOWN], False)

    def put(self, table, key, value):
        """Sets an item of a dict, or of what is kept in one."""
        is_scope = isinstance(table, Scope)
        if not is_scope and len(table) >= LIMIT and key not in table:
            key = UNKNOWN
        if key is UNKNOWN and key in table:
            value = self.join([table[key], value])
        if self.journals:
            self.journals[-1].setdefault((id(table), key), (table, table.get(key, MISSING)))
        self.changes += table is self.module
        if value is MISSING or not is_scope:
            # What is put in last goes before what was taken over from a source.
            table.pop(key, None)
        if value is not MISSING:
            table[key] = value

    def merge(self, table, value):
        """Takes the items of a value over into a dict."""
        if isinstance(value, Source):
            self.put(table, value.key, UNKNOWN)
        elif isinstance(value, Choice):
            for option in value.options:
                self.merge(table, option)
        elif isinstance(value, (dict, list, tuple)):
            self.charge(len(value) // 8)
            if not getattr(value, "exact", True):
                self.put(table, UNKNOWN, UNKNOWN)
            for pair in list(value.items()) if isinstance(value, dict) else value:
                is_pair = isinstance(pair, (list, tuple)) and len(pair) == 2
                self.put(table, *((key_of(pair[0]), pair[1]) if is_pair else (UNKNOWN, UNKNOWN)))
        elif value is not None:
            self.put(table, UNKNOWN, UNKNOWN)
        return table

    def lookup(self, table, key, default=MISSING):
        """An item of a dict. A source that was taken over into it is asked for what was not put in after it."""
        if isinstance(key, Choice):
            return self.over(lambda one: self.lookup(table, one, default), key)
        key, sources = key_of(key), [source for source in SOURCES if source.key in table]
        if sources:
            keys = list(table)
            if key in table and keys.index(key) > max(keys.index(source.key) for source in sources):
                return table[key]
            if len({source.record for source in sources}) > 1:
                self.is_complete = False
                return UNKNOWN
            default = table.get(key, default)
            return [self.ask(source, key, default is not MISSING, default) for source in sources][-1]
        if key in table:
            return table[key]
        if key is UNKNOWN:
            return self.join(list(table.values()) + ([] if default is MISSING else [default]))
        return UNKNOWN if default is MISSING or UNKNOWN in table else default

    def item(self, owner, index):
        return self.over(lambda one: self.item_of(one, index), there(owner))

    def item_of(self, owner, index):
        if isinstance(owner, Source):
            return self.ask(owner, index)
        return self.lookup(owner, index) if isinstance(owner, dict) else self.over(self.at_place, owner, index)

    def at_place(self, owner, index):
        index = plain(index)
        if isinstance(owner, (list, tuple, str)):
            try:
                # In a list that is not exact, a place may have any of its values.
                return owner[index] if getattr(owner, "exact", True) else self.join(owner)
            except (IndexError, TypeError, ValueError):
                # A place that is not known is any of them.
                return UNKNOWN if isinstance(owner, str) or isinstance(index, CONSTANTS) else self.join(owner)
        if isinstance(owner, Class):
            return next((one for one in owner.members if one.attrs["name"] == index), UNKNOWN)
        result = self.special(owner, "__getitem__", index) if isinstance(owner, Instance) else MISSING
        return UNKNOWN if result is MISSING else result

    def attribute(self, owner, name, is_called=False):
        return self.over(lambda one: self.attribute_of(one, name, is_called), there(owner))

    def attribute_of(self, owner, name, is_called):
        if owner is JOB_ARGS:
            if is_called and name in MAPPING_METHODS:
                return Method(owner=JOB_VARS, name=name)
            if name.startswith("__"):
                return JOB_VARS if name == "__dict__" else UNKNOWN
            return self.ask(owner, name)
        if isinstance(owner, Library):
            return from_module(owner.name + "." + name)
        if isinstance(owner, (Function, Class)) and name == "__name__":
            return getattr(getattr(owner, "wrapped", owner).node, "name", UNKNOWN)
        if isinstance(owner, Class):
            found = find(owner, name)
            if found is MISSING and name == "__members__":
                return {one.attrs["name"]: one for one in owner.members}
            if found is MISSING and name in ("_fields", "__annotations__", "__dataclass_fields__"):
                return {field: UNKNOWN for field, _ in owner.fields}
            return self.bound(found, None, owner)
        if isinstance(owner, Instance):
            if name in owner.attrs or any(source.key in owner.attrs for source in SOURCES):
                return self.lookup(owner.attrs, name)
            if name in ("__class__", "__dict__"):
                return owner.cls if name == "__class__" else owner.attrs
            found = find(owner.cls, name, owner.after)
            if found is MISSING and not name.startswith("__"):
                found = self.special(owner, "__getattr__", name)
            if found is not MISSING:
                return self.bound(found, owner.real or owner, owner.cls)
        return Method(owner=owner, name=name)

    def bound(self, value, instance, cls):
        """What is found in a class, as it is for an instance or for the class itself."""
        if not isinstance(value, Function):
            return UNKNOWN if value is MISSING else value
        if value.kind == "property" and instance is not None:
            return self.call(value, [instance], {})
        first = {"staticmethod": None, "classmethod": cls}.get(value.kind, instance)
        return value if first is None or value.owner is None else Partial(function=value, args=[first], kwargs={})

    def special(self, instance, name, *args):
        """What a method of a special name returns. MISSING where there is none."""
        found = find(instance.cls, name)
        return MISSING if found is MISSING else self.call(self.bound(found, instance, instance.cls), list(args), {})

    # Expressions.

    def value(self, node):
        frames = 8 if hasattr(node, "generators") else 4
        return self.nested(EXPRESSIONS.get(type(node).__name__, Reading.take_parts), node, frames)

    def nested(self, take, node, frames):
        """Follows a node, as long as Python's own limit is not near. Before Python 3.10 it could end the process."""
        self.charge()
        if self.nesting > NESTING:
            self.is_complete = False
            return UNKNOWN
        self.nesting += frames
        try:
            return take(self, node)
        finally:
            self.nesting -= frames

    def take_parts(self, node):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.value(child)
        return UNKNOWN

    def named(self, name):
        scope = self.scope
        while scope is not None:
            scope = scope.elsewhere.get(name, scope)
            if name in scope:
                return scope[name]
            scope = scope.parent
        if name in self.waiting:
            # It is defined outside of all branches.
            kept, self.scope, self.journals = (self.scope, self.journals), self.module, []
            try:
                self.run(self.waiting.pop(name))
            finally:
                self.scope, self.journals = kept
        return self.module.get(name) if name in self.module else Library(name=name)

    def assign(self, name, value):
        scope = self.scope
        while scope.kind == "comprehension":
            scope = scope.parent
        self.put(scope.elsewhere.get(name, scope), name, value)
        return value

    def elements(self, nodes):
        found = Row()
        for node in nodes[:LIMIT]:
            if isinstance(node, ast.Starred):
                items = self.items(self.value(node.value))
                found.extend(items)
                found.exact = found.exact and items.exact
            else:
                found.append(self.value(node))
        return found if len(nodes) <= LIMIT else Row([*found, UNKNOWN], False)

    def take_tuple(self, node):
        found = self.elements(node.elts)
        return tuple(found) if found.exact else found

    def take_dict(self, node):
        table = {}
        for key, value in list(zip(node.keys, node.values))[: LIMIT + 1]:
            if key is None:
                self.merge(table, self.value(value))
            else:
                self.put(table, key_of(self.value(key)), self.value(value))
        return table

    def take_formatted(self, node):
        parts = []
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                spec = "" if part.format_spec is None else self.value(part.format_spec)
                # A text stands for what is converted to it, and no name is a `repr`.
                parts.append((self.value(part.value), spec if part.conversion in (-1, 115) else UNKNOWN))
            else:
                parts.append((self.value(part), ""))

        def fill(*values):
            texts = []
            for value, (_, spec) in zip(map(self.as_text, values), parts):
                if not isinstance(value, CONSTANTS) or not isinstance(spec, str) or is_wide("{" + spec):
                    return UNKNOWN
                texts.append(self.pure(format, value, spec))
            return self.pure("".join, texts)

        return self.over(fill, *[value for value, _ in parts])

    def as_text(self, value):
        """What is put into a text for a value. The class of an object may say it."""
        is_said = isinstance(value, Instance) and find(value.cls, "__str__") is not MISSING
        return self.special(value, "__str__") if is_said else plain(value)

    def take_operation(self, node):
        name = type(node.op).__name__
        return self.over(lambda *sides: self.operation(name, *sides), self.value(node.left), self.value(node.right))

    def operation(self, name, left, right):
        left, right = plain(left), plain(right)
        if name == "BitOr" and isinstance(left, (dict, Source)) and isinstance(right, (dict, Source)):
            return self.merge(self.merge({}, left), right)
        if name == "Sub" and isinstance(left, Row):
            sources = [one for one in SOURCES if right is one or isinstance(right, Row) and one.key in right]
            if sources:
                return Row(left, False, NONE.union(*[self.test(sources[0], one).holds for one in left]))
        if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
            self.charge(len(left) + len(right))
            exact = getattr(left, "exact", True) and getattr(right, "exact", True)
            if name in ("Add", "BitOr"):
                return (*left, *right) if isinstance(left, tuple) else Row([*left, *right], exact)
            if name in ("Sub", "BitAnd") and is_flat(left) and is_flat(right):
                return Row([one for one in left if (one in right) == (name == "BitAnd")], exact)
            return UNKNOWN
        if name == "Mod" and isinstance(left, str):
            if isinstance(right, (dict, Source)):
                return self.fill_in(left, r"%\((\w+)\)", self.merge({}, right))
            right = tuple(map(self.as_text, right)) if isinstance(right, tuple) else self.as_text(right)
            return UNKNOWN if is_wide(left) else self.pure(operator.mod, left, right)
        rows = [side for side in (left, right) if isinstance(side, (str, list, tuple))]
        times = right if rows == [left] else left
        if rows and name == "Mult":
            bound = TEXT_LIMIT if isinstance(rows[0], str) else LIMIT
            is_small = len(rows) == 1 and isinstance(times, int) and len(rows[0]) * times <= bound
            return rows[0] * times if is_small else UNKNOWN
        is_large = name in ("Pow", "LShift") and not (isinstance(right, int) and 0 <= right <= 64)
        if name not in OPERATORS or is_large or any(not isinstance(row, str) for row in rows):
            return UNKNOWN
        return self.pure(OPERATORS[name], left, right)

    def fill_in(self, text, pattern, table):
        """Looks up the names of a format, whose text cannot be known."""
        for name in re.findall(pattern, text[:TEXT_LIMIT].replace("%%", "").replace("{{", "")):
            self.lookup(table, name)
        return UNKNOWN

    def take_unary(self, node):
        value, name = self.value(node.operand), type(node.op).__name__
        if name == "Not":
            truth, (holds, fails) = self.truth(value), guards(value)
            return Test(holds=fails, fails=holds) if truth is None else not truth
        return self.over(lambda one: self.pure(OPERATORS[name], one), value) if name in OPERATORS else UNKNOWN

    def take_boolean(self, node):
        is_or, kept = isinstance(node.op, ast.Or), self.present
        values, holds, fails = [], NONE, NONE
        for operand in node.values:
            try:
                value = self.value(operand)
            except Raises:
                if not values:
                    raise
                self.require(fails if not is_or else holds)
                continue
            if is_or and values and isinstance(values[-1], Asked) and isinstance(plain(value), CONSTANTS):
                self.note_default(values[-1], value)
            truth = self.truth(value)
            if truth is (not is_or) and operand is not node.values[-1]:
                continue
            values.append(value)
            if truth is is_or:
                break
            when_true, when_false = guards(value)
            holds, fails = holds | when_true, fails | when_false
            self.present |= when_false if is_or else when_true
        self.present = kept
        if len(values) == 1:
            return values[0]
        if any(isinstance(value, (Asked, Test)) for value in values):
            return Test(holds=NONE if is_or else holds, fails=fails if is_or else NONE)
        return self.join(values)

    def take_either(self, node):
        test = self.value(node.test)
        truth = self.truth(test)
        if truth is not None:
            return self.value(node.body if truth else node.orelse)
        kept, values, sides = self.present, [], guards(test)
        for operand, names, others in ((node.body, *sides), (node.orelse, *sides[::-1])):
            self.present = kept | names
            try:
                values.append(self.value(operand))
            except Raises:
                self.require(others)
        self.present = kept
        if not values:
            raise Raises
        for value, names, other in zip(values, sides, values[::-1]):
            if len(values) == 2 and isinstance(value, Asked) and guards(value)[0] <= names:
                self.note_default(value, other)
        return self.join(values)

    def take_comparison(self, node):
        left, rights = self.value(node.left), [self.value(right) for right in node.comparators]
        if len(rights) > 1:
            return UNKNOWN
        name, right = type(node.ops[0]).__name__, rights[0]
        if name not in ("In", "NotIn"):
            return self.over(lambda *sides: self.compare(name, *sides), left, right)
        found = self.over(lambda owner: self.holds(owner, left), there(right))
        return found if name == "In" else negated(found)

    def holds(self, owner, item):
        is_table = isinstance(owner, dict)
        sources = [source for source in SOURCES if owner is source or is_table and source.key in owner]
        if sources and not (is_table and key_of(item) in owner):
            return self.test(sources[-1], item)
        return self.over(self.contains, owner, item)

    def contains(self, owner, item):
        item = plain(item)
        if isinstance(owner, str):
            return self.pure(operator.contains, owner, item)
        if isinstance(owner, (list, tuple, dict)) and isinstance(item, CONSTANTS):
            self.charge(len(owner) // 8)
            every = [plain(one) for one in owner]
            if any(isinstance(one, CONSTANTS) and one == item for one in every):
                return True
            is_known = getattr(owner, "exact", True) and all(isinstance(one, CONSTANTS + (tuple,)) for one in every)
            return False if is_known else UNKNOWN
        result = self.special(owner, "__contains__", item) if isinstance(owner, Instance) else MISSING
        return UNKNOWN if result is MISSING else result

    def compare(self, name, left, right):
        if name in ("Is", "IsNot", "Eq", "NotEq"):
            is_equal = name in ("Is", "Eq")
            if right is None and isinstance(left, Asked):
                names = guards(left)[0]
                return Test(holds=NONE if is_equal else names, fails=names if is_equal else NONE)
            if right is None and isinstance(left, (Source, Function, Class, Instance, Partial, list, tuple, dict)):
                return not is_equal
            if isinstance(left, Instance) and isinstance(right, Instance) and left.is_member and right.is_member:
                return (left is right) == is_equal
            name = "Eq" if is_equal else "NotEq"
        return self.pure(OPERATORS[name], left, right)

    def take_slice(self, node):
        parts = [None if part is None else self.value(part) for part in (node.lower, node.upper, node.step)]
        return slice(*parts) if all(isinstance(part, (int, type(None))) for part in parts) else UNKNOWN

    def take_yield(self, node):
        value = None if node.value is None else self.value(node.value)
        if self.frame is not None:
            self.extend(self.frame.yields, self.items(value) if isinstance(node, ast.YieldFrom) else Row([value]))
        return UNKNOWN

    def comprehend(self, node, element):
        found = Row()

        def take(generators):
            if not generators:
                found.append(element())
                return
            generator, items = generators[0], self.items(self.value(generators[0].iter))
            found.exact = found.exact and items.exact
            for item in items:
                kept = self.present
                self.bind(generator.target, item)
                for condition in generator.ifs:
                    test = self.value(condition)
                    truth = self.truth(test)
                    if truth is False:
                        break
                    if truth is None:
                        holds, fails = guards(test)
                        found.exact, found.fails = False, found.fails | fails
                        self.present |= holds
                else:
                    take(generators[1:])
                self.present = kept

        kept, self.scope = self.scope, Scope(self.scope, "comprehension")
        try:
            take(node.generators)
        finally:
            self.scope = kept
        return found

    # Calls.

    def take_call(self, node):
        if isinstance(node.func, ast.Attribute):
            function = self.attribute(self.value(node.func.value), node.func.attr, True)
        else:
            function = self.value(node.func)
        args, kwargs = [], {}
        for arg in node.args:
            items = self.items(self.value(arg.value)) if isinstance(arg, ast.Starred) else Row([self.value(arg)])
            if not items.exact:
                # From here on it is not known which argument is which.
                kwargs[UNKNOWN] = UNKNOWN
            if UNKNOWN not in kwargs:
                args.extend(items)
        for keyword in node.keywords:
            value = self.value(keyword.value)
            if keyword.arg is None:
                self.merge(kwargs, value)
            else:
                kwargs[keyword.arg] = value
        self.line = node.lineno
        return self.call(function, args, kwargs)

    def call(self, function, args, kwargs):
        self.charge()
        if isinstance(function, Function):
            return self.call_function(function, args, kwargs)
        if isinstance(function, Partial):
            return self.call(function.function, function.args + args, {**function.kwargs, **kwargs})
        if isinstance(function, Method):
            return self.call_method(function.owner, function.name, args, kwargs)
        if isinstance(function, Library):
            return self.call_library(function.name, args, kwargs)
        if isinstance(function, Class):
            return self.call_class(function, args, kwargs)
        if isinstance(function, Instance):
            found = find(function.cls, "__call__")
            return self.call(self.bound(found, function, function.cls), args, kwargs)
        if isinstance(function, Choice):
            results = [self.called(option, args, kwargs) for option in function.options]
            if all(result is MISSING for result in results):
                raise Raises
            return self.join([result for result in results if result is not MISSING])
        return self.call_unknown("", args, kwargs)

    def called(self, function, args, kwargs):
        """What a function returns that may not be called at all. MISSING where it raises an exception."""
        try:
            return self.call(function, args, kwargs)
        except Raises:
            return MISSING

    def called_back(self, function):
        """Follows a function that is called with what is not known."""
        self.called(function, [], {})

    def function(self, node):
        scope = self.scope.parent if self.scope.kind == "class" else self.scope
        defaults = [self.value(default) for default in node.args.defaults]
        defaults += [MISSING if default is None else self.value(default) for default in node.args.kw_defaults]
        return Function(node=node, scope=scope, defaults=defaults, kind="", owner=None)

    def mark(self, args, kwargs):
        """What tells the arguments of a call from those of others. None where there is too much in them."""
        found, waiting, seen = [], [args, *kwargs.items()], {}
        while waiting and len(found) <= LIMIT:
            value = waiting.pop()
            if isinstance(value, (list, tuple, dict, Choice, Instance)):
                if id(value) in seen:
                    found.append(seen[id(value)])
                    continue
                seen[id(value)] = len(seen)
                parts = getattr(value, "attrs", getattr(value, "options", value))
                parts = [part for pair in parts.items() for part in pair] if isinstance(parts, dict) else parts
                is_own = id(value) if isinstance(value, Instance) else getattr(value, "exact", True)
                found.append((type(value), len(parts), is_own))
                waiting.extend(parts)
            elif isinstance(value, Asked):
                found.append((id(value.source), *value.names))
            elif isinstance(value, CONSTANTS):
                found.append((type(value), value))
            else:
                is_unknown = isinstance(value, (Test, Method, Library)) or type(value) is Thing
                found.append("unknown" if is_unknown else id(value))
        self.charge(len(found) // 16)
        return None if waiting else tuple(found)

    def call_function(self, function, args, kwargs):
        """What a function returns. It is not followed again where it has asked for nothing and is called likewise."""
        mark = self.mark(args, kwargs) if function.scope is self.module else None
        before, call = (self.asked, self.is_complete), (id(function), self.changes, mark)
        if mark is not None and call in self.results:
            return copied(self.results[call][0])
        result = self.call_followed(function, args, kwargs)
        if mark is not None and before == (self.asked, self.is_complete) and mark == self.mark(args, kwargs):
            # What is known by its place must stay where it is.
            self.results[call] = copied(result), function, args, kwargs
        return result

    def call_followed(self, function, args, kwargs):
        node, count = function.node, self.active.get(id(function.node), 0)
        if count >= 2 or self.depth >= DEPTH:
            # What calls itself is followed twice. It can ask for more only where it hands a source on.
            self.is_complete = self.is_complete and count >= 2 and not any(isinstance(arg, Source) for arg in args)
            self.asked += 1
            return UNKNOWN
        scope, kept = self.arguments(function, args, kwargs), (self.scope, self.frame, self.depth, self.present)
        frame = self.frame = Thing(function=function, scope=scope, returns=[], yields=Row())
        self.scope, self.depth, self.active[id(node)] = scope, self.depth + 1, count + 1
        self.ran.add(id(node))
        try:
            if isinstance(node, ast.Lambda):
                return self.value(node.body)
            signal = self.body(node.body)
        finally:
            self.scope, self.frame, self.depth, self.present = kept
            self.active[id(node)] = count
        if frame.yields:
            return frame.yields
        if signal == "raise" and not frame.returns:
            raise Raises
        return self.join(frame.returns + ([None] if signal is None else []))

    def arguments(self, function, args, kwargs):
        """The scope in which a function's body is followed."""
        names, rest, scope = function.node.args, dict(kwargs), Scope(function.scope)
        positional = names.posonlyargs + names.args
        parameters = positional + names.kwonlyargs
        self.charge(len(parameters))
        defaults = [MISSING] * (len(parameters) - len(function.defaults)) + function.defaults
        for place, (parameter, default) in enumerate(zip(parameters, defaults)):
            if place < min(len(args), len(positional)):
                scope[parameter.arg] = args[place]
            elif parameter.arg in rest:
                scope[parameter.arg] = rest.pop(parameter.arg)
            else:
                scope[parameter.arg] = UNKNOWN if UNKNOWN in rest else self.lookup(rest, parameter.arg, default)
        if names.vararg:
            scope[names.vararg.arg] = UNKNOWN if UNKNOWN in rest else tuple(args[len(positional) :])
        if names.kwarg:
            scope[names.kwarg.arg] = rest
        return scope

    def call_class(self, cls, args, kwargs):
        if cls.members and args:
            is_known = is_flat(args[0])
            found = (one for one in cls.members if one is args[0] or is_known and one.attrs["value"] == args[0])
            return next(found, UNKNOWN)
        instance, init = Instance(cls=cls, attrs={}), find(cls, "__init__")
        if isinstance(init, Function):
            self.call(self.bound(init, instance, cls), args, kwargs)
        elif not cls.fields:
            # Where it comes from elsewhere, it may ask for anything.
            self.call_unknown("", args, kwargs)
        else:
            for place, (name, default) in enumerate(cls.fields):
                instance.attrs[name] = args[place] if place < len(args) else self.lookup(kwargs, name, default)
            self.special(instance, "__post_init__")
        return instance

    def call_method(self, owner, name, args, kwargs):
        if isinstance(owner, Source):
            return self.call_source(owner, name, args, kwargs)
        if isinstance(owner, str):
            return self.over(lambda *given: self.call_text(owner, name, list(given), kwargs), *args)
        methods = DICT_METHODS if isinstance(owner, dict) else ROW_METHODS if isinstance(owner, (list, tuple)) else {}
        if name not in methods:
            return self.call_unknown(name, args, kwargs)
        try:
            return methods[name](self, owner, *args, **kwargs)
        except TypeError:
            return UNKNOWN

    def call_source(self, source, name, args, kwargs):
        key = args[0] if args else kwargs.get("key", UNKNOWN)
        default = args[1] if len(args) > 1 else kwargs.get("default", MISSING)
        if name in ("get", "setdefault", "pop", "__getitem__"):
            return self.ask(source, key, name in ("get", "setdefault") or default is not MISSING, default)
        if name == "__contains__":
            return self.test(source, key)
        if name in ("items", "values"):
            self.is_complete = False
            return Row([(source.key, UNKNOWN) if name == "items" else UNKNOWN], False)
        if name == "update":
            for given in args + [kwargs]:
                for key in self.merge({}, given):
                    self.assign_to(source, key)
                    self.is_complete = self.is_complete and not isinstance(key, Key)
        return source if name in ("keys", "copy", "__iter__") else UNKNOWN

    def assign_to(self, source, name):
        """What the script has surely set itself is not asked for afterwards."""
        if isinstance(name, str):
            self.assigned.setdefault((source, name), False)
            self.put(self.assigned, (source, name), True)

    def call_text(self, text, name, args, kwargs):
        if name == "join" and args:
            items = self.items(args[0])
            return self.pure(text.join, [plain(item) for item in items]) if items.exact else UNKNOWN
        args = [self.as_text(arg) for arg in args]
        if name in ("format", "format_map"):
            kwargs = self.merge(dict(kwargs), args.pop(0) if name == "format_map" and args else None)
            if not all(isinstance(key, str) for key in kwargs):
                return self.fill_in(text, r"\{([^\W\d]\w*)", kwargs)
            kwargs = {key: self.as_text(value) for key, value in kwargs.items()}
            return UNKNOWN if is_wide(text) else self.pure(text.format, *args, **kwargs)
        is_large = len(text) > TEXT_LIMIT or any(isinstance(arg, int) and abs(arg) > TEXT_LIMIT for arg in args)
        is_known = name in TEXT_METHODS and hasattr(text, name) and all(isinstance(key, str) for key in kwargs)
        return self.pure(getattr(text, name), *args, **kwargs) if is_known and not is_large else UNKNOWN

    def extend(self, row, items):
        if isinstance(row, Row):
            # In a branch it is not known whether it happens.
            row.exact = row.exact and items.exact and not self.journals and len(row) < LIMIT
            row.extend(items if len(row) < LIMIT else [UNKNOWN] * (len(row) == LIMIT))

    def change(self, row, name, args):
        """Takes something out of a list or changes its order, where that surely happens."""
        if self.journals or not isinstance(row, Row):
            self.extend(row, Row([], False))
            return UNKNOWN
        return self.pure(getattr(row, name), *args)

    def call_library(self, name, args, kwargs):
        first, last = name.split(".")[0], name.rsplit(".", 1)[-1]
        if name in EXITS:
            raise Raises
        if first in MODULES or first == name:
            try:
                if last in BUILT_IN:
                    return BUILT_IN[last](self, args, kwargs)
                if last in PURE and not kwargs:
                    return self.over(lambda *given: self.pure(PURE[last], *given), *args)
            except (IndexError, TypeError):
                return UNKNOWN
        return self.call_unknown(name, args, kwargs)

    def call_unknown(self, name, args, kwargs):
        """Calls what is not known, and follows the functions that are handed to it."""
        last = name.rsplit(".", 1)[-1]
        if last == "add_argument":
            self.note_option(args, kwargs)
        elif last == "set_defaults":
            self.options.extend({"dest": dest, "default": self.as_json(kwargs[dest]), "line": 0} for dest in kwargs)
        if last in CALLERS and len(args) > CALLERS[last]:
            place = CALLERS[last]
            found = self.called(args[place], ([UNKNOWN] if last == "pipe" else []) + args[place + 1 :], kwargs)
            return UNKNOWN if found is MISSING else found
        if last in ("Thread", "Process", "Timer", "apply_async") and ("target" in kwargs or len(args) > 1):
            target, values = (kwargs["target"], ()) if "target" in kwargs else args[:2]
            self.called(target, list(self.items(kwargs.get("args", values))), {})
            return UNKNOWN
        if last in ("map", "imap", "imap_unordered", "map_async") and len(args) > 1:
            return BUILT_IN["map"](self, args, {})
        is_function = bool(args) and isinstance(args[0], (Function, Partial))
        if last == "delayed" and is_function or last in SAME and len(args) == 1 and not is_function:
            if not isinstance(args[0], Source) or name in SAME or name.split(".")[0] in MODULES:
                return args[0]
        values = args + list(kwargs.values())
        for value in values if last not in HARMLESS else ():
            if isinstance(value, (Function, Partial)):
                self.called_back(value)
            for part in itertools.islice(value.values() if isinstance(value, dict) else options_of(value), LIMIT):
                self.is_complete = self.is_complete and not (isinstance(part, Source) and part is not OS_ENVIRON)
        for table in [kwargs, *values]:
            if isinstance(table, dict) and any(source.key in table for source in SOURCES if source is not OS_ENVIRON):
                self.is_complete = False
        return UNKNOWN

    def call_main(self, kwargs):
        """Notes the defaults of the variables that are passed to `main` under `__main__`."""
        for name, source in self.parameters_of(self.main).items():
            table = kwargs.get(name) if source is ENVIRON else None
            for key, value in table.items() if isinstance(table, dict) else ():
                default = self.as_json(value)
                self.passed[key] = str(default) if isinstance(default, CONSTANTS[:-1]) else None
        return UNKNOWN

    def call_getattr(self, owner, name, *default):
        if owner is JOB_ARGS:
            return self.ask(owner, name, bool(default), default[0] if default else MISSING)
        return self.over(lambda one: self.attribute(owner, one) if isinstance(one, str) else UNKNOWN, plain(name))

    def picking(self, keys, pick):
        return Partial(function=Library(name="what is picked"), args=[keys, pick], kwargs={})

    def call_picked(self, keys, pick, owner):
        found = [pick(owner, key) for key in keys if pick == self.item or isinstance(key, str)]
        return found[0] if len(keys) == 1 and found else tuple(found)

    def call_wrapped(self, wrapped, wrapper):
        if isinstance(wrapped, Function) and isinstance(wrapper, Function):
            wrapper.wrapped = getattr(wrapped, "wrapped", wrapped)
        return wrapper

    def call_reduce(self, function, items, *first):
        items = self.items(items)
        value = first[0] if first else items.pop(0)
        for item in items:
            value = self.call(function, [value, item], {})
        return value

    def call_filter(self, function, values):
        items = self.items(values)
        truths = [self.truth(item if function is None else self.call(function, [item], {})) for item in items]
        found = [item for item, truth in zip(items, truths) if truth is not False]
        return Row(found, items.exact and None not in truths)

    def rows(self, values):
        """Several values side by side. Where a list is not exact, it is not known what is beside what."""
        every = [self.items(value) for value in values]
        longest = max(map(len, every), default=0)
        is_mixed = any(not row.exact and isinstance(self.join(row), Choice) for row in every)
        filled = [[self.join(row)] * longest if is_mixed or not row.exact else row for row in every]
        self.charge(longest * len(every))
        return Row(zip(*filled), all(row.exact for row in every))

    def call_range(self, args, kwargs):
        is_known = all(isinstance(arg, int) and is_flat(arg) for arg in args) and args[2:] != [0]
        return Row(range(*args)) if is_known and len(range(*args)) <= LIMIT else UNKNOWN

    def call_enumerate(self, args, kwargs):
        start = (args[1:] + [kwargs.get("start", 0)])[0]

        def number(value):
            items = self.items(value)
            is_known = items.exact and isinstance(start, int)
            return Row([(start + place if is_known else UNKNOWN, one) for place, one in enumerate(items)], items.exact)

        return self.over(number, there(args[0]))

    def chained(self, values):
        every = [self.items(value) for value in values]
        return Row(list(itertools.chain(*every))[:LIMIT], all(row.exact for row in every))

    def call_product(self, args, kwargs):
        every = [self.items(arg) for arg in args] * (kwargs.get("repeat") if kwargs.get("repeat") in (2, 3) else 1)
        found = list(itertools.islice(itertools.product(*every), LIMIT))
        is_cut = len(found) == LIMIT
        return Row(found + [UNKNOWN] * is_cut, not is_cut and all(row.exact for row in every))

    def call_sorted(self, args, kwargs):
        items = self.items(args[0])
        if isinstance(kwargs.get("key"), (Function, Partial)):
            self.called_back(kwargs["key"])
        ordered = self.pure(sorted, items) if not kwargs else UNKNOWN
        return items if ordered is UNKNOWN else Row(ordered, items.exact)

    def call_isinstance(self, value, kind):
        kinds = [TYPES.get(last_of(one)) for one in (kind if isinstance(kind, tuple) else [kind])]
        is_known = isinstance(value, CONSTANTS + (list, tuple, dict)) and None not in kinds
        return isinstance(value, tuple(kinds)) if is_known else UNKNOWN

    def call_every(self, values, is_any):
        items = self.items(values)
        truths = [self.truth(item) for item in items]
        if is_any in truths or items.exact and None not in truths:
            return is_any in truths if is_any else is_any not in truths
        names = NONE.union(*[guards(item)[is_any] for item in items])
        return Test(holds=NONE if is_any else names, fails=names if is_any else NONE)

    def call_fields(self, owner):
        cls = owner.cls if isinstance(owner, Instance) else owner
        pairs = cls.fields if isinstance(cls, Class) else []
        found = [Instance(cls=None, attrs={"name": name, "default": default}) for name, default in pairs]
        return Row(found, bool(pairs))

    def call_namedtuple(self, args, kwargs):
        names = args[1].replace(",", " ").split() if isinstance(args[1], str) else self.items(args[1])
        fields = [(name, MISSING) for name in names if isinstance(name, str)]
        return Class(node=None, bases=[], namespace={}, fields=fields, members=[], is_enum=False, is_text=False)

    def call_super(self, frame):
        names = frame.function.node.args.args if frame is not None and frame.function.owner is not None else []
        first = frame.scope.get(names[0].arg) if names else None
        cls = first if isinstance(first, Class) else getattr(first, "cls", None)
        return Instance(cls=cls, attrs={}, after=frame.function.owner, real=first) if cls is not None else UNKNOWN

    # Statements.

    def body(self, nodes):
        """Follows statements. Tells how they surely end where they do not go on: one of SIGNALS, or None."""
        kept, signal = self.present, None
        for node in nodes:
            try:
                signal = self.run(node)
            except Raises:
                signal = "raise"
            if signal is not None:
                break
        self.present = kept
        return signal

    def run(self, node):
        take = STATEMENTS.get(type(node).__name__)
        signal = None if take is None else self.nested(take, node, 7)
        return None if signal is UNKNOWN else signal

    def fork(self, arms):
        """Follows arms of which one happens, each from the same state, and joins what they leave behind."""
        signals, changes, tables = [], [], {}
        for take, names in arms:
            kept, self.present = self.present, self.present | names
            self.journals.append({})
            signals.append(take())
            self.present = kept
            changes.append({})
            for (place, key), (table, old) in self.journals.pop().items():
                tables[place, key] = table
                changes[-1][place, key] = table.get(key, MISSING)
                if old is MISSING:
                    table.pop(key, None)
                else:
                    table[key] = old
        for (place, key), table in tables.items():
            # The variables of an arm that leaves are of no account. What it has put into a dict may be kept elsewhere.
            values = [
                change.get((place, key), table.get(key, MISSING))
                for signal, change in zip(signals, changes)
                if signal is None or (place, key) in change and not isinstance(table, Scope)
            ]
            values = [value for value in values if value is not MISSING]
            if values:
                self.put(table, key, self.join(values))
        return signals, None if None in signals else min(signals, key=SIGNALS.index)

    def run_if(self, node):
        test = self.value(node.test)
        truth = self.truth(test)
        if truth is not None:
            return self.body(node.body if truth else node.orelse)
        names = guards(test)
        signals, signal = self.fork(
            [(lambda: self.body(node.body), names[0]), (lambda: self.body(node.orelse), names[1])]
        )
        # Where a branch is left, the names are there that are there in the other one.
        for ending, others in zip(signals, names[::-1]):
            if ending == "raise":
                self.require(others)
            elif ending is not None:
                self.present |= others
        return signal

    def loop(self, node, rounds, present=NONE):
        """Follows a loop of which it is not known how often it goes round. What it assigns is not known meanwhile."""
        if id(node) not in self.widened:
            names, waiting = [], [node]
            while waiting:
                self.charge()
                one = waiting.pop()
                if isinstance(one, ast.Name) and not isinstance(one.ctx, ast.Load):
                    names.append(one.id)
                elif not isinstance(one, FUNCTIONS + (ast.ClassDef,)):
                    if not isinstance(one, ast.expr) or isinstance(one, (ast.Tuple, ast.List, ast.Starred)):
                        waiting.extend(ast.iter_child_nodes(one))
            self.widened[id(node)] = names
        names = [name for name in self.widened[id(node)] if name in self.scope]
        for name in names:
            value = self.scope[name]
            # A number that is counted up is data.
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            self.put(self.scope, name, UNKNOWN if is_number else self.join([value, EARLIER]))
        for take in rounds:
            self.fork([(take, present), (lambda: None, NONE)])
        for name in names:
            # What was assigned earlier is among the values that were found.
            values = [option for option in options_of(self.scope.get(name, UNKNOWN)) if option is not EARLIER]
            self.put(self.scope, name, self.join(values))

    def run_for(self, node):
        items = self.items(self.value(node.iter))

        def take(item):
            self.bind(node.target, item)
            return self.body(node.body)

        asked, rounds = self.asked, []
        for place, item in enumerate(items):
            is_last = place >= ROUNDS and self.asked == asked
            item = self.join(items[place:]) if is_last else item
            if is_last or not items.exact:
                rounds.append(lambda item=item: take(item))
                if is_last:
                    break
                continue
            signal = take(item)
            if signal in ("break", "return", "raise"):
                return None if signal == "break" else signal
        if rounds:
            self.loop(node, rounds)
        return self.body(node.orelse)

    def run_while(self, node):
        rounds = 0
        while not isinstance(node.test, ast.Constant) and rounds < LIMIT:
            truth = self.truth(self.value(node.test))
            if truth is False:
                return self.body(node.orelse)
            if truth is None:
                break
            rounds += 1
            signal = self.body(node.body)
            if signal not in (None, "continue"):
                return None if signal == "break" else signal
        names = guards(self.value(node.test))[0]
        self.loop(node, [lambda: self.body(node.body)], names)
        return self.body(node.orelse)

    def run_try(self, node):
        names, place, is_exact = [], None, False
        for number, handler in enumerate(node.handlers):
            kinds = [] if handler.type is None else self.elements(getattr(handler.type, "elts", [handler.type]))
            found = {last_of(kind) for kind in kinds} if handler.type is not None else {"Exception"}
            if place is None and found & {"KeyError", "LookupError", "Exception", "BaseException"}:
                is_exact = bool(found & {"KeyError", "LookupError"})
                # What catches everything is there for a name only where nothing else is tried.
                place = number if is_exact or len(node.body) == 1 else None

        def take():
            if place is not None:
                self.pending.append((names, None if is_exact else self.depth))
            signal = self.body(node.body)
            if place is not None:
                self.pending.pop()
            return self.body(node.orelse) if signal is None else signal

        def handle(handler):
            if handler.name:
                self.put(self.scope, handler.name, UNKNOWN)
            return self.body(handler.body)

        if node.handlers:
            arms = [(lambda handler=handler: handle(handler), NONE) for handler in node.handlers]
            signals, signal = self.fork([(take, NONE), *arms])
            if place is not None and signals[1 + place] == "raise":
                self.require(names)
        else:
            signal = take()
        return self.body(node.finalbody) or signal

    def run_with(self, node):
        entered, is_suppressing = [], False
        for item in node.items:
            value = self.value(item.context_expr)
            is_suppressing = is_suppressing or value is SUPPRESS
            if isinstance(value, Instance):
                entered.append(value)
                result = self.special(value, "__enter__")
                value = value if result is MISSING else result
            elif isinstance(value, list) and isinstance(item.context_expr, ast.Call):
                # A context manager that is made of a generator is entered with what that yields first.
                value = value[0] if value else UNKNOWN
            if item.optional_vars is not None:
                self.bind(item.optional_vars, value)
        if is_suppressing:
            self.pending.append(([], None))
        signal = self.body(node.body)
        if is_suppressing:
            self.pending.pop()
        for value in entered:
            self.special(value, "__exit__", UNKNOWN, UNKNOWN, UNKNOWN)
        return None if is_suppressing else signal

    def run_match(self, node):
        subject, arms, is_sure = self.value(node.subject), [], False
        for case in node.cases:
            bindings, names = [], []
            truth = self.matches(case.pattern, subject, bindings, names)
            if truth is False or is_sure:
                continue

            def take(case=case, bindings=bindings):
                for name, value in bindings:
                    self.put(self.scope, name, value)
                is_refused = case.guard is not None and self.truth(self.value(case.guard)) is False
                return None if is_refused else self.body(case.body)

            arms.append((take, frozenset(names)))
            is_sure = truth is True and case.guard is None
        return self.fork(arms + ([] if is_sure else [(lambda: None, NONE)]))[1]

    def matches(self, pattern, subject, bindings, names):
        """Whether a pattern matches: True, False or None. Adds what it binds, and the names that it has found."""
        self.charge()
        kind, truth, parts = type(pattern).__name__, None, [UNKNOWN] * LIMIT
        if kind in ("MatchValue", "MatchSingleton"):
            value = self.value(pattern.value) if kind == "MatchValue" else pattern.value
            return self.truth(self.over(lambda *sides: self.compare("Eq", *sides), subject, value))
        if kind == "MatchOr":
            truths = [self.matches(one, subject, bindings, names) for one in pattern.patterns]
            return True if True in truths else None if None in truths else False
        if kind == "MatchAs":
            truth = True if pattern.pattern is None else self.matches(pattern.pattern, subject, bindings, names)
        elif kind == "MatchMapping":
            parts = [self.value(key) for key in pattern.keys]
            if isinstance(subject, Source):
                names.extend(name for key in parts for name in self.test(subject, key).holds)
            parts = [self.lookup(subject, key) if isinstance(subject, dict) else UNKNOWN for key in parts]
        elif kind == "MatchSequence" and isinstance(subject, (tuple, list)) and getattr(subject, "exact", True):
            if not any(type(one).__name__ == "MatchStar" for one in pattern.patterns):
                if len(subject) != len(pattern.patterns):
                    return False
                parts, truth = subject, True
        name = getattr(pattern, "rest", None) or getattr(pattern, "name", None)
        if name:
            bindings.append((name, subject if kind == "MatchAs" else UNKNOWN))
        inner = getattr(pattern, "patterns", []) + getattr(pattern, "kwd_patterns", [])
        truths = [truth, *(self.matches(one, part, bindings, names) for one, part in zip(inner, parts))]
        return False if False in truths else None if None in truths else True

    def run_expression(self, node):
        call = node.value
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "pop":
            # A variable that is taken out and thrown away is not asked for.
            if self.value(call.func.value) in (ENVIRON, OS_ENVIRON):
                return
        self.value(call)

    def run_assign(self, node):
        value = self.value(node.value)
        for target in node.targets:
            self.bind(target, value)

    def run_augmented(self, node):
        left, right = self.value(node.target), self.value(node.value)
        if isinstance(left, list):
            self.extend(left, self.items(right))
        elif isinstance(left, dict):
            self.merge(left, right)
        else:
            name = type(node.op).__name__
            self.bind(node.target, self.over(lambda *sides: self.operation(name, *sides), left, right))

    def bind(self, target, value):
        self.charge()
        if isinstance(target, ast.Name):
            self.put(self.scope.elsewhere.get(target.id, self.scope), target.id, value)
        elif isinstance(target, (ast.Tuple, ast.List)):
            self.unpack(target.elts, value)
        elif isinstance(target, ast.Starred):
            self.bind(target.value, value)
        elif isinstance(target, (ast.Attribute, ast.Subscript)):
            owner = self.value(target.value)
            key = target.attr if isinstance(target, ast.Attribute) else key_of(self.value(target.slice))
            if isinstance(owner, (Instance, Class)) and isinstance(target, ast.Attribute):
                owner = owner.attrs if isinstance(owner, Instance) else owner.namespace
            if isinstance(owner, dict):
                self.put(owner, key, UNKNOWN if isinstance(key, Key) else value)
            elif isinstance(owner, Source):
                self.assign_to(owner, key)
            elif isinstance(owner, Row):
                if isinstance(key, int) and -len(owner) <= key < len(owner) and not self.journals:
                    owner[key] = value
                else:
                    self.extend(owner, Row([value], False))

    def unpack(self, targets, value):
        columns = [[] for _ in targets]
        star = next((place for place, target in enumerate(targets) if isinstance(target, ast.Starred)), None)
        for option in options_of(there(value)):
            row = list(self.items(option))
            if star is not None and len(row) >= len(targets) - 1:
                end = len(row) - (len(targets) - star - 1)
                row[star:end] = [Row(row[star:end])]
            for place, column in enumerate(columns):
                column.append(row[place] if len(row) == len(targets) else UNKNOWN)
        for target, column in zip(targets, columns):
            self.bind(target, self.join(column))

    def run_delete(self, node):
        for target in node.targets:
            if isinstance(target, ast.Subscript):
                owner, key = self.value(target.value), self.value(target.slice)
                if isinstance(owner, dict):
                    self.put(owner, key_of(key), MISSING)
                elif isinstance(owner, list):
                    self.change(owner, "pop", [key])

    def run_return(self, node):
        value = None if node.value is None else self.value(node.value)
        if self.frame is not None:
            self.frame.returns.append(value)
        return "return"

    def run_raise(self, node):
        for part in ast.iter_child_nodes(node):
            self.value(part)
        return "raise"

    def run_import(self, node):
        module = "" if isinstance(node, ast.Import) else "." * node.level + (node.module or "") + "."
        for alias in node.names:
            name = alias.name if alias.asname or module else alias.name.split(".")[0]
            self.put(self.scope, alias.asname or name, from_module(module + name))

    def run_nonlocal(self, node):
        for name in node.names:
            scope = self.module if isinstance(node, ast.Global) else self.scope.parent
            while scope is not None and scope is not self.module and name not in scope:
                scope = scope.parent
            self.scope.elsewhere[name] = scope or self.module

    def run_function(self, node):
        if not any(getattr(decorator, "attr", "") in ("setter", "deleter") for decorator in node.decorator_list):
            self.put(self.scope, node.name, self.decorated(node, self.function(node)))

    def decorated(self, node, thing):
        for decorator in reversed(node.decorator_list):
            value = self.value(decorator)
            kind = last_of(value).replace("cached_", "")
            if kind in ("property", "staticmethod", "classmethod") and isinstance(thing, Function):
                thing.kind = kind
            elif isinstance(value, (Function, Partial, Class)):
                result = self.call(value, [thing], {})
                thing = result if isinstance(result, (Function, Partial, Class, Instance)) else thing
        return thing

    def run_class(self, node):
        if self.scope is self.module and getattr(self.module.get(node.name), "node", None) is node:
            return
        bases = [self.value(base) for base in node.bases]
        self.scope = own = Scope(self.scope, "class")
        try:
            self.body(node.body)
        finally:
            self.scope = own.parent
        names, above = {last_of(one) for one in bases}, [one for one in bases if isinstance(one, Class)]
        cls = Class(node=node, bases=above, namespace=dict(own), members=Row())
        cls.is_enum = any(one.is_enum for one in above) or any(name.endswith("Enum") for name in names)
        cls.is_text = any(one.is_text for one in above) or bool(names & {"str", "StrEnum"})
        fields = {field: default for one in above[:1] for field, default in one.fields}
        for one in node.body:
            if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name) and not mentions(one, "ClassVar"):
                fields[one.target.id] = own.get(one.target.id, MISSING)
        cls.fields = list(fields.items())
        methods = [value for value in own.values() if isinstance(value, Function)]
        for value in methods:
            value.owner = cls
        for name, value in own.items() if cls.is_enum else ():
            if value not in methods and not name.startswith("_"):
                self.add_member(cls, name, value)
        self.put(self.scope, node.name, self.decorated(node, cls))

    def add_member(self, cls, name, value):
        if value is AUTO:
            value = name.lower() if cls.is_text else UNKNOWN
        member = cls.namespace[name] = Instance(cls=cls, attrs={"name": name, "value": value}, is_member=True)
        cls.members.append(member)
        if cls.is_text and isinstance(value, str):
            member.text = value
        self.special(member, "__init__", *(value if isinstance(value, tuple) else [value]))


EXPRESSIONS = {
    "Attribute": lambda r, node: r.attribute(r.value(node.value), node.attr),
    "Await": lambda r, node: r.value(node.value),
    "BinOp": Reading.take_operation,
    "BoolOp": Reading.take_boolean,
    "Call": Reading.take_call,
    "Compare": Reading.take_comparison,
    "Constant": lambda r, node: node.value if isinstance(node.value, CONSTANTS) else UNKNOWN,
    "Dict": Reading.take_dict,
    "DictComp": lambda r, node: r.merge({}, r.comprehend(node, lambda: (r.value(node.key), r.value(node.value)))),
    "GeneratorExp": lambda r, node: r.comprehend(node, lambda: r.value(node.elt)),
    "IfExp": Reading.take_either,
    "Index": lambda r, node: r.value(node.value),
    "JoinedStr": Reading.take_formatted,
    "Lambda": Reading.function,
    "List": lambda r, node: r.elements(node.elts),
    "ListComp": lambda r, node: r.comprehend(node, lambda: r.value(node.elt)),
    "Name": lambda r, node: r.named(node.id),
    "NamedExpr": lambda r, node: r.assign(node.target.id, r.value(node.value)),
    "Set": lambda r, node: r.elements(node.elts),
    "SetComp": lambda r, node: r.comprehend(node, lambda: r.value(node.elt)),
    "Slice": Reading.take_slice,
    "Starred": lambda r, node: r.value(node.value),
    "Subscript": lambda r, node: r.item(r.value(node.value), r.value(node.slice)),
    "Tuple": Reading.take_tuple,
    "UnaryOp": Reading.take_unary,
    "Yield": Reading.take_yield,
    "YieldFrom": Reading.take_yield,
}
STATEMENTS = {
    "AnnAssign": lambda r, node: None if node.value is None else r.bind(node.target, r.value(node.value)),
    "Assert": lambda r, node: r.require(guards(r.value(node.test))[0]),
    "Assign": Reading.run_assign,
    "AugAssign": Reading.run_augmented,
    "Break": lambda r, node: "break",
    "ClassDef": Reading.run_class,
    "Continue": lambda r, node: "continue",
    "Delete": Reading.run_delete,
    "Expr": Reading.run_expression,
    "For": Reading.run_for,
    "FunctionDef": Reading.run_function,
    "Global": Reading.run_nonlocal,
    "If": Reading.run_if,
    "Import": Reading.run_import,
    "ImportFrom": Reading.run_import,
    "Match": Reading.run_match,
    "Nonlocal": Reading.run_nonlocal,
    "Raise": Reading.run_raise,
    "Return": Reading.run_return,
    "Try": Reading.run_try,
    "TryStar": Reading.run_try,
    "While": Reading.run_while,
    "With": Reading.run_with,
}
STATEMENTS.update({"Async" + name: STATEMENTS[name] for name in ("For", "FunctionDef", "With")})
ROW_METHODS = {
    "add": lambda r, row, item: r.extend(row, Row([item])),
    "append": lambda r, row, item: r.extend(row, Row([item])),
    "copy": lambda r, row: Row(row, getattr(row, "exact", True)),
    "difference": lambda r, row, other: r.operation("Sub", row, other),
    "extend": lambda r, row, items: r.extend(row, r.items(items)),
    "insert": lambda r, row, place, item: r.extend(row, Row([item])),
    "intersection": lambda r, row, other: r.operation("BitAnd", row, other),
    "union": lambda r, row, *others: r.chained([row, *others]),
    "update": lambda r, row, items: r.extend(row, r.items(items)),
    "discard": lambda r, row, *args: r.change(row, "remove", args),
    "remove": lambda r, row, *args: r.change(row, "remove", args),
    "pop": lambda r, row, *args: r.change(row, "pop", args),
    "clear": lambda r, row, *args: r.change(row, "clear", args),
    "reverse": lambda r, row, *args: r.change(row, "reverse", args),
}


def taken_out(reading, table, key, default=MISSING):
    value = reading.lookup(table, key, default)
    reading.put(table, key_of(key), MISSING)
    return value


def set_by_default(reading, table, key, default=None):
    if key_of(key) not in table:
        reading.put(table, key_of(key), default)
    return reading.lookup(table, key, default)


DICT_METHODS = {
    "clear": lambda r, table: [r.put(table, key, MISSING) for key in list(table)] and None,
    "copy": lambda r, table: dict(table),
    "get": lambda r, table, key, default=None: r.lookup(table, key, default),
    "items": lambda r, table: Row(table.items(), UNKNOWN not in table),
    "keys": lambda r, table: Row(table, UNKNOWN not in table),
    "pop": taken_out,
    "setdefault": set_by_default,
    "update": lambda r, table, *others, **named: [r.merge(table, other) for other in others + (named,)] and None,
    "values": lambda r, table: Row(table.values(), UNKNOWN not in table),
}
# Functions of Python's own, by their last names. They take the arguments by place and those by name.
BUILT_IN = {
    "ChainMap": lambda r, args, kwargs: (lambda table: [r.merge(table, one) for one in args[::-1]] and table)({}),
    "SimpleNamespace": lambda r, args, kwargs: Instance(cls=None, attrs=BUILT_IN["dict"](r, args, kwargs)),
    "FileType": lambda r, args, kwargs: Library(name="argparse.FileType"),
    "all": lambda r, args, kwargs: r.call_every(args[0], False),
    "any": lambda r, args, kwargs: r.call_every(args[0], True),
    "asdict": lambda r, args, kwargs: dict(args[0].attrs) if isinstance(args[0], Instance) else UNKNOWN,
    "attrgetter": lambda r, args, kwargs: r.picking(args, r.attribute),
    "auto": lambda r, args, kwargs: AUTO,
    "cast": lambda r, args, kwargs: args[1],
    "chain": lambda r, args, kwargs: r.chained(args),
    "defaultdict": lambda r, args, kwargs: r.merge(BUILT_IN["dict"](r, args[1:], kwargs), UNKNOWN),
    "dict": lambda r, args, kwargs: r.merge(r.merge({}, args[0] if args else None), kwargs),
    "enumerate": Reading.call_enumerate,
    "field": lambda r, args, kwargs: r.call(kwargs["default_factory"], [], {})
    if "default_factory" in kwargs
    else kwargs.get("default", MISSING),
    "fields": lambda r, args, kwargs: r.call_fields(args[0]),
    "filter": lambda r, args, kwargs: r.call_filter(args[0], args[1]),
    "from_iterable": lambda r, args, kwargs: r.chained(r.items(args[0])),
    "fromkeys": lambda r, args, kwargs: r.merge({}, r.rows([args[0], Row([(args + [None])[1]], False)])),
    "gather": lambda r, args, kwargs: Row(args),
    "getattr": lambda r, args, kwargs: r.call_getattr(*args[:3]) if args[1:] else UNKNOWN,
    "getenv": lambda r, args, kwargs: r.call_source(OS_ENVIRON, "get", args, kwargs),
    "getitem": lambda r, args, kwargs: r.item(args[0], args[1]),
    "hasattr": lambda r, args, kwargs: r.test(args[0], args[1]) if args[0] is JOB_ARGS else UNKNOWN,
    "isinstance": lambda r, args, kwargs: r.call_isinstance(args[0], args[1]),
    "itemgetter": lambda r, args, kwargs: r.picking(args, r.item),
    "list": lambda r, args, kwargs: r.items(args[0]) if args else Row(),
    "main of the script": lambda r, args, kwargs: r.call_main(
        r.arguments(r.main, args, kwargs) if isinstance(r.main, Function) else kwargs
    ),
    "map": lambda r, args, kwargs: Row(
        [r.call(args[0], list(row), {}) for row in r.rows(args[1:])], all(r.items(one).exact for one in args[1:])
    ),
    "namedtuple": Reading.call_namedtuple,
    "next": lambda r, args, kwargs: (lambda items: items[0] if items.exact and items else r.join(items + args[1:]))(
        r.items(args[0])
    ),
    "partial": lambda r, args, kwargs: Partial(function=args[0], args=args[1:], kwargs=kwargs),
    "what is wrapped": lambda r, args, kwargs: r.call_wrapped(args[0], args[1]),
    "wraps": lambda r, args, kwargs: Partial(function=Library(name="what is wrapped"), args=[args[0]], kwargs={}),
    "what is picked": lambda r, args, kwargs: r.call_picked(args[0], args[1], args[2]),
    "product": Reading.call_product,
    "range": Reading.call_range,
    "reduce": lambda r, args, kwargs: r.call_reduce(*args[:3]),
    "reversed": lambda r, args, kwargs: (lambda items: Row(items[::-1], items.exact))(r.items(args[0])),
    "setattr": lambda r, args, kwargs: r.put(args[0].attrs, key_of(args[1]), args[2])
    if isinstance(args[0], Instance)
    else None,
    "sorted": Reading.call_sorted,
    "starmap": lambda r, args, kwargs: Row(
        [r.call(args[0], list(r.items(row)), {}) for row in r.items(args[1])], r.items(args[1]).exact
    ),
    "str": lambda r, args, kwargs: r.over(lambda one: r.pure(str, r.as_text(one)), args[0]),
    "super": lambda r, args, kwargs: r.call_super(r.frame),
    "suppress": lambda r, args, kwargs: SUPPRESS
    if {last_of(arg) for arg in args} & {"KeyError", "LookupError", "Exception"}
    else UNKNOWN,
    "tuple": lambda r, args, kwargs: (lambda items: tuple(items) if items.exact else items)(
        r.items(args[0]) if args else Row()
    ),
    "vars": lambda r, args, kwargs: JOB_VARS
    if args[0] is JOB_ARGS
    else getattr(args[0], "attrs", getattr(args[0], "namespace", UNKNOWN)),
    "zip": lambda r, args, kwargs: r.rows(args),
}
for alias, known in (("Namespace", "SimpleNamespace"), ("OrderedDict", "dict"), ("set", "list"), ("frozenset", "list")):
    BUILT_IN[alias] = BUILT_IN[known]
BUILT_IN.update({"deque": BUILT_IN["list"], "zip_longest": BUILT_IN["zip"]})
