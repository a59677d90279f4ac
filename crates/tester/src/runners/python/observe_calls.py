"""The programs that a run starts, and the network addresses that it uses."""

import os
import sys
from _thread import get_ident
from _weakref import ref

# Modules that start a program to learn something about the machine, or an interpreter to share the work.
ASKING = frozenset("platform ctypes uuid sysconfig locale multiprocessing".split())
# The interpreters of joblib.
LOKY = os.path.join("externals", "loky", "")
SHELLS = frozenset(("sh", "bash", "dash", "zsh", "ksh"))
# What comes before a command in a shell, and what a shell does itself.
KEYWORDS = frozenset("! { ( ( do elif else exec if then time until while".split())
BUILTINS = frozenset(
    """. : alias bg break case cd continue declare done esac eval exit export fg fi for function getopts hash jobs local
    popd pushd read readonly return set shift shopt source trap type ulimit umask unalias unset wait }""".split()
)


class Calls:
    def __init__(self, notes, files):
        self.notes = notes
        self.files = files
        # The port and host that each thread has asked the address of last, and where it has connected to it.
        self.lookups = {}
        self.listening = []

    def handlers(self):
        return {
            "subprocess.Popen": self.started,
            "os.exec": self.started,
            "os.posix_spawn": self.started,
            "os.startfile": self.started,
            "os.spawn": self.spawned,
            "os.system": self.system,
            "socket.getaddrinfo": self.looked_up,
            "socket.gethostbyname": self.looked_up,
            "socket.connect": self.connect,
            "socket.sendto": self.connect,
            "socket.sendmsg": self.connect,
            "socket.bind": self.bind,
        }

    def started(self, args):
        program, arguments = args[0], args[1] if len(args) > 1 else None
        self.program(program, arguments)

    def spawned(self, args):
        self.program(args[1], args[2])

    def system(self, args):
        self.program("sh", ["sh", "-c", args[0]])

    def program(self, program, arguments):
        caller = self.notes.caller(passed_over=("subprocess", "os", "asyncio"))
        if caller.split(".")[0] in ASKING or LOKY in caller:
            return
        arguments = arguments if isinstance(arguments, (list, tuple)) else [arguments]
        name = self.notes.text_of(program if program is not None else arguments[0])
        if name is None:
            return
        names = [name]
        if os.path.basename(name) in SHELLS:
            given = [self.notes.text_of(argument) or "" for argument in arguments[1:]]
            command = next((at for at, word in enumerate(given) if word[:1] == "-" and word[-1:] == "c"), len(given))
            names = programs_of("".join(given[command + 1 : command + 2])) or names
        for name in names:
            if os.path.isabs(name):
                name = name[len(self.files.base) :] if name.startswith(self.files.base) else os.path.basename(name)
            self.notes.note_name("program", name)

    def looked_up(self, args):
        host, port = self.notes.text_of(args[0]), args[1] if len(args) > 1 else None
        if not host or self.is_number(host):
            return
        # What is connected to next is known by its name.
        if len(self.lookups) > 1_000:
            self.lookups.clear()
        self.lookups[get_ident()] = [port, host, None]
        if host not in ("localhost", own_name()):
            self.notes.note_name("address", address_of(host, port))

    def connect(self, args):
        address = args[-1]
        if isinstance(address, (str, bytes)):
            self.use_socket_file(address)
        elif is_internet(address):
            host, port = self.notes.text_of(address[0]), address[1]
            if not any(port == self.port_of(other()) for other in self.listening):
                self.notes.note_name("address", address_of(self.name_of(host, port), port))

    def name_of(self, host, port):
        """The name of what is connected to: one that was looked up before, and was not connected to by other code since."""
        looked_up = self.lookups.get(get_ident())
        if looked_up is None or looked_up[0] != port:
            return host
        # All addresses of a host are tried at one place.
        place = self.notes.place()
        if looked_up[2] is None:
            looked_up[2] = place
        elif looked_up[2] != place:
            return host
        return looked_up[1]

    def bind(self, args):
        socket, address = args
        if isinstance(address, (str, bytes)):
            self.use_socket_file(address)
        elif is_internet(address):
            if address[1] == 0:
                # Nobody else can want it, and nobody else is connected to by it.
                self.listening.append(ref(socket))
            else:
                self.notes.note_name("address", address_of(self.notes.text_of(address[0]), address[1]))

    def use_socket_file(self, address):
        path = self.notes.text_of(address)
        if path and "\0" not in path:
            files = self.files
            path, status = files.locate(os.path.join(os.getcwd(), path))
            if not path.startswith((files.work, files.run_folder)) and not files.temporary.hold(path):
                self.notes.note_name("address", "unix:" + path[path.startswith(files.base) * len(files.base) :])
                if status is None:
                    files.write(path, status)

    def is_number(self, host):
        """Whether a host is given by its address."""
        # It has raised the event, and scripts find no module that they have not imported.
        socket = sys.modules["_socket"]
        for family in (socket.AF_INET, socket.AF_INET6):
            try:
                socket.inet_pton(family, host.partition("%")[0])
                return True
            except (OSError, ValueError) as error:
                if self.notes.is_of_another(error):
                    raise
        return host.replace(".", "").isdigit()

    def port_of(self, socket):
        try:
            return socket.getsockname()[1]
        except (OSError, AttributeError, LookupError, TypeError) as error:
            if self.notes.is_of_another(error):
                raise
            # It is closed or gone.
            return None


def programs_of(command):
    """The programs that a command for a shell starts, as far as its words say."""
    parts, quote = [""], None
    for before, letter in zip(" " + command, command):
        if quote is None and letter in "|;&\n" and not (letter == "&" and before in "<>"):
            parts.append("")
            continue
        if letter == quote:
            quote = None
        elif quote is None and letter in "'\"" and before != "\\":
            quote = letter
        parts[-1] += letter
    programs = []
    for part in parts:
        words = [word for word in part.split() if word not in KEYWORDS and "=" not in word]
        word = words[0].strip("()") if words else ""
        if word and word not in BUILTINS and all(letter.isalnum() or letter in "._-+/" for letter in word):
            programs.append(word)
    return programs


def is_internet(address):
    return isinstance(address, tuple) and len(address) >= 2 and isinstance(address[0], (str, bytes))


def address_of(host, port):
    host = f"[{host}]" if ":" in host else host
    return f"{host}:{port}" if port else host


def own_name():
    return os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME")
