"""Companies' own files, taken in and quoted as a stranger would: by commands alone."""

import tomllib
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from .conftest import Command, Said

TESTS = Path(__file__).parents[1]


@dataclass(frozen=True)
class Company:
    """A company of `tests/companies`, in a data folder of its own."""

    name: str
    command: Command
    approver: str

    @property
    def expected(self) -> dict[str, Any]:
        """What its quotes have to come to, worked out by hand."""
        path = TESTS / "companies" / self.name / "expected.toml"
        return tomllib.loads(path.read_text(encoding="utf-8"))

    def begin(self, home: Path) -> None:
        """Go from an empty folder to a house that can quote: three commands, files as they are."""
        mappings = TESTS / "companies_mappings"
        company, mapping = (mappings / f"{self.name}.{end}" for end in ("company.toml", "toml"))
        commands: list[tuple[object, ...]] = [
            ("init", "--empty", "--company", company),
            ("import", TESTS / "companies" / self.name, "--mapping", mapping),
            ("doctor",),
        ]
        for words in commands:
            said = self.command(*words, home=home)
            assert said.code == 0, said

    def quote(self, customer: str, lines: list[str], method: str) -> Said:
        """Quote by hand."""
        typed = [word for line in lines for word in ("--line", line)]
        day = ("--order-date", self.expected["date"])
        words = ("--account", customer, *typed, "--method", method, *day)
        return self.command("quote", "new", *words, "--json")

    def issue(self, said: Said) -> Any:
        """Approve what waits for a person, and return the quote as it was issued."""
        done = said
        if said.code == 10:
            words = (said.json["run_id"], "--as", self.approver, "--all", "--json")
            done = self.command("runs", "approve", *words)
        assert (done.code, done.json["outcome"]) == (0, "issued"), done
        return self.shown(done)

    def shown(self, said: Said) -> Any:
        """Return a quote as `quote show` tells it."""
        return self.command("quote", "show", said.json["quote_id"], "--json").json

    def pdf(self, quote: Any) -> bytes:
        """Return a quote's paper."""
        out = self.command(
            "quote", "render", quote["quote_id"], "--format", "pdf", "--out", "paper"
        )
        assert out.code == 0, out
        (path,) = Path("paper").rglob("*.pdf")
        return path.read_bytes()


def cents(amount: str) -> int:
    """Return an amount as expected.toml writes it, in cents."""
    return int(Decimal(amount) * 100)


def worked_out(wanted: Any) -> dict[str, Any]:
    """Return what a quote has to come to: what is not said of it is left out."""
    totals = {
        "net_minor": cents(wanted["net"]),
        "freight_minor": cents(wanted["shipping"]["net"]),
        "tax_minor": cents(wanted["tax_total"]),
        "total_minor": cents(wanted["total"]),
    }
    taxes = [(Decimal(t["rate"]), cents(t["base"]), cents(t["amount"])) for t in wanted["tax"]]
    return {
        "lines": [(Decimal(one["quantity"]), cents(one["net"])) for one in wanted["lines"]],
        "categories": [t["category"] for t in wanted["tax"] if "category" in t],
        "taxes": taxes,
        "totals": totals,
    }


def came_to(quote: Any, wanted: Any) -> dict[str, Any]:
    """Return of a quote what `worked_out` says."""
    said = [one["category"] for one in quote["taxes"]]
    totals = quote["totals"]
    return {
        "lines": [(Decimal(str(x["quantity"])), x["net_minor"]) for x in quote["lines"]],
        "categories": said if any("category" in one for one in wanted["tax"]) else [],
        "taxes": [(Decimal(x["rate"]), x["taxable_minor"], x["tax_minor"]) for x in quote["taxes"]],
        "totals": {
            name: totals[name]
            for name in ("net_minor", "freight_minor", "tax_minor", "total_minor")
        },
    }
