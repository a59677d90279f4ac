"""The programs that a run starts, and the network addresses that it uses."""

import os
from _thread import get_ident
from _weakref import ref

# Modules that start a program to learn something about the machine, or an interpreter to share the work.
ASKING = frozenset("platform ctypes uuid sysconfig locale multiprocessing".split())
# The interpreters of joblib.
LOKY = os.path.join("externals", "loky", "")
SHELLS = frozenset(("sh", "bash", "dash", "zsh", "ksh"))


class Calls:
    def __init__(self, notes, files):
        self.notes = notes
        self.files = files
        # The host and port that each thread has asked the address of last.
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
        if os.path.basename(name) in SHELLS and len(arguments) > 2 and arguments[1] == "-c":
            word = ((self.notes.text_of(arguments[2]) or "").split() or [""])[0]
            if word and all(letter.isalnum() or letter in "._-+/" for letter in word):
                name = word
        if os.path.isabs(name):
            name = name[len(self.files.base) :] if name.startswith(self.files.base) else os.path.basename(name)
        self.notes.note_name("program", name)

    def looked_up(self, args):
        host, port = self.notes.text_of(args[0]), args[1] if len(args) > 1 else None
        if not host or all(letter in "0123456789abcdefABCDEF.:%" for letter in host) and not host.isalpha():
            return
        # What is connected to next is known by its name.
        if len(self.lookups) > 1_000:
            self.lookups.clear()
        self.lookups[get_ident()] = (port, host)
        if host not in ("localhost", own_name()):
            self.notes.note_name("address", address_of(host, port))

    def connect(self, args):
        address = args[-1]
        if isinstance(address, (str, bytes)):
            self.use_socket_file(address)
        elif is_internet(address):
            host, port = self.notes.text_of(address[0]), address[1]
            if not any(port == self.port_of(other()) for other in self.listening):
                looked_up = self.lookups.get(get_ident())
                if looked_up is not None and looked_up[0] == port:
                    host = looked_up[1]
                self.notes.note_name("address", address_of(host, port))

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

    def use_socket_file(self, path):
        path = self.notes.text_of(path)
        if path and "\0" not in path:
            path, status = self.files.locate(os.path.join(os.getcwd(), path))
            note = self.files.write if status is None else self.files.read
            note(path, status)

    def port_of(self, socket):
        try:
            return socket.getsockname()[1]
        except (OSError, AttributeError, LookupError, TypeError) as error:
            if self.notes.is_of_another(error):
                raise
            # It is closed or gone.
            return None


def is_internet(address):
    return isinstance(address, tuple) and len(address) >= 2 and isinstance(address[0], (str, bytes))


def address_of(host, port):
    host = f"[{host}]" if ":" in host else host
    return f"{host}:{port}" if port else host


def own_name():
    return os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME")
