"""`dealdesk grant`: a token on stdout opens what was asked for, until it is revoked."""

import asyncio
import io
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from fastmcp import Client

from servers.catalog.server import create_server
from servers.toolkit.database import Database
from servers.toolkit.grants import PublicKey

from .conftest import Command, Folder
from .test_cli import Copy

MINT = ("grant", "mint", "--agent", "shopper", "--tool", "match_need", "--tool", "get_product")


async def seen(home: Path, token: str) -> set[str]:
    """What the holder of a token may use on the catalog of a data folder."""
    database = Database.open(home / "catalog.db", "catalog")
    view: Any = create_server(database).view(token, PublicKey.load(home / "keys"))
    async with Client(view) as client:
        tools = {tool.name for tool in await client.list_tools()}
    database.close()
    return tools


def test_a_token_opens_a_few_tools_until_it_is_revoked(
    seeded: Folder, copy: Copy, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = copy(seeded)
    minted = command(*MINT, "--ttl", 600, home=home)
    assert minted.code == 0
    token = minted.out.strip()
    assert minted.out == token + "\n", "the token alone, so that a script can take it"
    assert minted.err == "shopper may use get_product, match_need of catalog, for 10 minutes.\n"
    assert asyncio.run(seen(home, token)) == {"match_need", "get_product"}

    monkeypatch.setattr("sys.stdin", io.StringIO(token + "\n"))
    revoked = command("grant", "revoke", "-")
    assert (revoked.code, revoked.err) == (0, "")
    assert revoked.out.endswith("of shopper opens nothing any more.\n")
    assert asyncio.run(seen(home, token)) == set()


def test_what_a_grant_opens_can_be_read_by_a_program(
    seeded: Folder, copy: Copy, command: Command
) -> None:
    bound = ("--tool", "get_account", "--bind", "account_id=acc_001", "--calls", "get_account=3")
    said = command("grant", "mint", "--agent", "looker", *bound, "--json", home=copy(seeded))
    assert (said.code, said.err) == (0, "")
    assert said.json | {"token": "", "grant": "", "expires": 0} == {
        "token": "",
        "grant": "",
        "expires": 0,
        "server": "crm",
        "agent": "looker",
        "tools": ["get_account"],
        "resources": [],
        "prompts": [],
        "bind": {"account_id": ["acc_001"]},
        "calls": {"get_account": 3},
        "left_open": [],
    }


README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("line", re.findall(r"^dealdesk (grant mint .*)$", README, re.MULTILINE))
def test_the_readmes_lines_mint(seeded: Folder, copy: Copy, command: Command, line: str) -> None:
    said = command(*shlex.split(line), home=copy(seeded))
    assert said.code == 0
    assert said.out.count(".") == 2, "a token has three parts"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((*MINT[:4], "--tool", "get_prodct"), "get_product"),
        ((*MINT, "--bind", "sku"), "NAME=VALUE"),
        ((*MINT, "--calls", "match_need=many"), "TOOL=NUMBER"),
        ((*MINT, "--calls", "match_need=" + "9" * 5000), "TOOL=NUMBER"),
        ((*MINT, "--ttl", "90000"), "--ttl"),
        (MINT[:4], "opens nothing"),
        (("grant", "revoke", "not.a.token"), "no live grant"),
    ],
)
def test_a_grant_that_makes_no_sense_is_refused(
    seeded: Folder, copy: Copy, command: Command, words: tuple[str, ...], says: str
) -> None:
    command(*words, home=copy(seeded)).fails(2, says)
