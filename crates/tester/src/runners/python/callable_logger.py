"""The logger of a `main` that asks for one: it can be called too, because some scripts are handed `print`."""

import sys


def make(name, logging):
    class Logger(logging.Logger):
        def __call__(self, *args, **kwargs):
            self.info("%s", " ".join(str(arg) for arg in args))

    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    logger = Logger(name)
    logger.parent = logging.getLogger()
    return logger
