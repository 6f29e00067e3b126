"""Who decides proves to be that person: by a live token, in the demo company by name alone."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastmcp import Client
from fastmcp.exceptions import ToolError
from fastmcp.utilities.tests import asgi_client
from finance_support import Clock, by, call, drafted, everyone
from mcp.shared.exceptions import MCPError

from servers.finance.approvals import check_approver
from servers.finance.facts.policy import Approver
from servers.finance.load.company import PEOPLE
from servers.finance.store.enrolment import Enrolment
from servers.finance.tables.house import Enrolled, Person
from servers.profiles import persons
from servers.toolkit.app import Server
from servers.toolkit.database import Database
from servers.toolkit.errors import ForbiddenError, InvalidInputError
from servers.toolkit.grants import Grant, SigningKey
from servers.toolkit.importing import import_file
from servers.toolkit.migrate import audit_table
from servers.toolkit.person_tokens import IN_THE_DEMO
from servers.toolkit.seeding import mark_own, seed_folder

MANAGER = Approver("per_a", "A", frozenset({"sales_manager"}), 1000, {"EUR": 100})
LEGAL = Approver("per_b", "B", frozenset({"legal"}), None, None, (MANAGER,))
ASKED: dict[str, Any] = {
    "role": "sales_manager",
    "requested_by": (),
    "discount_bp": 1000,
    "total_minor": 100,
    "currency": "EUR",
}


@pytest.fixture
def office(database: Database, clock: Clock) -> Enrolment:
    return Enrolment(database, clock)


@pytest.fixture
def own(database: Database) -> None:
    """A company of one's own, not the demo's: names alone prove nothing."""
    with database.write() as session:
        mark_own(session)


async def waiting(app: Server, opportunity_id: str = "opp_900") -> str:
    """Draft what a sales manager decides, ask for it; return the approval's id."""
    made = await drafted(app, discount_bp=800, opportunity_id=opportunity_id)
    asked = await call(app, everyone(), "request_approval", {"quote_id": made["quote_id"]})
    return str(asked["approvals"][0]["approval_id"])


async def decide(app: Server, shown: Grant | str, approval_id: str) -> dict[str, Any]:
    """Decide by what a caller shows: a grant, or the token of a grant or person."""
    async with Client(app.view(shown)) as client:
        asked = {"approval_id": approval_id, "decision": "approve"}
        done = await client.call_tool("decide_approval", asked)
    return dict(done.structured_content or {})


def audited(app: Server, component: str) -> list[tuple[str, str, str]]:
    app.ledger.audit.flush()
    mine = sa.select(audit_table).where(audit_table.c.component == component)
    with app.database.session() as session:
        rows = session.connection().execute(mine.order_by(audit_table.c.seq))
        return [(row.actor, row.outcome, row.reason) for row in rows]


async def test_a_token_decides_and_the_audit_says_which_it_was(
    app: Server, office: Enrolment, own: None
) -> None:
    token, _ = office.enroll("per_tomas", 1)
    done = await decide(app, token, await waiting(app))
    assert (done["decided_by"], done["quote_status"]) == ("per_tomas", "approved")
    with app.database.session() as session:
        row = session.scalars(sa.select(Enrolled)).one()
    assert row.token_id in token
    assert token.rpartition(".")[2] not in str(row), "it is not stored"
    assert audited(app, "decide_approval") == [("person:per_tomas", "allowed", row.token_id)]
    enrolled = ("local-user", "allowed", "the owner's command")
    assert audited(app, "person enroll per_tomas") == [enrolled]


Spoiled = Callable[[Enrolment, str], Grant | str]


def strike(office: Enrolment, person_id: str) -> None:
    with office.database.write() as session:
        session.delete(session.get_one(Person, person_id))


def _ended(end: Callable[[Enrolment], object]) -> Spoiled:
    def spoil(office: Enrolment, token: str) -> str:
        end(office)
        return token

    return spoil


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda _o, _t: by("per_tomas"), id="no token"),
        pytest.param(lambda _o, _t: by("per_tomas", proof="tok_1"), id="proof by word"),
        pytest.param(lambda _o, token: token[:-1], id="cut"),
        pytest.param(lambda _o, token: token + "A", id="longer"),
        pytest.param(lambda _o, token: token.replace("per_tomas", "per_ingrid"), id="renamed"),
        pytest.param(lambda _o, _t: "ddp.per_tomas..x", id="no id"),
        pytest.param(_ended(lambda o: o.revoke("per_tomas")), id="revoked"),
        pytest.param(_ended(lambda o: o.disable("per_tomas")), id="disabled"),
        pytest.param(_ended(lambda o: o.enroll("per_tomas", 1)), id="replaced"),
        pytest.param(_ended(lambda o: strike(o, "per_tomas")), id="no longer on file"),
    ],
)
async def test_without_a_live_token_there_is_no_decision(
    app: Server, office: Enrolment, own: None, spoil: Spoiled
) -> None:
    shown, approval = spoil(office, office.enroll("per_tomas", 1)[0]), await waiting(app)
    with pytest.raises(ToolError, match="Unknown tool: 'decide_approval'"):
        await decide(app, shown, approval)
    async with Client(app.view(shown)) as client:
        seen = {tool.name for tool in await client.list_tools()}
    assert not seen & persons("finance")


async def test_a_person_without_proof_is_nobody_and_sees_no_margin(app: Server, own: None) -> None:
    quote_id = (await drafted(app))["quote_id"]
    seen = await call(app, by("per_ingrid"), "get_quote", {"quote_id": quote_id})
    assert seen["margin"] is None
    (row,) = audited(app, "get_quote")
    assert row == ("local-user", "allowed", "not proved to be per_ingrid")


async def test_anothers_token_decides_as_the_other(
    app: Server, office: Enrolment, own: None
) -> None:
    token, _ = office.enroll("per_lena", 1)
    with pytest.raises(ToolError, match="per_lena"):
        await decide(app, token, await waiting(app))


@pytest.mark.parametrize(("seconds", "holds"), [(-1, True), (0, False), (1, False)])
async def test_a_token_holds_until_its_moment(
    app: Server, office: Enrolment, own: None, clock: Clock, seconds: int, holds: bool
) -> None:
    token, _ = office.enroll("per_tomas", 1)
    approval = await waiting(app)
    clock.forward(days=1, seconds=seconds)
    if holds:
        assert (await decide(app, token, approval))["decided_by"] == "per_tomas"
    else:
        with pytest.raises(ToolError, match="Unknown tool"):
            await decide(app, token, approval)


@pytest.mark.parametrize("days", [0, 367])
def test_a_token_lives_one_to_366_days(office: Enrolment, days: int) -> None:
    for held in (1, 366):
        office.enroll("per_tomas", held)
    with pytest.raises(InvalidInputError):
        office.enroll("per_tomas", days)


async def test_over_http_the_token_is_the_bearer_and_giving_it_back_ends_nothing(
    app: Server, office: Enrolment, own: None, tmp_path: Path
) -> None:
    signing = SigningKey.load(tmp_path / "keys")
    face = app.http_view(lambda: signing.public)
    token, _ = office.enroll("per_tomas", 1)
    approval = await waiting(app)
    for _ in range(2):
        async with asgi_client(face, auth=token) as client:
            await client.call_tool("release_grant")
    async with asgi_client(face, auth=token) as client:
        await client.call_tool("decide_approval", {"approval_id": approval, "decision": "reject"})
    office.disable("per_tomas")
    with pytest.raises((MCPError, RuntimeError)):
        async with asgi_client(face, auth=token) as client:
            await client.list_tools()
    signed = signing.mint(by("per_tomas"), ttl=60)
    async with asgi_client(face, auth=signed) as client:
        seen = {tool.name for tool in await client.list_tools()}
    assert seen
    assert not seen & persons("finance"), "the desk's own signature proves no person"


async def test_in_the_demo_a_name_is_enough_and_the_audit_says_so(app: Server) -> None:
    await decide(app, by("per_tomas"), await waiting(app))
    assert audited(app, "decide_approval") == [("person:per_tomas", "allowed", IN_THE_DEMO)]


@pytest.mark.parametrize("end", ["enroll", "disable"])
async def test_in_the_demo_too_an_enrolled_or_disabled_name_is_not(
    app: Server, office: Enrolment, end: str
) -> None:
    office.enroll("per_tomas", 1) if end == "enroll" else office.disable("per_tomas")
    with pytest.raises(ToolError, match="Unknown tool"):
        await decide(app, by("per_tomas"), await waiting(app))


def test_it_is_the_demo_until_people_come_in(database: Database) -> None:
    assert database.setting("seeded") == "demo"
    import_file(database, PEOPLE, seed_folder("finance") / "people.json")
    assert database.setting("seeded") == "own"


async def test_a_disabled_person_is_not_named_and_stays_so_when_a_file_names_them(
    app: Server, office: Enrolment, database: Database
) -> None:
    office.disable("per_tomas")
    import_file(database, PEOPLE, seed_folder("finance") / "people.json")
    quote_id = (await drafted(app, discount_bp=800))["quote_id"]
    asked = await call(app, everyone(), "request_approval", {"quote_id": quote_id})
    (open_,) = asked["next_step"]["decisions"]
    assert [one["person_id"] for one in open_["people"]] == ["per_ingrid"]
    token, _ = office.enroll("per_tomas", 1)
    done = await decide(app, token, open_["approval_id"])
    assert done["decided_by"] == "per_tomas", "the owner let them in again"


@pytest.mark.parametrize(("days", "may"), [(-1, True), (0, True), (1, False)])
async def test_a_deputy_decides_until_the_day_and_on_it(
    app: Server, office: Enrolment, own: None, clock: Clock, days: int, may: bool
) -> None:
    last = clock.moment.date() + timedelta(days=3)
    office.delegate("per_tomas", "per_jonas", last)
    token, _ = office.enroll("per_jonas", 30)
    approval = await waiting(app)
    clock.moment = clock.moment.replace(day=last.day, hour=22, minute=59)  # 23:59 in Berlin
    clock.forward(days=days)
    if not may:
        with pytest.raises(ToolError, match="per_jonas is not a sales_manager"):
            await decide(app, token, approval)
        return
    await decide(app, token, approval)
    with app.database.session() as session:
        note = session.connection().execute(sa.text("SELECT note FROM approval")).scalar_one()
    assert note == "In place of per_tomas."


async def test_a_deputy_of_somebody_disabled_has_nothing_of_theirs(
    app: Server, office: Enrolment, own: None, clock: Clock
) -> None:
    office.delegate("per_tomas", "per_jonas", clock.moment.date())
    office.disable("per_tomas")
    token, _ = office.enroll("per_jonas", 1)
    with pytest.raises(ToolError, match="per_jonas is not a sales_manager"):
        await decide(app, token, await waiting(app))


def test_a_deputy_has_the_limits_of_whom_they_stand_in_for_and_no_requests_of_theirs() -> None:
    assert check_approver(LEGAL, **ASKED) is MANAGER
    for change in ({"discount_bp": 1001}, {"total_minor": 101}, {"currency": "USD"}):
        with pytest.raises(ForbiddenError):
            check_approver(LEGAL, **ASKED | change)
    for who in ("per_a", "per_b"):
        for how in ("requested_by", "adjusted_by"):
            with pytest.raises(ForbiddenError):
                check_approver(LEGAL, **ASKED | {how: (who,)})


def test_no_delegation_to_oneself_or_into_the_past(office: Enrolment, clock: Clock) -> None:
    today = clock.moment.date()
    for deputy, until in (("per_tomas", today), ("per_lena", today - timedelta(days=1))):
        with pytest.raises(InvalidInputError):
            office.delegate("per_tomas", deputy, until)
    office.delegate("per_tomas", "per_lena", date(2026, 11, 23))
    office.delegate("per_tomas", "", None)
    assert all(one["deputy_id"] is None for one in office.people())


async def test_a_limit_holds_from_the_next_call_on(
    app: Server, office: Enrolment, own: None
) -> None:
    token, _ = office.enroll("per_tomas", 1)
    approval = await waiting(app)
    office.limit("per_tomas", {"max_discount_bp": 799})
    with pytest.raises(ToolError, match="above what per_tomas may approve"):
        await decide(app, token, approval)
    office.limit("per_tomas", {"max_discount_bp": 800})
    await decide(app, token, approval)
