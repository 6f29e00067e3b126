"""A grant for another stack says what it does: nothing unknown, nothing loose, no person's tool."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastmcp import Client

from dealdesk.minting import Wish, checked, server_of, signed
from orchestrator.errors import UsageError
from orchestrator.servers import Servers
from servers.crm.server import create_server
from servers.toolkit.database import Database
from servers.toolkit.grants import MAX_LIFETIME, SigningKey


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    folder = tmp_path_factory.mktemp("minting")
    made = Servers({}, SigningKey.load(folder / "keys").public)
    made._apps["crm"] = create_server(Database.open(folder / "crm.db", "crm"))
    yield made
    made.close()


@pytest.fixture
def signing(servers: Servers, tmp_path: Path) -> SigningKey:
    return SigningKey.load(tmp_path / "keys")


def test_a_tools_name_says_which_server() -> None:
    assert server_of(Wish("a", ["match_need"]), None)[0] == "catalog"
    server, wish = server_of(Wish("a", ["crm.get_account", "list_contacts"]), None)
    assert (server, wish.tools) == ("crm", ["get_account", "list_contacts"])
    assert server_of(Wish("a", resources=["finance://quotes/{quote_id}"]), None)[0] == "finance"
    assert server_of(Wish("a", prompts=["prepare_quote"]), None)[0] == "crm"
    card = Wish("a", ["get_quote"], ["ui://finance/quote-card.html"])
    assert server_of(card, None)[0] == "finance"


@pytest.mark.parametrize(
    ("wish", "server", "said"),
    [
        (Wish("a", ["get_account", "get_product"]), None, "opens one server"),
        (Wish("a", ["crm.get_account"]), "finance", "opens one server"),
        (Wish("a", ["erp.get_account"]), None, "no server 'erp'"),
        (Wish("a", ["get_acount"]), None, "no server has a 'get_acount'"),
        (Wish("a", prompts=["prepare_quot"]), None, "no server has a 'prepare_quot'"),
        (Wish("a", resources=["erp://orders"]), None, "no server 'erp'"),
        (Wish("a"), None, "opens nothing"),
    ],
)
def test_a_wish_for_no_one_server_is_refused(wish: Wish, server: str | None, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        server_of(wish, server)


def test_a_slip_is_answered_with_what_is_near() -> None:
    with pytest.raises(UsageError) as refusal:
        server_of(Wish("a", ["get_acount"]), None)
    assert "get_account" in refusal.value.fix


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (Wish("a"), "opens nothing"),
        (Wish("a", ["match_need"]), "crm has no tool 'match_need'"),
        (Wish("a", ["get_account"], ["crm://accounts"]), "no resource 'crm://accounts'"),
        (Wish("a", prompts=["hello"]), "no prompt 'hello'"),
        (Wish("a", ["get_account"], bind={"acount_id": ["x"]}), "no bindable argument 'acount_id'"),
        (Wish("a", ["get_account"], calls={"list_needs": 2}), "no granted tool 'list_needs'"),
        (Wish("a", ["get_account"], bind={"account_id": ["Alder"]}), "account_id is never 'Alder'"),
        (Wish("a", ["list_contacts"], bind={"limit": ["5"]}), "limit is no word"),
        (Wish("", ["get_account"]), "--agent takes a name"),
        (Wish("a\u202eb", ["get_account"]), "--agent takes a name"),
        (Wish("a" * 61, ["get_account"]), "--agent takes a name"),
    ],
)
async def test_what_would_open_or_bind_nothing_is_refused(
    servers: Servers, wish: Wish, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        await checked(servers, "crm", wish)


async def test_what_lists_is_bound_by_ids_it_does_not_take(servers: Servers) -> None:
    mine = {"account_id": ["acc_001"]}
    for wish in (
        Wish("a", ["search_accounts"], bind=mine),
        Wish("a", resources=["crm://opportunities"], bind=mine),
    ):
        grant, _ = await checked(servers, "crm", wish)
        assert grant.bind == {"account_id": ("acc_001",)}
    with pytest.raises(UsageError, match="no bindable argument 'opportunity_id'"):
        await checked(
            servers, "crm", Wish("a", ["get_account"], bind={"opportunity_id": ["opp_1"]})
        )


async def test_what_is_left_open_is_said(servers: Servers) -> None:
    _, left = await checked(servers, "crm", Wish("a", ["get_account", "list_activities"]))
    assert left == ["account_id", "opportunity_id"]
    _, left = await checked(servers, "crm", Wish("a", resources=["crm://accounts/{account_id}"]))
    assert left == ["account_id"]
    _, left = await checked(
        servers, "crm", Wish("a", ["get_account"], bind={"account_id": ["acc_001"]})
    )
    assert left == []


async def test_the_token_opens_exactly_what_was_wished(
    servers: Servers, signing: SigningKey
) -> None:
    wish = Wish(
        "shopper",
        ["get_account", "list_contacts"],
        ["crm://accounts/{account_id}"],
        ["review_opportunity"],
        {"account_id": ["acc_001"]},
        {"get_account": 0},
    )
    grant, _ = await checked(servers, "crm", wish)
    view = servers.app("crm").view(signed(signing, grant, 60), signing.public)
    async with Client(view) as client:
        assert {t.name for t in await client.list_tools()} == {"get_account", "list_contacts"}
        assert [t.uri_template for t in await client.list_resource_templates()] == wish.resources
        assert [p.name for p in await client.list_prompts()] == wish.prompts
        for name, arguments, said in (
            ("list_contacts", {"account_id": "acc_002"}, "NOT_FOUND"),
            ("list_addresses", {"account_id": "acc_001"}, "Unknown tool"),
            ("get_account", {"account_id": "acc_001"}, "BUDGET"),
        ):
            refused = await client.call_tool(name, arguments, raise_on_error=False)
            assert refused.is_error
            assert refused.content[0].text.startswith(said)


@pytest.mark.parametrize("ttl", [0, -1, MAX_LIFETIME + 1])
async def test_no_grant_lives_for_ever(servers: Servers, signing: SigningKey, ttl: int) -> None:
    grant, _ = await checked(servers, "crm", Wish("a", ["get_account"]))
    with pytest.raises(UsageError, match="a grant lives"):
        signed(signing, grant, ttl)


async def test_a_persons_tool_is_for_no_agent(tmp_path: Path) -> None:
    from servers.finance.server import create_server as create_finance

    finance = Servers({}, SigningKey.load(tmp_path / "keys").public)
    finance._apps["finance"] = create_finance(Database.open(tmp_path / "finance.db", "finance"))
    for tool in ("decide_approval", "withdraw_quote"):
        with pytest.raises(UsageError, match="a person's"):
            await checked(finance, "finance", Wish("a", [tool]))
    finance.close()
