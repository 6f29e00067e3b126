"""Finance's database and the clock it goes by: what its tools and resources are given."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from pydantic import BaseModel
from sqlmodel import Session

from servers.finance.schemas import ScreeningReviewed
from servers.finance.seals import Sign
from servers.finance.store.checks import Statements
from servers.finance.store.customers import find_customer
from servers.finance.store.expiry import writing
from servers.finance.store.stored_quotes import find_quote
from servers.toolkit.database import Database
from servers.toolkit.desk_keys import DeskKeys
from servers.toolkit.idempotency import once
from servers.toolkit.statements import StatementKey

Answer = TypeVar("Answer", bound=BaseModel)


@dataclass(frozen=True)
class FinanceDatabase:
    """A database that is open and migrated."""

    database: Database
    now: Callable[[], datetime]
    """The clock, for approvals, issue times and numbers; prices go by the order date."""

    @property
    def sign(self) -> Sign | None:
        """How the desk signs; None where nobody said where its keys are."""
        folder = self.database.keys
        return None if folder is None else partial(DeskKeys(folder).sign, day=self.now().date())

    def statements(self, catalog: str | None, crm: str | None) -> Statements:
        return Statements(StatementKey.of(self.database), self.now(), catalog, crm)

    def session(self) -> AbstractContextManager[Session]:
        return self.database.session()

    def writing(self) -> AbstractContextManager[Session]:
        """Open a write session about quotes, after writing down which ones expired meanwhile."""
        return writing(self.database, self.now())

    def once(
        self, tool: str, form: type[Answer], work: Callable[..., Answer], *given: Any
    ) -> Answer:
        """Do what a tool writes once, in one transaction; a repeat gets the stored answer.

        `work` takes a session, what is given, and the time.
        """
        with self.writing() as session:

            def seen(stored: Answer) -> object:
                if isinstance(stored, ScreeningReviewed):
                    return find_customer(session, stored.account_id)
                return find_quote(session, **stored.model_dump(include={"quote_id"}))

            return once(session, tool, lambda: work(session, *given, self.now()), form, seen)
