"""`dealdesk connect`: enter the servers in an MCP client's own settings, or take them out."""

import asyncio
import json as jsons
import os
import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from dealdesk.cli.options import ServerOrAll, doc
from dealdesk.cli.output import clean, progress, result
from dealdesk.connect import entries, probe
from dealdesk.connect.clients import PROGRAMS, Program, usual_file
from dealdesk.connect.settings_file import SettingsFile
from dealdesk.settings import load_settings
from orchestrator.errors import EnvironmentProblem, UsageError
from servers.registry import NAMES

PROFILES = {
    "read": "looks only: it can search, read, price and explain, and changes nothing",
    "sales": "looks and drafts: it can also record needs, log activities and draft quotes",
    "admin": "looks, drafts and keeps the data: it can also move deals and issue approved quotes",
}
COLOURS = {"+": "green", "-": "red", "@": "cyan"}


@Parameter(name="*")
@dataclass(frozen=True)
class Options:
    """What to enter, and where."""

    server: Annotated[ServerOrAll, doc("Which servers.")] = "all"
    profile: Annotated[
        Literal["read", "sales", "admin"],
        doc("What the client may do: read looks, sales also drafts, admin also keeps the data."),
    ] = "read"
    http: Annotated[
        str | None, doc("Address of servers that run already, instead of a command to start them.")
    ] = None
    token_env: Annotated[
        str | None,
        doc("Name of the variable that holds the grant for --http; its value is never written."),
    ] = None
    dry_run: Annotated[bool, doc("Show the change and do nothing.")] = False
    remove: Annotated[bool, doc("Take the servers out again.")] = False
    link: Annotated[
        bool,
        doc("Print links that install the servers with one click, for VS Code, Cursor and Goose."),
    ] = False
    config_path: Annotated[
        Path | None, doc("Another settings file than the client's usual one, such as a project's.")
    ] = None
    home: Annotated[str | None, doc("The data folder, which every entry names.")] = None

    @property
    def servers(self) -> Sequence[str]:
        return NAMES if self.server == "all" else (self.server,)

    def file_of(self, program: Program) -> SettingsFile:
        path = self.config_path
        path = path.expanduser().absolute() if path else usual_file(program.name)
        return SettingsFile.read(program, path)


USUAL = Options()


async def connect(
    client: Annotated[
        Literal["claude-desktop", "claude-code", "cursor", "vscode", "goose", "json"],
        doc("Whose settings; `json` prints the entries for any other client and touches nothing."),
    ],
    /,
    *,
    options: Options = USUAL,
) -> int:
    """Connect an MCP client.

    Shows the change to the client's settings, tries the servers, keeps a copy, and writes.
    """
    program = PROGRAMS.get(client)
    _check(client, options)
    if options.link:
        return _print_links(client, options)
    if options.remove:
        assert program is not None  # noqa: S101 - checked
        return _take_out(options.file_of(program), options)
    wanted, notes = _wanted(program, options)
    if program is None:
        print(jsons.dumps({"mcpServers": wanted}, indent=2, ensure_ascii=False))
        return 0
    return await _enter(options.file_of(program), wanted, notes, options)


def _check(client: str, options: Options) -> None:
    http, token_env, path = options.http, options.token_env, options.config_path
    if options.remove and (http or token_env or options.link):
        raise UsageError("--remove needs only the client and --server")
    if client == "json" and (options.remove or path):
        raise UsageError("json prints entries and has no file", fix="name a client")
    if options.link and client not in ("vscode", "cursor", "goose"):
        raise UsageError(f"{client} has no links", fix="VS Code, Cursor and Goose have")
    if options.link and (http or path):
        raise UsageError("a link holds no address and no path of this machine", fix="leave it out")
    if token_env and not http:
        raise UsageError(
            "--token-env goes with --http: a server that the client starts serves a profile",
            fix="choose it with --profile",
        )
    if token_env and not re.fullmatch(r"[A-Za-z_]\w*", token_env, re.ASCII):
        raise UsageError("--token-env takes the name of a variable, never its value")


def _wanted(program: Program | None, options: Options) -> tuple[dict[str, Any], list[str]]:
    if options.http:
        places = entries.addresses(options.http, options.servers).items()
        token = options.token_env
        return {
            entries.entry_name(s): entries.by_address(program, s, url, token) for s, url in places
        }, []
    settings, installation = load_settings(home=options.home), entries.Installation.here()
    wanted = {}
    for server in options.servers:
        command, words = installation.command(server)
        words = [*words, *entries.server_arguments(server, options.profile, settings)]
        wanted[entries.entry_name(server)] = entries.by_command(program, server, command, words)
    new = "" if settings.home.exists() else " (made on the first start, with the demo company)"
    profile = f"Profile {options.profile} {PROFILES[options.profile]}."
    return wanted, [profile, f"Data: {settings.home}{new}"]


async def _enter(
    file: SettingsFile, wanted: dict[str, Any], notes: Sequence[str], options: Options
) -> int:
    """Show, try, write; whatever fails before the last step leaves the file as it was."""
    there = file.servers()
    wanted = {name: entries.merged(there.get(name), entry) for name, entry in wanted.items()}
    if all(there.get(name) == entry for name, entry in wanted.items()):
        _say(f"{file.program.title} has this already: nothing to change in {file.path}.")
        return 0
    after = file.with_entries(wanted)
    _show(file, after)
    for note in notes:
        _say(note)
    if options.dry_run:
        _say("Nothing was started or written (--dry-run).")
        return 0
    await _try(file.program, wanted, options.token_env)
    copy = file.write(after, datetime.now().astimezone())
    _say(f"\nWritten.{f' What was there before is in {copy.name}.' if copy else ''}")
    _say(file.program.then)
    elsewhere = file.path != usual_file(file.program.name)
    path = f" --config-path {shlex.quote(str(file.path))}" if elsewhere else ""
    _say(f"To take it back: dealdesk connect {file.program.name} --remove{path}")
    return 0


async def _try(program: Program, wanted: dict[str, Any], token_env: str | None) -> None:
    token = os.environ.get(token_env) if token_env else None
    if token_env and not token:
        raise EnvironmentProblem(
            f"{token_env} is not set, so the servers cannot be tried",
            fix=f"export {token_env}=$(dealdesk grant mint ...)",
        )
    with progress().status(f"Trying the servers as {program.title} will …"):
        counted = await asyncio.gather(
            *(probe.count_tools(entry, token=token) for entry in wanted.values()),
            return_exceptions=True,
        )
    broken = 0
    for name, count in zip(wanted, counted, strict=True):
        if isinstance(count, BaseException):
            if not isinstance(count, probe.ProbeProblem):
                raise count
            broken += 1
            _say(f"✗ {name}: {clean(count, 400)}")
        else:
            _say(f"✓ {name}: {count} tools")
    if broken:
        raise EnvironmentProblem(
            f"{broken} of {len(counted)} servers cannot be used; nothing was written",
            fix=_remedy(wanted),
        )


def _remedy(wanted: dict[str, Any]) -> str:
    command, _, url = entries.how_to_reach(next(iter(wanted.values())))
    if url:
        return "dealdesk serve starts one (--transport http); look at the grant if it runs"
    if Path(command).stem == "uv":
        return "uv tool install dealdesk, which starts without a network"
    return "dealdesk doctor"


def _take_out(file: SettingsFile, options: Options) -> int:
    there = file.servers()
    names = [
        entries.entry_name(server)
        for server in options.servers
        if entries.entry_name(server) in there
    ]
    if not names:
        _say(f"{file.program.title} has none of them: nothing to change in {file.path}.")
        return 0
    after = file.without_entries(names)
    _show(file, after)
    if options.dry_run:
        _say("Nothing was written (--dry-run).")
        return 0
    copy = file.write(after, datetime.now().astimezone())
    _say(f"Removed {', '.join(names)}.{f' What was there is in {copy.name}.' if copy else ''}")
    return 0


def _show(file: SettingsFile, after: bytes) -> None:
    new = "" if file.before is not None else " (new)"
    _say(f"{file.program.title}: {file.path}{new}\n")
    for line in file.difference(after):
        result().print(
            clean(line, 4000), style=COLOURS.get(line[:1]), markup=False, highlight=False
        )
    _say("")


def _print_links(client: str, options: Options) -> int:
    for server in options.servers:
        for link in entries.links(client, server, options.profile).values():
            print(link)
    words = "They start `uvx dealdesk`: for machines with uv and an index that has dealdesk."
    print(words, file=sys.stderr)
    return 0


def _say(words: str) -> None:
    result().print(words, markup=False)
