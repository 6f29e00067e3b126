"""Watch an import of prices: what it changes, and whether one person alone may do it."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import and_, select
from sqlmodel import Session, col

from servers.finance.assembly import assemble
from servers.finance.import_effects import Effects, ImportLimits, Picture, Repriced, compare
from servers.finance.store import stored_quotes
from servers.finance.store.collect import collect
from servers.finance.store.enrolment import OWNER
from servers.finance.store.policy import approver_of, policy, setting
from servers.finance.store.rows import keeping
from servers.finance.tables import prices as p
from servers.finance.tables.charges import ExchangeRate
from servers.finance.tables.quotes import Quote
from servers.toolkit import scope
from servers.toolkit.errors import DomainError, ForbiddenError
from servers.toolkit.grants import Grant
from servers.toolkit.ledger import audit_row
from servers.toolkit.migrate import audit_table
from servers.toolkit.money import trimmed

MOVE_PRICES = {
    *("items", "price_books", "prices", "tiers", "tier_bands", "options", "units", "bundles"),
    *("contracts", "promotions", "freight_rates", "fees", "exchange_rates", "policies"),
}


@dataclass
class ImportWatch:
    """Re-prices the `last` quotes before and after an import; `effects` then says what differs.

    Both persons are proved by whoever makes this; `proof` says for the audit how.
    """

    last: int = 200
    dry_run: bool = False
    importer: str = ""
    approver: str = ""
    proof: str = ""
    effects: Effects | None = None

    def __call__(self, session: Session, tables: Collection[str]) -> Callable[[], None]:
        """Look at the house before an import; what is returned looks again, and may refuse it."""
        before = _picture(session, self.last) if MOVE_PRICES & {*tables} else None
        if before is None or not before.quotes:
            return lambda: None
        limits = _limits(session)

        def after() -> None:
            self.effects = compare(before, _picture(session, self.last), limits)
            if self.effects.beyond and not self.dry_run:
                self._pass(session, "; ".join(self.effects.beyond))

        return after

    def _pass(self, session: Session, beyond: str) -> None:
        """Let a jump pass by two persons, and write both into the audit, or refuse it."""
        if not self.approver:
            raise ForbiddenError(
                f"one person alone does not import this: {beyond}",
                fix="--dry-run shows it; import it --as PERSON --approved-by ANOTHER "
                "(import_limits in policies says what one alone may do)",
            )
        house = policy(setting(session, "policies"))
        importer, second = (approver_of(session, one) for one in (self.importer, self.approver))
        if importer.person_id == second.person_id:
            raise ForbiddenError(f"{second.name} imports it, too", fix="ask another person")
        if not second.roles & {house.margin_role, house.default_role}:
            said = f"{second.person_id} is not a {house.margin_role} or {house.default_role}"
            raise ForbiddenError(said, fix="ask one to approve it")
        grant = Grant(id="import", audience="finance", person=self.importer, proof=self.proof)
        said = f"approved by {self.approver}"
        row = audit_row(grant, "import", f"import {said}", {"beyond": beyond}, "allowed", beyond)
        session.connection().execute(audit_table.insert(), [row])


def _limits(session: Session) -> ImportLimits:
    said = setting(session, "policies").get("import_limits") or {}
    return ImportLimits(**{name: Decimal(str(said[name])) for name in said})


def _picture(session: Session, last: int) -> Picture:
    session.expire_all()  # files are written past the rows that the session knows
    newest = select(Quote).where(col(Quote.status) != "superseded")
    newest = newest.order_by(col(Quote.created_at).desc(), col(Quote.quote_id)).limit(last)
    mark = scope.current_grant.set(OWNER)
    try:
        with keeping(session):
            quotes = {one.quote_id: _repriced(session, one) for one in session.scalars(newest)}
    finally:
        scope.current_grant.reset(mark)
    prices, below = {}, {}
    if quotes:
        for name, amount, cost in _prices(session):
            prices[name] = amount
            if cost is not None and amount < cost:
                below[name] = f"{amount:f}, which costs {trimmed(cost):f}"
    return Picture(quotes, prices, below)


def _repriced(session: Session, quote: Quote) -> Repriced:
    """Make a quote from its stored inputs again, on its own order date."""
    name, inputs = quote.number or quote.quote_id, stored_quotes.inputs_of(quote)
    try:
        facts = collect(session, inputs.request, quote.requested_by)
        made = assemble(facts, inputs, quote.quote_id, quote.revision, None)
    except DomainError as problem:
        return Repriced(name, quote.currency, why=problem.message)
    margin, untold = made.margin, made.price_approval
    needs = [*made.snapshot.approvals_needed, *([] if untold is None else [untold])]
    earned = None if margin is None else margin.hardware_margin_bp
    return Repriced(
        name,
        made.snapshot.currency,
        made.total_minor,
        tuple(sorted(f"{one.rule_id} ({one.role})" for one in needs)),
        earned,
        below_floor=margin is not None and earned is not None and earned < margin.floor_bp,
    )


def _prices(session: Session) -> Iterator[tuple[str, Decimal, Decimal | None]]:
    """Yield the amounts of books and contracts, the newest of a price last, with their costs."""
    rates = {one.currency: one.rate for one in session.scalars(select(ExchangeRate))}
    entry, book, item, unit = p.PriceEntry, p.PriceBook, p.ItemRow, p.ItemUnitRow
    pieces = and_(col(unit.sku) == col(entry.sku), col(unit.unit) == col(entry.unit))
    said = (entry.book, entry.sku, entry.unit, entry.min_qty, entry.amount, book.currency)
    costs = (item.cost, item.cost_currency, unit.numerator, unit.denominator)
    rows = (
        select(*(col(one) for one in (*said, *costs)))
        .join(book, col(book.book) == col(entry.book))
        .join(item, col(item.sku) == col(entry.sku))
        .outerjoin(unit, pieces)
        .where(col(entry.on_request).is_(False))
        .order_by(col(entry.valid_from).is_not(None), col(entry.valid_from))
    )
    for of, sku, each, least, amount, currency, cost, paid, many, by in session.execute(rows):
        name = f"{of} {sku}{each and f' per {each}'}{f' from {least}' if least else ''}"
        rate = Decimal(1) if paid == currency else rates.get(currency) if paid == "EUR" else None
        known = cost is not None and rate is not None
        yield name, amount, cost * rate * (many or 1) / (by or 1) if known else None
    agreed = select(p.ContractPrice).where(col(p.ContractPrice.kind) == "fixed")
    for one in session.scalars(agreed):
        yield f"contract {one.contract_id}", one.amount, None
