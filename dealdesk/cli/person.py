"""`dealdesk person`: who may decide, proved by what, and how far; for the owner of the desk.

The owner is whoever can open the desk's private key on this account. No tool does any of this.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from dealdesk.cli.options import Home, Json, doc
from dealdesk.cli.output import print_json, say, table
from orchestrator.errors import CredentialsError, UsageError

Who = Annotated[str, doc("The person's id in finance, per_tomas say.")]
NO_LIMIT = "none"


def enroll_person(
    person: Who,
    /,
    *,
    days: Annotated[int, doc("How many days the token holds, 366 at most.")] = 90,
    home: Home = None,
    json: Json = False,
) -> None:
    """Give a person the token that proves them.

    It is shown this once, takes the place of an earlier one, and lets a disabled person in again.
    """
    with _office(home) as office:
        token, until = office.enroll(person, days)
    if json:
        print_json({"person_id": person, "token": token, "expires_at": until})
        return
    print(token)
    words = f"For {person} alone, until {until}; it is shown this once. A prompt asks for it, a "
    print(words + "script sends it in DEALDESK_PERSON_TOKEN.", file=sys.stderr)


def list_people(*, home: Home = None, json: Json = False) -> None:
    """List who may decide, how far, and until when their token and their deputy hold."""
    with _office(home) as office:
        people = office.people()
    if json:
        print_json(people)
        return
    columns = ("person", "name", "roles", "discount", "total", "token", "deputy", "until")
    table(columns, [_row(one) for one in people])


def limit_person(
    person: Who,
    /,
    *,
    discount: Annotated[
        str | None, doc("The largest discount they approve, in percent, or `none` for no limit.")
    ] = None,
    total: Annotated[
        list[str] | None,
        doc("EUR=50000, again for each currency: the largest totals; `none` for no limit."),
    ] = None,
    home: Home = None,
) -> None:
    """Set how far a person may approve.

    The totals given take the place of all there were. Nobody sets their own.
    """
    from dealdesk.cli.quote_revision import basis_points

    changes: dict[str, Any] = {}
    if discount is not None:
        changes["max_discount_bp"] = None if discount == NO_LIMIT else basis_points(discount)
    if total is not None:
        changes["max_total"] = None if total == [NO_LIMIT] else dict(map(_amount, total))
    if not changes:
        raise UsageError("no limit is given", fix="--discount 10 or --total EUR=50000")
    with _office(home, about=person) as office:
        office.limit(person, changes)
    say(f"The limits of {person} are set.")


def delegate_person(
    person: Who,
    to: Annotated[
        str | None, doc("Who stands in for them; left out, nobody does any more.")
    ] = None,
    /,
    *,
    until: Annotated[date | None, doc("The last day of it.")] = None,
    home: Home = None,
) -> None:
    """Let another decide within a person's roles and limits, until a day and on it.

    Nobody lengthens their own.
    """
    if (to is None) != (until is None):
        raise UsageError("a deputy and a day go together", fix="per_ingrid --until 2026-12-24")
    with _office(home, about=person, deputy=to) as office:
        office.delegate(person, to or "", until)
    said = "Nobody stands in" if to is None else f"{to} stands in until {until}"
    say(f"{said} for {person}.")


def revoke_person(person: Who, /, *, home: Home = None) -> None:
    """End a person's token at once."""
    with _office(home) as office:
        office.revoke(person)
    say(f"The token of {person} proves nothing any more.")


def disable_person(person: Who, /, *, home: Home = None) -> None:
    """End at once all that a person may do: their token, and deputies on either side."""
    with _office(home) as office:
        office.disable(person)
    say(f"{person} decides nothing any more.")


@contextmanager
def _office(
    home: str | None, *, about: str | None = None, deputy: str | None = None
) -> Iterator[Any]:
    """Open who is enrolled, for an owner who sets neither their own limit nor their own deputy."""
    from dealdesk.keys import signing_key
    from dealdesk.settings import load_settings
    from orchestrator.servers import read_elsewhere
    from servers.registry import enrolment
    from servers.toolkit.errors import InvalidInputError, NotFoundError

    settings = load_settings(home=home)
    if "finance" in read_elsewhere(settings.servers):
        raise UsageError(
            "finance runs elsewhere", fix="enrol people where its database and the desk's key are"
        )
    pair = [(settings.home / "keys" / name).exists() for name in ("grant.pub", "grant.pem")]
    if pair == [True, False] and not os.environ.get("DEALDESK_GRANT_KEY"):
        raise CredentialsError(
            f"{settings.home} has no private key", fix="the owner of the desk has it, and enrols"
        )
    signing_key(settings)
    if settings.person is not None and settings.person in (about, deputy):
        raise CredentialsError(
            f"{settings.person} does not set what {settings.person} may do",
            fix="another owner of the desk does",
        )
    try:
        with enrolment(settings.server_url("finance")) as office:
            yield office
    except (InvalidInputError, NotFoundError) as problem:
        raise UsageError(problem.message, fix=problem.fix) from problem


def _amount(word: str) -> tuple[str, Decimal]:
    if re.fullmatch(r"[A-Z]{3}=[0-9]{1,12}(\.[0-9]{1,3})?", word) is None:
        raise UsageError(f"{word!r} is no limit", fix="write --total EUR=50000")
    return word[:3], Decimal(word[4:])


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    points, totals = one["max_discount_bp"], one["max_total"]
    return (
        one["person_id"],
        one["name"],
        ", ".join(one["roles"]),
        "any" if points is None else f"{Decimal(points) / 100:f}%",
        "any" if totals is None else ", ".join(f"{totals[c]} {c}" for c in totals) or "none",
        "disabled" if one["disabled"] else one["expires_at"] or "none",
        one["deputy_id"] or "",
        one["deputy_until"] or "",
    )
