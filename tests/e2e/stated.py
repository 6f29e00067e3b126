"""What the catalog and the CRM of a desk would state about a draft, for tests of finance alone."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from servers.finance.schemas import LineIn
from servers.toolkit.database import Database
from servers.toolkit.statements import StatementKey, about_deal, about_lines


def stated(
    finance: Database, order: Mapping[str, Any], opportunity_id: str, country: str = "DE"
) -> dict[str, str]:
    key = StatementKey.of(finance)
    lines = [LineIn.model_validate(line) for line in order["lines"]]
    about = about_lines(lines, country, date.fromisoformat(order["order_date"]))
    deal = about_deal(order["account_id"], opportunity_id)
    return {
        "catalog_statement": key.state("lines", about, "ok", ()),
        "crm_statement": key.state("deal", deal, "quote", ()),
    }
