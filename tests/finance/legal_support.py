"""What the tests of law, credit and screening share: the demo's library and policy."""

from datetime import date
from typing import Any

from finance_support import acting, everyone

from servers.finance.facts.legal import Clause, PaymentTerms
from servers.finance.facts.policy import Policy
from servers.finance.law.clauses import TermsFacts
from servers.finance.law.select import Terms, select
from servers.finance.store import legal
from servers.finance.store.credit import credit_policy
from servers.finance.store.policy import policy
from servers.finance.tables.house import Setting
from servers.toolkit.database import Database


class House:
    """The demo's clauses, payment terms and policies."""

    def __init__(self, database: Database) -> None:
        with acting(everyone()), database.session() as session:
            self.clauses: list[Clause] = list(legal.find_clauses(session))
            self.payment: dict[str, PaymentTerms] = legal.find_payment_terms(session)
            setting = session.get(Setting, "policies")
            assert setting is not None
            self.policy: Policy = policy(setting.value)
            self.credit = credit_policy(setting.value)

    def clause(self, clause_id: str, language: str = "en") -> Clause:
        """Return a clause of the library."""
        return next(c for c in self.clauses if (c.clause_id, c.language) == (clause_id, language))

    def select(self, clauses: list[Clause] | None = None, **changes: Any) -> Terms:
        """Select the terms of a German business that buys goods, with changes."""
        asked, chosen = changes.pop("asked", None), changes.pop("chosen", None)
        return select(
            facts(**changes),
            self.clauses if clauses is None else clauses,
            self.payment,
            self.policy,
            asked=asked,
            chosen=chosen,
        )


def facts(**changes: Any) -> TermsFacts:
    """Return the facts of a German business that buys goods, with changes."""
    return TermsFacts(
        **{
            "customer_kind": "business",
            "country": "DE",
            "zone": "HOME",
            "flags": frozenset({"goods"}),
            "day": date(2026, 11, 23),
            "on_file": "NET30",
            "total_minor": 100_000,
            "currency": "EUR",
            "seller_country": "DE",
            **changes,
        }
    )


def codes(terms: Terms) -> list[str]:
    """Return the codes of what terms say."""
    return [found.code for found in terms.findings]
