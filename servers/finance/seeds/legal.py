"""Fill in law, credit and screening from the seed files."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from servers.finance.facts.clauses import DEFAULT_LANGUAGE
from servers.finance.law.clauses import hash_of
from servers.finance.seeds import rows
from servers.finance.seeds import rows_legal as legal
from servers.finance.seeds.reading import read_json
from servers.finance.tables.base import FinanceTable
from servers.finance.tables.customers import ReceivableRow
from servers.finance.tables.house import Setting
from servers.finance.tables.legal import ClauseRow, PaymentTerm, ScreeningEntry
from servers.toolkit.errors import InvalidInputError


def house(folder: Path) -> Iterator[FinanceTable]:
    """Yield payment terms, clauses and the screening list."""
    rows.checked(
        legal.CreditPolicySeed,
        read_json(folder / "policies.json").get(
            "credit", {"share_parent_limit": False, "rows": []}
        ),
        "policies.json, credit",
    )
    for term in rows.json_rows(folder / "payment_terms.json", legal.PaymentTermSeed):
        yield payment_term(term)
    clauses = list(rows.json_rows(folder / "clauses.json", legal.ClauseSeed))
    check_library(clauses)
    yield from map(clause, clauses)
    path = folder / "screening.json"
    said = read_json(path)
    about = {name: value for name, value in said.items() if name != "entries"}
    rows.checked(legal.ScreeningListSeed, about, path.name)
    yield Setting(name="screening", value=about)
    for entry in rows.json_rows(path, legal.ScreeningSeed, said["entries"]):
        yield ScreeningEntry(**entry.model_dump(exclude={"programme"}))


def receivables(folder: Path) -> Iterator[FinanceTable]:
    """Yield the open invoices; a house may have none on file."""
    path = folder / "receivables.json"
    if not path.exists():
        return
    customers = {row["account_id"] for row in read_json(folder / "customers.json")}
    for bill in rows.json_rows(path, legal.ReceivableSeed):
        if bill.account_id not in customers:
            raise InvalidInputError(
                f"receivables.json: {bill.invoice_no} names {bill.account_id}, "
                "which customers.json does not have",
                fix="mend the row",
            )
        yield ReceivableRow(**bill.model_dump())


def payment_term(term: legal.PaymentTermSeed) -> PaymentTerm:
    """Return the row of a payment term, with what follows from its instalments."""
    return PaymentTerm(
        code=term.code,
        description=term.description,
        days=term.latest,
        prepaid=term.in_advance,
        lines=term.parts(),
    )


def clause(seed: legal.ClauseSeed) -> ClauseRow:
    """Return the row of a clause; finance makes the hash, nobody hands it in."""
    return ClauseRow(
        **seed.model_dump(exclude={"when", "owner"}),
        owner=seed.owner or seed.approved_by,
        conditions={str(key): tuple(values) for key, values in seed.when.items()},
        sha256=hash_of(seed.text),
    )


def check_library(clauses: Iterable[legal.ClauseSeed]) -> None:
    """Refuse a version given twice, a conflict with no clause, a translation of nothing.

    Raises:
        InvalidInputError: naming the clause.
    """
    seen: set[tuple[str, int, str]] = set()
    originals: dict[str, legal.ClauseSeed] = {}
    every = list(clauses)
    for one in every:
        key = (one.clause_id, one.version, one.language)
        if key in seen:
            raise _wrong(one, f"version {one.version} in {one.language} is there twice")
        seen.add(key)
        if one.language == DEFAULT_LANGUAGE:
            originals[one.clause_id] = one
    for one in every:
        original = originals.get(one.clause_id)
        if original is None:
            raise _wrong(one, f"there is no text in {DEFAULT_LANGUAGE}")
        if (one.topic, one.when) != (
            original.topic,
            original.when,
        ) and one.language != DEFAULT_LANGUAGE:
            raise _wrong(one, "a translation has another topic or condition than its original")
        for other in one.conflicts_with:
            if other not in originals:
                raise _wrong(one, f"conflicts_with names {other}, which is no clause")


def _wrong(one: legal.ClauseSeed, what: str) -> InvalidInputError:
    return InvalidInputError(f"clauses.json: {one.clause_id}: {what}", fix="mend the row")
