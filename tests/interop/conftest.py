"""Real servers for other people's clients, with a count of what runs inside them."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).parent.parent))  # for e2e and fake_messages

from e2e import counted
from e2e.wire import World, http_server

from servers.profiles import profile_grant
from servers.registry import NAMES, open_server
from servers.toolkit.grants import Grant, SigningKey, new_grant_id
from servers.toolkit.migrate import audit_table

CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "crm": ("get_account", {"account_id": "acc_001"}),
    "catalog": ("get_product", {"sku": "SW-P8-120"}),
    "finance": ("check_credit", {"account_id": "acc_001", "amount_minor": 1000, "currency": "EUR"}),
}
"""One call per server that every client makes."""

SERVERS = tuple(CALLS)

BOUND = {
    "crm": {"account_id": "acc_002"},
    "catalog": {"sku": "SW-P16-240"},
    "finance": {"account_id": "acc_002"},
}
"""What makes the same call one that the client's grant does not allow."""

UNLISTED: dict[str, tuple[str, dict[str, Any]]] = {
    "crm": ("update_stage", {"opportunity_id": "opp_001", "stage": "won", "expected_version": 1}),
    "catalog": ("match_need", {"phrase": "8-port PoE switch"}),
    "finance": ("issue_quote", {"quote_id": "q_none"}),
}
"""A call of a tool that is there and that the client's grant does not hold."""


@dataclass(frozen=True)
class Verdict:
    """What a client did: the protocol version it spoke, and the calls that ran and did not."""

    era: str
    called: int
    refused: int


@dataclass(frozen=True)
class Desk:
    """The three servers: by a command (stdio), by an address (HTTP), and what ran inside."""

    world: World
    runs: Path
    addresses: dict[str, str]

    def grant(self, server: str) -> Grant:
        """Return a fresh grant of what a local reader may use, for one account or product."""
        whole = profile_grant(server, "read")
        return replace(
            whole,
            id=new_grant_id(),
            agent="client",
            run="interop",
            tools=whole.tools - {UNLISTED[server][0]},
            bind={name: (CALLS[server][1][name],) for name in BOUND[server]},
        )

    def token(self, grant: Grant) -> str:
        """Return the grant as a client carries it."""
        return self.world.signing.mint(grant, ttl=900)

    def stdio(self, server: str) -> list[str]:
        """Return the command a client starts; the grant goes into DEALDESK_GRANT."""
        return [*counted.command(self.runs, server), "--home", str(self.world.home)]

    def judge(self, server: str, grant: Grant) -> Verdict:
        """Say what came of a client's calls, from inside the server.

        What ran is counted in the tools' bodies. What was refused is read in the audit, which
        is asked only how much was tried: nothing but the one call may have run.
        """
        ran = [one for one in counted.read(self.runs) if one.grant == grant.id]
        assert {one.name for one in ran} == {CALLS[server][0]}
        denied = sa.and_(audit_table.c.grant_id == grant.id, audit_table.c.outcome == "denied")
        with self.world.apps[server].database.session() as session:
            count = sa.select(sa.func.count()).select_from(audit_table).where(denied)
            refused = int(session.connection().execute(count).scalar_one())
        (era,) = {one.era for one in ran}
        return Verdict(era, len(ran), refused)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A data folder of the demo company, and the servers open on it in this process."""
    home = tmp_path_factory.mktemp("home")
    apps = {name: open_server(name, str(home / f"{name}.db"))[0] for name in NAMES}
    yield World(home, apps, SigningKey.load(home / "keys"))
    for app in apps.values():
        app.ledger.audit.flush()
        app.database.close()


@pytest.fixture(scope="session")
def desk(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Serve the seeded company over HTTP, every body that runs noted in one file."""
    runs = tmp_path_factory.mktemp("runs") / "runs.jsonl"
    with ExitStack() as stack:
        addresses = {
            name: stack.enter_context(
                http_server(name, world.home, command=counted.command(runs, name))
            )
            for name in SERVERS
        }
        yield Desk(world, runs, addresses)
