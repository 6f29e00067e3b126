"""Check an exported quote whole: its seal and its sums, what settles neither, and who signed it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from servers.finance import seals
from servers.finance.facts.blocks import InstalmentBlock, TotalsBlock
from servers.finance.verify import MOST_BYTES, Difference, read, verify
from servers.toolkit.desk_keys import DeskKey
from servers.toolkit.money import exponent

__all__ = ["MOST_BYTES", "check", "not_worked_out"]
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?|[0-9]{4}-[0-9]{2}-[0-9]{2}")
WORKED_OUT = frozenset(
    (
        *("lines[].position", "lines[].quantity", "lines[].gross_minor", "lines[].net_minor"),
        *("lines[].unit_price", "lines[].tax_rate", "lines[].included_tax_minor"),
        *(f"{of}.allowances[].amount_minor" for of in ("lines[]", "freight")),
        *("freight.gross_minor", "freight.net_minor", "freight.tax_rate"),
        *("charges[].net_minor", "charges[].tax_rate"),
        *("taxes[].rate", "taxes[].taxable_minor", "taxes[].tax_minor"),
        *(f"totals.{name}" for name in TotalsBlock.model_fields if name.endswith("_minor")),
        *("recurring.contract_minor", "recurring.one_time_minor", "presentation.total_minor"),
        *(f"payment_terms.instalments[].{name}" for name in InstalmentBlock.model_fields),
        *("payment_terms.days", "clauses[].sha256"),
        *("issued_on", "valid_until", "validity_days"),
    )
)
"""The numbers that follow from others in the file, so that one of them alone cannot be changed."""
ONLY_INSIDE = frozenset({"issued_on", "valid_until"})
RATE = ".tax_rate"


def not_worked_out(data: Mapping[str, Any]) -> list[str]:
    """Return the places of the numbers and dates of a file that nothing else in it settles."""
    return [
        path
        for path, value in seals.leaves(data)
        if not isinstance(value, bool) and NUMBER.fullmatch(str(value)) and not _settled(data, path)
    ]


def _settled(data: Mapping[str, Any], path: str) -> bool:
    kind = _unplaced(path)
    if kind not in WORKED_OUT:
        return False
    if kind in ONLY_INSIDE:
        return data.get("view") == "internal"
    if kind in ("lines[].unit_price", f"lines[]{RATE}"):
        line = data["lines"][int(path[len("lines[") : path.index("]")])]
        if kind.endswith(RATE):  # of what is outside the total no tax is charged
            return bool(line["net_minor"] and not line["optional"] and not line["alternative_of"])
        decimals = len(line["unit_price"].partition(".")[2])
        return line["gross_minor"] is not None and decimals <= exponent(data["currency"])
    return not kind.endswith(RATE) or kind != f"freight{RATE}" or bool(data["freight"]["net_minor"])


def _unplaced(path: str) -> str:
    return re.sub(r"\[[0-9]+\]", "[]", path)


@dataclass(frozen=True)
class Report:
    """What a file's check comes to: what differs, what was not worked out, what signed it."""

    quote: str
    lines: int
    differences: list[Difference]
    not_worked_out: list[str]
    signature: seals.Signature

    @property
    def holds(self) -> bool:
        return not self.differences and not self.signature.fails


def check(text: str, keys: Mapping[str, DeskKey]) -> Report:
    """Check an exported file: the leaf that changed comes first, then what does not add up.

    `keys` are known from elsewhere than the file. Raises InvalidInputError for no exported quote.
    """
    document, data = read(text), seals.parse(text)
    changed = seals.broken(data)
    try:
        found = verify(document)
    except (ArithmeticError, ValueError):  # a letter in a price, say
        found = [Difference("the document", "a number that is none", "a number", "what is due")]
    if changed is not None:
        why = "what the file was made with"
        found.insert(0, Difference(*changed, "something else", why))
    return Report(
        quote=document.number or document.quote_id,
        lines=len(document.lines),
        differences=found,
        not_worked_out=sorted({_unplaced(path) for path in not_worked_out(data)}),
        signature=seals.check_signature(data, keys),
    )
