"""Law and screening: clauses, payment terms, the list of names."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field as Bounds
from sqlalchemy import String, Text
from sqlmodel import Field

from servers.finance.facts.legal import TermLine
from servers.finance.tables.base import ID, AnyCountry, FinanceTable, Language
from servers.toolkit.columns import Json, WordLists, Words
from servers.toolkit.short_tables import constraints


class PaymentTerm(FinanceTable, table=True):
    """A payment term by code; `lines` are its instalments, `days` the latest one's."""

    code: Annotated[str, Bounds(pattern=r"^[A-Z][A-Z0-9-]{1,19}$", max_length=20)] = Field(
        primary_key=True
    )
    days: int = Field(ge=0, le=365)
    prepaid: bool
    description: str = Field(min_length=1, max_length=200)
    lines: tuple[TermLine, ...] = Field(default=(), sa_type=Json(tuple[TermLine, ...]))


class ClauseRow(FinanceTable, table=True):
    """A version of a clause in one language; its text is fixed by its hash."""

    __table_args__ = constraints(
        clause_status_known="status IN ('draft', 'approved', 'retired')",
        clause_approval_is_named=(
            "status = 'draft' OR (approved_by != '' AND approved_on IS NOT NULL)"
        ),
    )

    clause_id: Annotated[str, Bounds(pattern=r"^[A-Z][A-Z0-9-]{1,59}$", max_length=60)] = Field(
        primary_key=True
    )
    version: int = Field(primary_key=True, ge=1)
    language: Language = Field(primary_key=True)
    topic: Annotated[str, Bounds(pattern=r"^[a-z][a-z_]{1,39}$", max_length=40)]
    title: str = Field(min_length=3, max_length=120)
    text: str = Field(min_length=20, max_length=2_000, sa_type=Text)
    sha256: str = Field(max_length=64)
    status: Literal["draft", "approved", "retired"] = Field(default="approved", sa_type=String(12))
    owner: str = Field(max_length=ID)
    approved_by: str = Field(default="", max_length=ID)
    approved_on: date | None = None
    valid_from: date
    valid_to: date | None = None
    jurisdiction: AnyCountry = Field(default="", sa_type=String(2))
    mandatory: bool = False
    conflicts_with: Words = Field(default=(), sa_type=Json(Words))
    conditions: WordLists = Field(sa_type=Json(WordLists))


class ScreeningEntry(FinanceTable, table=True):
    """A name on the screening list; the list's own facts are in the setting `screening`."""

    entry_id: Annotated[
        str, Bounds(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,59}$", max_length=60)
    ] = Field(primary_key=True)
    name: str = Field(min_length=1, max_length=200)
    country: AnyCountry = Field(default="", sa_type=String(2))
    aliases: Words = Field(default=(), max_length=20, sa_type=Json(Words))


class EmbargoedCountry(FinanceTable, table=True):
    """A country that export-controlled items may not go to, whatever anybody says."""

    country: Annotated[str, Bounds(pattern=r"^[A-Z]{2}$", max_length=2)] = Field(primary_key=True)
    source: str = Field(min_length=1, max_length=200)
    checked_on: date
