#!/usr/bin/env python3
"""Draw what the command really prints as pictures for the documentation.

    scripts/make_pictures.py        run each command on a fresh demo company and write docs/pictures

Claude Code must be there (scripts/interop --install).

The commands run in a terminal of 100 columns, with a home of their own, and their output is drawn
as it came. Paths of the machine that drew them are shown as /home/lena.
"""

from __future__ import annotations

import os
import pty
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import CONSOLE_SVG_FORMAT, Console
from rich.text import Text

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
COLUMNS = 100
COMMANDS = {
    "connect-claude-desktop": "dealdesk connect claude-desktop --profile sales",
    "doctor": "dealdesk doctor",
    "connect-cursor": "dealdesk connect cursor --profile sales",
    "connect-vscode": "dealdesk connect vscode --profile sales",
    "connect-goose": "dealdesk connect goose --profile sales",
    "connect-json": "dealdesk connect json --server catalog",
    "connect-claude-code": "dealdesk connect claude-code --profile sales",
    "claude-mcp-list": "claude mcp list",
    "grant-mint": "dealdesk grant mint --agent shopper --tool match_need --tool get_product",
}
DRAWN_OVER = re.compile(r"[^\n]*\r(?:\x1b\[2K)?")
NOT_COLOUR = re.compile(r"\x1b\][^\x07]*\x07|\x1b\[[\d;?<>=]*[^m\d;?<>=]|[\x00-\x08\x0b-\x1a\x7f]")
"""What a terminal does besides colour: titles, cursor moves, single control characters."""
CLAUDE = "node/node_modules/@anthropic-ai/claude-code-*/claude"


def printed(command: str, home: Path) -> str:
    """Return what a command prints to a terminal, colours and all."""
    name = shlex.split(command)[0]
    script = Path(sys.executable).parent / name
    if name == "claude":
        (script,) = (PICTURES.parents[1] / ".interop").glob(CLAUDE)
    words = [str(script), *shlex.split(command)[1:]]
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "TERM": "xterm-256color"}
    environment |= {"COLUMNS": str(COLUMNS), "LANG": "C.UTF-8"}
    if name == "claude":  # on a terminal it draws over itself
        return subprocess.check_output(words, env=environment, cwd=home, text=True)
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        words, env=environment, cwd=home, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        parts = []
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the terminal is closed when the command ends
                break
            if not part:
                break
            parts.append(part)
    os.close(ours)
    if process.returncode:
        raise SystemExit(b"".join(parts).decode())
    text = b"".join(parts).decode().replace("\r\n", "\n")
    return NOT_COLOUR.sub("", DRAWN_OVER.sub("", text))


def picture(command: str, text: str) -> str:
    """Return an SVG of a terminal that shows a command and its output, with no font fetched."""
    console = Console(record=True, width=COLUMNS, file=open(os.devnull, "w"))  # noqa: SIM115
    console.print(Text.assemble(("$ ", "bold green"), (command, "bold")))
    console.print(Text.from_ansi(text.rstrip()))
    plain = re.sub(r"@font-face {.*?}\n", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    return console.export_svg(title="dealdesk", code_format=plain, unique_id="t")


def main() -> None:
    """Draw every command."""
    PICTURES.mkdir(parents=True, exist_ok=True)

    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        bin_folder = str(Path(sys.executable).parent)
        for name, command in COMMANDS.items():
            text = printed(command, home).replace(str(home), "/home/lena")
            text = text.replace(bin_folder, "/home/lena/dealdesk/.venv/bin")
            text = re.sub(r"eyJ[\w.-]{60,}", lambda m: f"{m[0][:60]}…", text)
            (PICTURES / f"{name}.svg").write_text(picture(command, text), encoding="utf-8")
            print(f"{name}.svg")


if __name__ == "__main__":
    main()
