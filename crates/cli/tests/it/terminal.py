"""Runs a command on a terminal of a given size and passes on all that the terminal is sent.

usage: terminal.py ROWS COLUMNS AWAITED KEYS PROGRAM [ARGUMENT...]

Once AWAITED has been sent, KEYS are typed. Both may be empty.
"""

import fcntl
import os
import pty
import struct
import sys
import termios

rows, columns, awaited, keys, *command = sys.argv[1:]
process, terminal = pty.fork()
if process == 0:
    fcntl.ioctl(2, termios.TIOCSWINSZ, struct.pack("HHHH", int(rows), int(columns), 0, 0))
    os.execv(command[0], command)
sent = b""
while True:
    try:
        piece = os.read(terminal, 65536)
    except OSError:
        # How some systems say that nobody is at the other end any more.
        piece = b""
    if not piece:
        break
    sent += piece
    if keys and awaited.encode() in sent:
        os.write(terminal, keys.encode())
        keys = ""
sys.stdout.buffer.write(sent)
sys.stdout.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
