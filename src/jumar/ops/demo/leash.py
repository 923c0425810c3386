"""Runs a module as `python -m` would, and ends this process when the one that started it is gone.

The parent holds the other end of this process's standard input and never writes: the end of that pipe means that the
parent ended, however it did, a kill included. Then the module is asked to end as by SIGTERM, and made to after a
while. Works wherever pipes do.
"""

import os
import runpy
import signal
import sys
import threading

ASKED_S = 5.0
EXIT_ABANDONED = 1
_STDIN = 0


def main() -> None:
    """Run the module that the command line names, with the arguments that follow it."""
    threading.Thread(target=_watch, name="leash", daemon=True).start()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


def _watch() -> None:
    """Wait for the end of standard input; whatever is written there is not for us."""
    while os.read(_STDIN, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(ASKED_S)
    os._exit(EXIT_ABANDONED)


if __name__ == "__main__":
    main()
