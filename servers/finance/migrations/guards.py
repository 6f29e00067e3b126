"""The guards of stored quotes: triggers that hold whatever program writes to the database.

- what a quote says never changes, from the first draft on: a change is a new revision;
- number, issue time and validity are written once, at issue; acceptance once, at acceptance;
- the status moves only along the arrows below; an issued quote is never deleted;
- an approval is decided once and used once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

FROZEN = (
    *("quote_id", "account_id", "opportunity_id", "revision", "chain", "revises", "currency"),
    *("total_minor", "order_date", "digest", "inputs", "snapshot", "margin"),
    *("created_at", "created_by", "requested_by"),
)
ISSUE = ("number", "issued_at", "valid_until")
APPROVAL_FROZEN = (
    *("approval_id", "quote_id", "rule_id", "role", "reason", "digest"),
    *("requested_by", "requested_at", "expires_at"),
)
ARROWS = {
    "draft": ("waiting", "approved", "issued", "withdrawn", "superseded", "rejected"),
    "waiting": ("approved", "rejected", "withdrawn", "superseded"),
    "approved": ("waiting", "issued", "rejected", "withdrawn", "superseded"),
    "issued": ("withdrawn", "superseded", "expired"),
}


@dataclass(frozen=True)
class Guards:
    """What the guards of one schema keep; each migration that changes them has its own."""

    frozen: tuple[str, ...] = FROZEN
    issue: tuple[str, ...] = ISSUE
    acceptance: tuple[str, ...] = ()
    closing: tuple[str, ...] = ()
    arrows: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: ARROWS)
    approval_frozen: tuple[str, ...] = APPROVAL_FROZEN


FIRST = Guards()
SECOND = Guards(
    frozen=(*FROZEN, "entity_id"),
    issue=(*ISSUE, "price_lock_until"),
    acceptance=("accepted_at", "accepted_by", "acceptance_reference"),
    closing=("superseded_by",),
    arrows={**ARROWS, "issued": ("accepted", "withdrawn", "superseded", "expired")},
    approval_frozen=(*APPROVAL_FROZEN, "sequence"),
)

_NO_REPLACE = (  # INSERT OR REPLACE would slip past the others
    "CREATE TRIGGER {table}_guard_replace BEFORE INSERT ON {table} "
    "WHEN EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key}) "
    "BEGIN SELECT RAISE(ABORT, 'a {table} is never replaced'); END"
)


def _changed(names: tuple[str, ...], differs: str) -> str:
    return " OR ".join(f"OLD.{name} {differs} NEW.{name}" for name in names)


def _bad_move(arrows: Mapping[str, tuple[str, ...]]) -> str:
    steps = " OR ".join(
        f"(OLD.status = '{start}' AND NEW.status IN ({', '.join(repr(e) for e in ends)}))"
        for start, ends in arrows.items()
    )
    return f"OLD.status <> NEW.status AND NOT ({steps})"


def _rules(guards: Guards, differs: str) -> list[tuple[str, str, str, str]]:
    """Return (table, event, condition, message) of every guard."""
    decided = (  # what was approved may still lapse
        "OLD.status <> 'pending' AND OLD.status <> NEW.status "
        "AND NOT (OLD.status = 'approved' AND NEW.status = 'expired')"
    )
    redecided = f"OLD.decided_by IS NOT NULL AND ({_changed(('decided_by', 'note'), differs)})"
    reused = f"OLD.used_at IS NOT NULL AND ({_changed(('used_at',), differs)})"
    reissued = f"OLD.issued_at IS NOT NULL AND ({_changed(guards.issue, differs)})"
    fixed = _changed(guards.approval_frozen, differs)
    rules = [
        ("quote", "UPDATE", _changed(guards.frozen, differs), "what a quote says never changes"),
        ("quote", "UPDATE", reissued, "a quote is issued once"),
        ("quote", "UPDATE", _bad_move(guards.arrows), "a quote cannot take that step"),
        ("quote", "DELETE", "OLD.issued_at IS NOT NULL", "an issued quote is never deleted"),
        ("approval", "UPDATE", fixed, "an approval is fixed"),
        ("approval", "UPDATE", decided, "an approval is decided once"),
        ("approval", "UPDATE", redecided, "an approval is decided once"),
        ("approval", "UPDATE", reused, "an approval is used once"),
        ("approval", "DELETE", "OLD.decided_at IS NOT NULL", "a decision is never deleted"),
    ]
    if guards.acceptance:
        again = f"OLD.accepted_at IS NOT NULL AND ({_changed(guards.acceptance, differs)})"
        rules.append(("quote", "UPDATE", again, "a quote is accepted once"))
    for name in guards.closing:
        again = f"OLD.{name} IS NOT NULL AND ({_changed((name,), differs)})"
        rules.append(("quote", "UPDATE", again, "a quote is closed once"))
    return rules


def create_guards(connection: Connection, guards: Guards = FIRST) -> None:
    """Create the guards in the dialect of a database."""
    if connection.dialect.name == "sqlite":
        for place, (table, event, condition, message) in enumerate(_rules(guards, "IS NOT")):
            connection.exec_driver_sql(
                f"CREATE TRIGGER {table}_guard_{place} BEFORE {event} ON {table} "
                f"WHEN {condition} BEGIN SELECT RAISE(ABORT, '{message}'); END"
            )
        for table, key in (("quote", "quote_id"), ("approval", "approval_id")):
            connection.exec_driver_sql(_NO_REPLACE.format(table=table, key=key))
        return
    for place, (table, event, condition, message) in enumerate(_rules(guards, "IS DISTINCT FROM")):
        name = f"{table}_guard_{place}"
        connection.exec_driver_sql(
            f"CREATE FUNCTION {name}() RETURNS trigger AS $$ BEGIN "
            f"RAISE EXCEPTION '{message}' USING ERRCODE = 'integrity_constraint_violation'; "
            "END $$ LANGUAGE plpgsql"
        )
        connection.exec_driver_sql(
            f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW "
            f"WHEN ({condition}) EXECUTE FUNCTION {name}()"
        )


def drop_guards(connection: Connection, guards: Guards = FIRST) -> None:
    """Drop the guards, so that a migration can put others in their place."""
    sqlite = connection.dialect.name == "sqlite"
    for place, (table, *_rest) in enumerate(_rules(guards, "IS NOT")):
        name = f"{table}_guard_{place}"
        if sqlite:
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        else:
            connection.exec_driver_sql(f"DROP FUNCTION {name}() CASCADE")
    if sqlite:
        for table in ("quote", "approval"):
            connection.exec_driver_sql(f"DROP TRIGGER {table}_guard_replace")
