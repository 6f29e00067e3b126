"""`dealdesk`: the command, assembled from modules that are imported when they are needed.

`dealdesk --help` imports none of fastmcp, sqlmodel, dbos and anthropic; a test keeps it so. What a
command says of itself is the docstring of its function.
"""

import os
import sys
from collections.abc import Sequence
from importlib.metadata import version

from cyclopts import App, Parameter

from dealdesk.cli.exit_codes import INTERRUPTED, code_of
from dealdesk.cli.options import shown_default
from dealdesk.cli.output import clean
from orchestrator.errors import DealdeskError
from servers.toolkit.shipped import shipped
from servers.toolkit.starting import start_quickly

HELP = ("--help", "-h")
_FILE = shipped(__package__, "commands")
COMMANDS: dict[str, str] = _FILE["commands"]
"""Every command and the function that it is."""


def build() -> App:
    app = App(
        name="dealdesk",
        version=version("dealdesk"),
        help="A deal desk over MCP: from a goal to a checked, priced, approved quote.",
        suppress_keyboard_interrupt=False,
        default_parameter=Parameter(negative=(), show_default=shown_default),
    )
    for words, function in COMMANDS.items():
        group, _, name = words.rpartition(" ")
        if group and group not in app:
            app.command(App(name=group, help=_FILE["groups"][group]))
        above = app[group] if group else app
        above.command(f"dealdesk.cli.{function}", name=name)
    return app


def import_listed(app: App, words: Sequence[str]) -> None:
    """Import the commands that help is about to list, for what their docstrings say."""
    named = [word for word in words if word not in HELP]
    _, apps, rest = app.parse_commands(named)
    if not rest or named != list(words):
        for name in apps[-1]:
            apps[-1][name]


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; every problem is one clear line and an exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    if arguments is None:  # the process is ours
        os.umask(0o077)  # what it writes is for its user alone
        start_quickly()
    try:
        app = build()
        import_listed(app, words)
        app(words)
    except KeyboardInterrupt:
        runs = words[:1] in (["run"], ["runs"]) or words[:2] == ["quote", "new"]
        on = "; `dealdesk runs resume` goes on from here" if runs else ""
        print(f"dealdesk: interrupted{on}.", file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads on
        raise SystemExit(0) from None
    except Exception as problem:
        if os.environ.get("DEALDESK_DEBUG") and not isinstance(problem, DealdeskError):
            raise
        print(f"dealdesk: {_in_words(problem)}", file=sys.stderr)
        raise SystemExit(code_of(problem)) from None


def _in_words(problem: Exception) -> str:
    """Return what is wrong and what helps; a server's own error says both."""
    message, fix = getattr(problem, "message", ""), getattr(problem, "fix", "")
    if not message:  # a mistake of ours
        said = " ".join(str(problem).split()) or "no more is known"
        message, fix = f"{type(problem).__name__}: {said}", "DEALDESK_DEBUG=1 shows where"
    end = "" if message.endswith(("?", "!")) else "."
    words = f"{message.rstrip('.')}{end}" + (f" Try: {fix.rstrip('.')}." if fix else "")
    return clean(words, 2000)
