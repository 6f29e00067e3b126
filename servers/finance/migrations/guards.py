"""The guards of stored quotes: triggers that hold whatever program writes to the database.

- what a quote says never changes, from the first draft on: a change is a new revision;
- number, issue time and validity are written once, at issue; acceptance once, at acceptance;
- the status moves only along the arrows below; an issued quote is never deleted;
- an approval is decided once and used once.
"""

from sqlalchemy import Connection

FROZEN = (
    *("quote_id", "account_id", "opportunity_id", "revision", "chain", "revises", "currency"),
    *("total_minor", "order_date", "digest", "inputs", "snapshot", "margin", "entity_id"),
    *("created_at", "created_by", "requested_by"),
)
ISSUE = ("issued_at", "number", "valid_until", "price_lock_until")
ACCEPTANCE = ("accepted_at", "accepted_by", "acceptance_reference")
APPROVAL_FROZEN = (
    *("approval_id", "quote_id", "rule_id", "role", "reason", "digest"),
    *("requested_by", "requested_at", "expires_at", "sequence"),
)
ARROWS = {
    "draft": ("waiting", "approved", "issued", "withdrawn", "superseded", "rejected"),
    "waiting": ("approved", "rejected", "withdrawn", "superseded"),
    "approved": ("waiting", "issued", "rejected", "withdrawn", "superseded"),
    "issued": ("accepted", "withdrawn", "superseded", "expired"),
}

_NO_REPLACE = (  # INSERT OR REPLACE would slip past the others
    "CREATE TRIGGER {table}_guard_replace BEFORE INSERT ON {table} "
    "WHEN EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key}) "
    "BEGIN SELECT RAISE(ABORT, 'a {table} is never replaced'); END"
)


def _changed(names: tuple[str, ...], differs: str) -> str:
    return " OR ".join(f"OLD.{name} {differs} NEW.{name}" for name in names)


def _once(names: tuple[str, ...], differs: str) -> str:
    """What was written, as its first column says, is changed."""
    return f"OLD.{names[0]} IS NOT NULL AND ({_changed(names, differs)})"


def _bad_move() -> str:
    steps = " OR ".join(
        f"(OLD.status = '{start}' AND NEW.status IN ({', '.join(repr(e) for e in ends)}))"
        for start, ends in ARROWS.items()
    )
    return f"OLD.status <> NEW.status AND NOT ({steps})"


def _rules(differs: str) -> list[tuple[str, str, str, str]]:
    """Return (table, event, condition, message) of every guard."""
    decided = (  # what was approved may still lapse
        "OLD.status <> 'pending' AND OLD.status <> NEW.status "
        "AND NOT (OLD.status = 'approved' AND NEW.status = 'expired')"
    )
    redecided = _once(("decided_by", "note"), differs)
    reused = _once(("used_at",), differs)
    fixed = _changed(APPROVAL_FROZEN, differs)
    return [
        ("quote", "UPDATE", _changed(FROZEN, differs), "what a quote says never changes"),
        ("quote", "UPDATE", _once(ISSUE, differs), "a quote is issued once"),
        ("quote", "UPDATE", _bad_move(), "a quote cannot take that step"),
        ("quote", "DELETE", "OLD.issued_at IS NOT NULL", "an issued quote is never deleted"),
        ("approval", "UPDATE", fixed, "an approval is fixed"),
        ("approval", "UPDATE", decided, "an approval is decided once"),
        ("approval", "UPDATE", redecided, "an approval is decided once"),
        ("approval", "UPDATE", reused, "an approval is used once"),
        ("approval", "DELETE", "OLD.decided_at IS NOT NULL", "a decision is never deleted"),
        ("quote", "UPDATE", _once(ACCEPTANCE, differs), "a quote is accepted once"),
        ("quote", "UPDATE", _once(("superseded_by",), differs), "a quote is closed once"),
    ]


def create_guards(connection: Connection) -> None:
    """Create the guards in the dialect of a database."""
    if connection.dialect.name == "sqlite":
        for place, (table, event, condition, message) in enumerate(_rules("IS NOT")):
            connection.exec_driver_sql(
                f"CREATE TRIGGER {table}_guard_{place} BEFORE {event} ON {table} "
                f"WHEN {condition} BEGIN SELECT RAISE(ABORT, '{message}'); END"
            )
        for table, key in (("quote", "quote_id"), ("approval", "approval_id")):
            connection.exec_driver_sql(_NO_REPLACE.format(table=table, key=key))
        return
    for place, (table, event, condition, message) in enumerate(_rules("IS DISTINCT FROM")):
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
