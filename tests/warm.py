"""Processes that begin with the imports done: importing takes longer than most of what they do.

`keep` imports everything once and then forks a process for each who asks. `ask` is who asks: a
tiny program that hands over its arguments, environment, folder and standard streams, passes
signals on, and ends as the fork ends. So a test sees a process like any other, three seconds
sooner. The tests of what starting itself does (scripts, imports) start real ones.
"""

import json
import os
import select
import signal
import socket
import sys
from contextlib import suppress

IMPORTED = (
    "dealdesk.desk",
    "orchestrator.durable.engine",
    "orchestrator.runner",
    *("alembic.command", "cyclopts", "dbos", "docx", "griffe", "jsonref", "pypdf", "uvicorn"),
)


def ask(address: str, words: list[str]) -> None:
    """Have a process forked that runs `words`, and end as it ends."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(address)
        asked = json.dumps([words, os.getcwd(), dict(os.environ)]).encode()
        socket.send_fds(line, [len(asked).to_bytes(8, "big")], [0, 1, 2])
        line.sendall(asked)
        process = _number(line)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda number, _frame: os.kill(process, number))
        ended = os.waitstatus_to_exitcode(_number(line))
    if ended < 0:
        if -ended in (signal.SIGINT, signal.SIGTERM):
            signal.signal(-ended, signal.SIG_DFL)
        os.kill(os.getpid(), -ended)
    os._exit(ended)


def keep(address: str) -> list[str]:
    """Fork for all who ask, until stdin ends; in a fork, return what it is to run."""
    import gc
    import importlib
    import threading

    from servers.registry import NAMES
    from servers.toolkit.main import quiet

    quiet()
    for name in (*(f"servers.{name}.server" for name in NAMES), *IMPORTED):
        importlib.import_module(name)
    assert threading.active_count() == 1, "a thread does not live on in a fork"
    gc.freeze()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    os.write(1, b"ready\n")
    while True:
        ready, _, _ = select.select([listener, 0], [], [])
        _reap()
        if 0 in ready:
            os._exit(0)
        line, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            return _watch(line)
        line.close()


def _watch(line: socket.socket) -> list[str]:
    """Fork once more and tell the asker how that ended; in the fork, return what to run."""
    head, streams, _, _ = socket.recv_fds(line, 8, 3)
    asked = b""
    while len(asked) < int.from_bytes(head, "big"):
        asked += line.recv(65536)
    words, folder, variables = json.loads(asked)
    if (process := os.fork()) == 0:
        line.close()
        # a shell that puts us in the background has Ctrl-C ignored, and children inherit that
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(variables)
        return list(words)
    for stream in streams:
        os.close(stream)
    line.sendall(process.to_bytes(8, "big"))
    end = os.pidfd_open(process)
    ready, _, _ = select.select([end, line], [], [])
    if end not in ready:
        os.kill(process, signal.SIGKILL)  # the asker was killed
    _, status = os.waitpid(process, 0)
    if end in ready:
        line.sendall(status.to_bytes(8, "big"))
    os._exit(0)


def _reap() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


def _number(line: socket.socket) -> int:
    return int.from_bytes(line.recv(8, socket.MSG_WAITALL), "big")


def run(words: list[str]) -> None:
    """Run a module or a file with its arguments, as `python -m` and `python` do."""
    import runpy

    sys.argv = words
    if words[0].endswith(".py"):
        sys.path[0] = os.path.dirname(words[0])
        runpy.run_path(words[0], run_name="__main__")
    else:
        sys.path[0] = os.getcwd()
        runpy.run_module(words[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    if sys.argv[1] == "keep":
        run(keep(sys.argv[2]))
    else:
        ask(sys.argv[2], sys.argv[3:])
