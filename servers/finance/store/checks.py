"""The statements that a caller gave with a draft, read for exactly that draft."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from servers.finance.checks import Checked
from servers.finance.facts.pricing import QuoteFacts
from servers.finance.law.select import ship_to_of
from servers.finance.schemas import PriceRequest
from servers.toolkit.statements import Kind, StatementKey, about_deal, about_lines


@dataclass(frozen=True)
class Statements:
    """What the catalog and the CRM are said to have stated, and the key that proves it."""

    key: StatementKey
    now: datetime
    catalog: str | None = None
    crm: str | None = None

    def lines(self, request: PriceRequest, facts: QuoteFacts) -> Checked | None:
        """Return the catalog's verdict on these lines, None where none is valid."""
        country = ship_to_of(facts.pricing.customer, request.ship_to_address_id).country
        about = about_lines(request.lines, country, request.order_date)
        return self._read("lines", self.catalog, about, "ok")

    def deal(self, account_id: str, opportunity_id: str) -> Checked | None:
        """Return the CRM's verdict on this deal, None where none is valid."""
        return self._read("deal", self.crm, about_deal(account_id, opportunity_id), "quote")

    def _read(
        self, kind: Kind, text: str | None, about: Mapping[str, Any], clean: str
    ) -> Checked | None:
        said = self.key.read(text, kind, about, self.now) if text else None
        if said is None:
            return None
        return Checked(ok=said.verdict == clean, codes=said.codes, until=said.until)
