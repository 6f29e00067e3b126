"""Whether a tax number can be one: its form and its check digits, asked of nobody."""

from collections.abc import Iterator
from typing import Any

MODULES = {"eu_vat": "stdnum.eu.vat", "gb_vat": "stdnum.gb.vat", "no_mva": "stdnum.no.mva"}
MODULES |= {"ch_uid": "stdnum.ch.uid", "us_ein": "stdnum.us.ein"}


def has_form(scheme: str, value: str) -> bool:
    """Say whether a number has the form of its scheme; one of a scheme we do not know has."""
    from importlib import import_module

    return scheme not in MODULES or bool(import_module(MODULES[scheme]).is_valid(value))


def tax_id_doubts(row: Any) -> Iterator[str]:
    """Yield what a person should look at in a row with a tax number."""
    if not has_form(row.scheme, row.value):
        yield f"{row.value} does not have the form of {row.scheme}, and counts as not verified"
