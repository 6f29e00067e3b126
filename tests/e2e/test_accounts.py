"""`dealdesk account new` and `opportunity new`: a customer and a deal by hand."""

from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Command, Folder

QUILL = ("account", "new", "--name", "Quill Press", "--country", "IE")
PEOPLE = ("--contact", "Ada Quill <ada@quill.example>", "--contact", "Ben <ben@quill.example>")


def test_a_customer_and_a_deal_are_put_on_file_by_hand(
    command: Command, seeded: Folder, copy: Callable[[Folder], Path]
) -> None:
    home = copy(seeded)
    where = ("--address", "Unit 4; Quay Road; T12 X0A1; Cork")
    made = command(*QUILL, *PEOPLE, *where, "--json", home=home).json
    assert (made["currency"], made["status"]) == ("EUR", "prospect")
    assert [one["email"] for one in made["contacts"]] == ["ada@quill.example", "ben@quill.example"]
    assert (made["address"]["lines"], made["address"]["city"]) == (["Unit 4", "Quay Road"], "Cork")
    deal = ("opportunity", "new", "--account", "quill press", "--name", "Pumps")
    said = command(*deal, "--amount", "12500.5", "--close", "2027-01-15", home=home)
    assert said.code == 0
    assert "is Pumps of Quill Press, 12,500.50 EUR." in said.out
    plain = command(*deal, "--json", home=home).json
    assert (plain["account_id"], plain["amount_minor"]) == (made["account_id"], None)
    command(*QUILL, home=home).fails(2, "Quill Press is on file already", made["account_id"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((*QUILL, "--contact", "Ada"), "--contact 'Ada' is not understood"),
        ((*QUILL, "--address", "Unit 4"), "STREET; POSTAL CODE; CITY"),
        (("opportunity", "new", "--account", "Bergwald", "--name", "X"), "acc_008 (Bergwald Holz)"),
        (("opportunity", "new", "--account", "Nobody", "--name", "X"), "dealdesk account new"),
        (
            *(("opportunity", "new", "--account", "acc_001", "--name", "X", "--amount", "1.001"),),
            "'1.001' is no amount in EUR",
        ),
        (
            *(("opportunity", "new", "--account", "acc_001", "--name", "X", "--amount", "much"),),
            "'much' is no amount in EUR",
        ),
    ],
)
def test_what_is_not_understood_puts_nothing_on_file(
    command: Command,
    seeded: Folder,
    copy: Callable[[Folder], Path],
    words: tuple[str, ...],
    said: str,
) -> None:
    command(*words, home=copy(seeded)).fails(2, said)
