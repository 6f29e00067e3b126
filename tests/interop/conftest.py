"""Real servers for other people's clients, with a count of what runs inside them."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))  # for e2e and fake_messages

from e2e import counted
from e2e.wire import SERVERS, World, http_server, world  # noqa: F401 - a fixture

from servers.profiles import profile_grant
from servers.toolkit.grants import Grant, new_grant_id

CALLS = {
    "crm": ("get_account", {"account_id": "acc_001"}),
    "catalog": ("get_product", {"sku": "SW-P8-120"}),
    "finance": ("check_credit", {"account_id": "acc_001", "amount_minor": 1000, "currency": "EUR"}),
}
"""One call per server that every client makes."""

REFUSED = {
    "crm": ("update_stage", {"opportunity_id": "opp_001", "stage": "won", "expected_version": 1}),
    "catalog": ("match_need", {"phrase": "8-port PoE switch"}),
    "finance": ("issue_quote", {"quote_id": "q_none"}),
}
"""One tool per server that exists and that the clients' grants do not hold."""


@dataclass(frozen=True)
class Desk:
    """The three servers: by a command (stdio), by an address (HTTP), and what ran inside."""

    world: World
    runs: Path
    addresses: dict[str, str]

    def grant(self, server: str) -> Grant:
        """Return a fresh grant of what a local reader may use, without the refused tool."""
        whole = profile_grant(server, "read")
        tools = whole.tools - {REFUSED[server][0]}
        return replace(whole, id=new_grant_id(), agent="client", run="interop", tools=tools)

    def token(self, grant: Grant) -> str:
        """Return the grant as a client carries it."""
        return self.world.signing.mint(grant, ttl=900)

    def stdio(self, server: str) -> list[str]:
        """Return the command a client starts; the grant goes into DEALDESK_GRANT."""
        return [*counted.command(self.runs, server), "--home", str(self.world.home)]

    def ran(self, grant: Grant) -> list[str]:
        """Return the tools that ran under a grant, wherever they ran."""
        return [one.name for one in counted.read(self.runs) if one.grant == grant.id]


@pytest.fixture(scope="session")
def desk(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:  # noqa: F811
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
