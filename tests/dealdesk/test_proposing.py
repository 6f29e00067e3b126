"""A mapping is proposed by what people call the columns of their files, and can be imported."""

import tomllib
from pathlib import Path

import pytest

from dealdesk.proposing import propose
from orchestrator.errors import UsageError
from servers.registry import NAMES, tables_of
from servers.toolkit.mapping_files import plan, read_mapping

ITEMS = "Artikel-Nr.;Bezeichnung;Warengruppe;ME;Gewicht (kg);VK-Preis;EK;Lagerplatz\nk-1;;;;;;;\n"
CUSTOMERS = "Customer No.,Company Name,Street,Zip,City,Country,VAT ID\n1,A,B,C,D,E,F\n"
PEOPLE = "Vorname;Nachname;E-Mail;Kundennummer;Lieblingsfarbe\na;b;c;d;e\n"


def proposed(tmp_path: Path, text: str) -> str:
    (tmp_path / "Liste 1.csv").write_text(text, encoding="utf-8")
    return propose(tmp_path / "Liste 1.csv")


@pytest.mark.parametrize(
    ("text", "tables", "comments"),
    [
        (
            ITEMS,
            {"catalog": {"products"}, "finance": {"items", "units", "price_books", "prices"}},
            ["# missing: set.currency = ...", "# not placed: Lagerplatz"],
        ),
        (
            CUSTOMERS,
            {
                "crm": {"accounts", "addresses", "account_tax_ids"},
                "finance": {"customers", "addresses", "customer_tax_ids"},
            },
            ["# missing: set.language = ...", "# missing: set.payment_terms_code = ..."],
        ),
        (PEOPLE, {"crm": {"contacts"}}, ["# not placed: Lieblingsfarbe"]),
    ],
)
def test_a_proposal_is_a_mapping_that_says_what_it_leaves_open(
    tmp_path: Path, text: str, tables: dict[str, set[str]], comments: list[str]
) -> None:
    said = proposed(tmp_path, text)
    (tmp_path / "m.toml").write_text(said, encoding="utf-8")
    (file,) = tomllib.loads(said)["file"]
    assert {one: set(file[one]) for one in NAMES if one in file} == tables
    for comment in comments:
        assert comment in said.splitlines()
    header = text.splitlines()[0].replace(";", ",").split(",")
    for take in plan(read_mapping(tmp_path / "m.toml"), [tmp_path / "Liste 1.csv"], "")[0]:
        take.fill.check(tables_of(take.server)[take.table], (), "")
        assert take.fill.theirs <= set(header)
    assert proposed(tmp_path, text) == said


def test_kilograms_become_grams_and_names_are_joined(tmp_path: Path) -> None:
    assert "times.weight_g = 1000" in proposed(tmp_path, ITEMS)
    assert 'name = "{Vorname} {Nachname}"' in proposed(tmp_path, PEOPLE)


def test_a_file_of_no_kind_we_know_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has a, b: no kind of file we know"):
        proposed(tmp_path, "a,b\n1,2\n")
