"""`dealdesk account new` and `opportunity new`: a customer and a deal, put on file by hand.

The rest of the CRM's work is done in a client, with the tools that these commands call.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from email.utils import parseaddr
from typing import TYPE_CHECKING, Annotated, Any, Literal

from dealdesk.cli.options import Home, Json, doc
from dealdesk.cli.output import money, tell
from dealdesk.cli.session import looking
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from dealdesk.desk import Desk

Kind = Literal["business", "consumer", "government", "reseller"]
Currency = Annotated[str, doc("EUR, USD ... (default: the country's, or the account's).")]


async def new_account(
    *,
    name: Annotated[str, doc("What the company is called.")],
    country: Annotated[str, doc("Its country: DE, IE ...")],
    legal_name: Annotated[str, doc("Its name in full, if that is another.")] = "",
    kind: Annotated[Kind, doc("What kind of buyer it is.")] = "business",
    currency: Currency = "",
    language: Annotated[str, doc("The language of its quotes.")] = "en",
    contact: Annotated[
        list[str] | None, doc('"Niamh Alder <niamh@alder.example>", again for each person.')
    ] = None,
    address: Annotated[
        str | None, doc('Where goods go: "Unit 4, Quay Road; T12 X0A1; Cork".')
    ] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Put a customer on file in the CRM, with people and an address."""
    people, place = [_person(one) for one in contact or ()], address and _place(address, country)
    said = {"name": name, "legal_name": legal_name, "country": country, "kind": kind}
    async with looking(home) as desk:
        made = await desk.look(
            "crm", "create_account", {**said, "currency": currency, "language": language}
        )
        mine = {"account_id": made["account_id"]}
        made["contacts"] = [
            await desk.look("crm", "add_contact", {**mine, **one}) for one in people
        ]
        if place:
            made["address"] = await desk.look("crm", "add_address", {**mine, **place})
    words = f"{made['account_id']} is {made['name']}, quoted in {made['currency']}. Finance needs "
    tell(made, words + "it too: dealdesk import finance customers FILE.", json)


async def new_opportunity(
    *,
    account: Annotated[str, doc("The account: its id or its name.")],
    name: Annotated[str, doc("What the deal is about.")],
    amount: Annotated[str | None, doc("What it may be worth: 12500 or 12500.50.")] = None,
    currency: Currency = "",
    close: Annotated[date | None, doc("The day it may close.")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Put a deal that may come on file in the CRM."""
    async with looking(home) as desk:
        found = await _account(desk, account)
        said: dict[str, Any] = {"account_id": found["account_id"], "name": name}
        if amount is not None:
            said["currency"] = currency or found["currency"]
            said["amount_minor"] = _minor(amount, said["currency"])
        if close is not None:
            said["close_date"] = close.isoformat()
        made = await desk.look("crm", "open_opportunity", said)
    worth = money(made["amount_minor"], made["currency"])
    words = f"{made['opportunity_id']} is {made['name']} of {made['account_name']}"
    tell(made, words + (f", {worth}." if amount is not None else "."), json)


async def _account(desk: "Desk", named: str) -> Mapping[str, Any]:
    """Return the one account that an id or a name means."""
    if not named.startswith("acc_"):
        found = await desk.look("crm", "resolve_account", {"text": named})
        if found["resolved"] is None:
            like = [f"{one['account_id']} ({one['name']})" for one in found["candidates"]]
            fix = f"one of: {', '.join(like)}" if like else "dealdesk account new"
            raise UsageError(f"{named!r} means no one account", fix=fix)
        named = found["resolved"]
    return await desk.look("crm", "get_account", {"account_id": named})


def _person(words: str) -> dict[str, str]:
    name, mail = parseaddr(words)
    if not name or "@" not in mail:
        raise UsageError(
            f"--contact {words!r} is not understood",
            fix='write "Niamh Alder <niamh@alder.example>"',
        )
    return {"name": name, "email": mail}


def _place(words: str, country: str) -> dict[str, Any]:
    parts: Sequence[str] = [part.strip() for part in words.split(";")]
    if len(parts) < 3 or not all((parts[0], parts[-1])):
        raise UsageError(
            f"--address {words!r} is not understood", fix='write "STREET; POSTAL CODE; CITY"'
        )
    *lines, code, city = parts
    where = {"lines": lines, "postal_code": code, "city": city}
    return {"kind": "shipping", "country": country, **where}


def _minor(amount: str, currency: str) -> int:
    from servers.toolkit.errors import InvalidInputError
    from servers.toolkit.money import to_minor

    try:
        return to_minor(Decimal(amount), currency)
    except (InvalidOperation, ValueError, InvalidInputError) as problem:
        raise UsageError(
            f"{amount!r} is no amount in {currency}", fix="write --amount 12500 or 12500.50"
        ) from problem
