"""The lines under judgement, joined with their products, and the problems found in them."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from servers.catalog.rulebook import RuleBase, Selector
from servers.catalog.schemas import LineIn, Product
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.findings import Finding, Severity
from servers.toolkit.money import trimmed
from servers.toolkit.units import check_quantities

MAX_EVIDENCE = 12


@dataclass(frozen=True)
class Item:
    """A line and the product it names; `inside` is the bundle that it is a component of."""

    line: LineIn
    product: Product
    inside: str = ""

    @property
    def pieces(self) -> Decimal:
        """The line's quantity in pieces: three boxes of ten are thirty."""
        return trimmed(self.line.quantity * self.product.units.get(self.line.unit, 1))

    @property
    def text(self) -> str:
        said = f"{self.line.line_id}: {self.line.quantity} x {self.product.sku}"
        if self.line.unit in self.product.units:
            said += f" ({self.line.unit} of {self.product.units[self.line.unit]})"
        return f"{said} in {self.inside}" if self.inside else said


@dataclass(frozen=True)
class Add:
    """A part to add, for one line."""

    sku: str
    quantity: int
    for_line: str


@dataclass(frozen=True)
class Problem:
    """A finding, and the additions that would each mend it, the best first."""

    finding: Finding
    repairs: tuple[tuple[Add, ...], ...] = ()


def join(
    lines: Sequence[LineIn], catalog: Mapping[str, Product]
) -> tuple[list[Item], list[Finding]]:
    """Join lines with products; a line whose SKU is unknown becomes a finding."""
    _check_references(lines)
    items: list[Item] = []
    findings: list[Finding] = []
    for line in lines:
        if line.sku in catalog:
            items.append(Item(line, catalog[line.sku]))
        else:
            findings.append(
                Finding(
                    code="UNKNOWN_SKU",
                    severity=Severity.ERROR,
                    message=f"The catalog has no product {line.sku}.",
                    subject=line.line_id,
                    rule_id="catalog.unknown-sku",
                    evidence=[f"{line.line_id}: {line.quantity} x {line.sku}"],
                    fix="find the right SKU with match_need or search_products",
                )
            )
    return items, findings


def _check_references(lines: Sequence[LineIn]) -> None:
    """Refuse lines that share an id or name a line that cannot be meant."""
    ids = [line.line_id for line in lines]
    if len(set(ids)) != len(ids):
        raise InvalidInputError("two lines have the same line_id", fix="number them l1, l2, ...")
    check_quantities(lines)
    originals = {line.line_id for line in lines if line.alternative_of is None}
    for line in lines:
        if line.alternative_of is not None and line.alternative_of not in originals:
            raise InvalidInputError(
                f"line {line.line_id} is the alternative of {line.alternative_of!r}, "
                "which is no line of its own",
                fix="name the line_id of a line that is no alternative itself",
            )
        for name in ("part_of", "segment_of"):
            other = getattr(line, name)
            if other is not None and (other == line.line_id or other not in ids):
                raise InvalidInputError(
                    f"{name} of line {line.line_id} is {other!r}, which is no other line",
                    fix=f"name the line_id of another line, or leave {name} out",
                )


def scenarios(items: Sequence[Item]) -> list[list[Item]]:
    """Return the sets of lines that could be bought together.

    The first is every line that is no alternative, optional ones included; then, for each
    alternative, the same with the alternative in the place of its original. The parts of a
    bundle go with it, and of a ramp's segments, which run one after the other, only the largest
    is there.
    """
    peaks = _peaks(items)
    apart = {
        item.line.line_id: item.line.alternative_of
        for item in items
        if item.line.alternative_of is not None
    }
    base = [item for item in peaks if not {item.line.line_id, item.line.part_of} & set(apart)]
    sets = [base]
    for mine, original in apart.items():
        kept = [i for i in base if original not in (i.line.line_id, i.line.part_of)]
        chosen = [i for i in peaks if mine in (i.line.line_id, i.line.part_of)]
        sets.append([*kept, *chosen])
    return sets


def _peaks(items: Sequence[Item]) -> list[Item]:
    """Return the items without the segments of a ramp that are not its largest."""
    before = {i.line.line_id: i.line.segment_of for i in items if i.line.segment_of is not None}
    if not before:
        return list(items)
    largest: dict[str, Item] = {}
    for item in items:
        root, steps = item.line.line_id, 0
        while root in before and steps < len(before):
            root, steps = before[root], steps + 1
        if root not in largest or item.pieces > largest[root].pieces:
            largest[root] = item
    kept = {item.line.line_id for item in largest.values()}
    ramped = set(before) | set(before.values())
    return [i for i in items if i.line.line_id not in ramped or i.line.line_id in kept]


def picked(items: Iterable[Item], selector: Selector) -> list[Item]:
    return [item for item in items if selector.picks(item.product)]


def total(items: Iterable[Item]) -> Decimal:
    return trimmed(sum((item.pieces for item in items), Decimal(0)))


def number(product: Product, attribute: str) -> int | None:
    """Return a whole-number attribute, or None where it is absent or no number."""
    value = product.attributes.get(attribute)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def finding(
    rule: RuleBase, subject: str, evidence: Iterable[str], *, fix: str = "", **facts: object
) -> Finding:
    """Make a rule's finding; `facts` fill the braces in its message and fix."""
    return Finding(
        code=rule.code,
        severity=rule.severity,
        message=rule.message.format(**facts)[:500],
        subject=subject,
        rule_id=rule.rule_id,
        evidence=[text[:300] for text in evidence][:MAX_EVIDENCE],
        fix=(fix or rule.fix.format(**facts))[:300],
    )


def digest_of_lines(lines: Sequence[LineIn]) -> str:
    """Return the sha256 of the lines' canonical JSON: keys sorted, defaults written out."""
    data = [line.model_dump(mode="json") for line in lines]
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
