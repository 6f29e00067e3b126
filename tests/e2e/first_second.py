"""Makes a data folder by `dealdesk run`, and dies at a touch of a file or database in it.

A touch is what the interpreter's audit names (a file opened, linked, moved or made, a database
connected to) of the folder that DEALDESK_HOME names, or a statement to any database. It is given
the number of the touch to die at, or words that the touch begins with.
"""

import os
import signal
import sys
from typing import Any

import sqlalchemy as sa

from dealdesk.cli.main import main

HOME = os.environ["DEALDESK_HOME"]
GOAL = "Quote Alder & Finch for the switches they asked about last week"
EVENTS = ("open", "os.mkdir", "os.link", "os.rename", "os.remove", "sqlite3.connect")


def live(last: str) -> None:
    count = 0

    def touch(name: str) -> None:
        nonlocal count
        count += 1
        if str(count) == last or name.split()[:3] == last.split():
            os.kill(os.getpid(), signal.SIGKILL)

    def audited(event: str, given: tuple[Any, ...]) -> None:
        if event in EVENTS and any(HOME in str(one) for one in given):
            touch(event)

    def asked(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        touch(statement)

    sys.addaudithook(audited)
    sa.event.listen(sa.Engine, "before_cursor_execute", asked)
    main(["run", GOAL, "--json", "--order-date", "2026-11-23"])


if __name__ == "__main__":
    live(sys.argv[1])
