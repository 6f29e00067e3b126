"""What `dealdesk init --empty` asks at a terminal: the least that a first quote needs."""

import json
from pathlib import Path
from typing import Any

from dealdesk.cli.output import progress
from orchestrator.errors import UsageError
from servers.toolkit.shipped import shipped

QUESTIONS: list[list[str]] = shipped(__package__, "company_questions")["questions"]
"""What is asked: its name, the words, and the default; in words it stands for an empty answer."""
LEFT_OUT = {default for _, _, default in QUESTIONS} - {"DE"}


def ask_company() -> dict[str, Any]:
    """Ask a person about their company; return it as a company file has it."""
    progress().print("Enter takes what stands in brackets. A file can say more: --company FILE.")
    return company_of({name: _ask(words, default) for name, words, default in QUESTIONS})


def company_of(answers: dict[str, str]) -> dict[str, Any]:
    """Return answers as a company file; what was left out is left out there, too."""
    given = {name: "" if said in LEFT_OUT else said for name, said in answers.items()}
    place = {name: given[name] for name in ("postal_code", "city", "region")}
    costs = (part.partition("=") for part in given["delivery"].replace(",", " ").split())
    person = {
        "person_id": "per_owner",
        "name": given["person"],
        "roles": ["sales", "sales_manager", "finance_director", "legal"],
        "max_discount_bp": None,
        "max_total": None,
    }
    return {
        "legal_name": given["legal_name"],
        "country": given["country"].upper(),
        "address": {"lines": [given["street"]], **place},
        **_tax_number(given["country"].upper(), given["tax_number"]),
        "email": given["email"],
        "currency": given["currency"].upper(),
        "delivery": {zone.upper(): amount for zone, _, amount in costs},
        "people": [person] if given["person"] else [],
    }


def keep_answers(company: dict[str, Any], home: Path) -> Path:
    """Write a company into the data folder, to be changed there and given to `init` again."""
    path = home / "company.json"
    path.write_text(json.dumps(company, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def _tax_number(country: str, number: str) -> dict[str, Any]:
    if country == "US" and number:
        return {"tax_ids": [{"scheme": "us_ein", "country": country, "value": number}]}
    return {"vat_id": number}


def _ask(words: str, default: str) -> str:
    shown = f" [{default}]" if default else ""
    while True:
        progress().print(f"{words}{shown}: ", end="", markup=False)
        try:
            said = input().strip()
        except EOFError:
            fix = "answer, or give a file: dealdesk init --empty --company FILE"
            raise UsageError(f"no answer to: {words}", fix=fix) from None
        if said or default:
            return said or default
