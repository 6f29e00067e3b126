"""A quote's documents with the command: written, worked out again offline, put into a draft."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from .conftest import Command, Folder

Copy = Callable[[Folder], Path]


def paths_of(said: Any) -> list[Path]:
    assert said.code == 0, said
    return [Path(line) for line in said.out.splitlines()]


def test_pdf_and_xml_are_written_when_asked_for(
    quoted: Folder, copy: Copy, command: Command, tmp_path: Path
) -> None:
    quote_id, number = quoted.said.json["quote_id"], quoted.said.json["number"]
    home = copy(quoted)
    said = command(
        *("quote", "render", quote_id, "--format", "pdf", "--format", "ubl", "--out", tmp_path),
        home=home,
    )
    pdf, xml = paths_of(said)
    assert (pdf.name, xml.name) == (f"{number}.pdf", f"{number}.xml")
    assert pdf.read_bytes().startswith(b"%PDF-1.7")
    assert f"<cbc:ID>{number}</cbc:ID>" in xml.read_text()
    before = pdf.read_bytes()
    command("quote", "render", quote_id, "--format", "pdf", "--out", tmp_path, home=home)
    assert pdf.read_bytes() == before
    inside = command(
        *("quote", "render", quote_id, "--format", "pdf", "--view", "internal"), home=home
    )
    assert paths_of(inside)[0].name == f"{number}-internal.pdf"
    wrong = ("quote", "render", quote_id, "--format", "ubl", "--view", "internal")
    command(*wrong, home=home).fails(2, "ubl has no internal view")
    command("quote", "render", "q_none", "--format", "pdf", home=home).fails(2, "q_none")


def test_without_the_extra_the_command_says_what_to_install(
    quoted: Folder, copy: Copy, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    quote_id = quoted.said.json["quote_id"]
    said = command("quote", "render", quote_id, "--format", "pdf", home=copy(quoted))
    said.fails(3, "typst", "pip install 'dealdesk[pdf]'")


def test_an_export_is_worked_out_again_offline(
    quoted: Folder, command: Command, tmp_path: Path
) -> None:
    number = quoted.said.json["number"]
    for name in (f"{number}.json", f"{number}-internal.json"):
        file = quoted.home / "quotes" / name
        said = command("quote", "verify", file, home=tmp_path / "none")
        assert (said.code, said.err) == (0, "")
        assert said.out.startswith(f"{number}: every value holds, 2 lines\n  signature: no key")
        assert "freight.weight_g" in said.out
        assert "by a key that came from the desk itself" in said.out
        signed = command("quote", "verify", file, home=quoted.home)
        assert signed.code == 0
        assert "signature: signed by the desk, key " in signed.out
        changed = json.loads(file.read_text())
        changed["lines"][1]["net_minor"] -= 100
        wrong = tmp_path / name
        wrong.write_text(json.dumps(changed))
        said = command("quote", "verify", wrong)
        assert said.code == 1
        first = said.out.splitlines()[0]
        assert first == (
            f"{number}: lines[1].net_minor says 206600, "
            "but what the file was made with is something else"
        )
        assert "but gross less the reductions is 2067.00 EUR" in said.out.splitlines()[1]
        report = command("quote", "verify", wrong, "--json")
        assert report.code == 1
        assert report.json["holds"] is False
        assert report.json["differences"][0]["where"].endswith("net_minor")


def test_the_key_is_given_and_keys_rotate_and_retire(
    quoted: Folder, copy: Copy, command: Command, tmp_path: Path
) -> None:
    home, number = copy(quoted), quoted.said.json["number"]
    file, key = home / "quotes" / f"{number}.json", tmp_path / "desk_keys.json"
    key.write_text(command("keys", "show", "--json", home=home).out)
    assert command("quote", "verify", file, "--key", key).code == 0
    (first,) = command("keys", "show", "--json", home=home).json
    rotated = command("keys", "rotate", home=home)
    assert rotated.out.split()[0] not in ("", first["key_id"])
    assert command("quote", "verify", file, home=home).code == 0
    hyphen = ("keys", "retire", "-Quk9m4", "--reason", "an id may begin so")
    command(*hyphen, home=home).fails(1, "0 keys are '-Quk9m4'")
    retire = ("keys", "retire", first["key_id"], "--reason", "stolen laptop")
    assert command(*retire, home=home).code == 0
    said = command("quote", "verify", file, home=home)
    assert said.code == 1
    assert f"key {first['key_id']} was retired on" in said.out
    assert "stolen laptop" in command("keys", "show", home=home).out
    command("quote", "render", number, "--format", "json", "--out", tmp_path, home=home)
    again = command("quote", "verify", tmp_path / f"{number}.json", "--json", home=home)
    assert again.json["signature"]["state"] == "good"
    command("quote", "verify", file, "--key", file).fails(2, "no public key of a desk")


def test_verifying_opens_nothing_but_the_file(quoted: Folder, tmp_path: Path) -> None:
    file = quoted.home / "quotes" / f"{quoted.said.json['number']}.json"
    home = tmp_path / "nothing"
    code = (
        "import sys\n"
        "from dealdesk.cli.main import main\n"
        f"try:\n    main(['quote', 'verify', {str(file)!r}])\nexcept SystemExit as end:\n"
        "    print('CODE', end.code)\n"
        "print(sorted({'sqlalchemy', 'sqlmodel', 'fastmcp', 'dbos'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "DEALDESK_HOME": str(home)},
    )
    assert "every value holds" in done.stdout
    assert done.stdout.endswith("[]\n")
    assert not home.exists()


@pytest.mark.parametrize("content", [None, b"", b"{}", b"\xff\xfe", b"[1]"])
def test_what_cannot_be_read_has_its_own_code(
    command: Command, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "quote.json"
    if content is not None:
        file.write_bytes(content)
    command("quote", "verify", file).fails(2, "quote.json")


def test_an_email_is_drafted_and_never_sent(
    quoted: Folder, copy: Copy, command: Command, tmp_path: Path
) -> None:
    quote_id, number = quoted.said.json["quote_id"], quoted.said.json["number"]
    home = copy(quoted)
    said = command("quote", "email", quote_id, "--out", tmp_path, home=home)
    (path,) = paths_of(said)
    assert path.name == f"{number}.eml"
    mail = message_from_bytes(path.read_bytes(), policy=default)
    assert mail["X-Unsent"] == "1"
    assert mail["Subject"] == f"Quote {number}, Norvane Systems GmbH"
    assert mail["To"] == "Niamh Alder <niamh.alder@alderfinch.example>"
    assert mail["Date"] is None
    body = mail.get_body()
    assert body is not None
    text = body.get_content()
    assert text.startswith("Thank you for your enquiry.")
    assert number in text
    assert "6,548.20 EUR" in text
    (attached,) = mail.iter_attachments()
    assert attached.get_filename() == f"{number}.pdf"
    assert attached.get_content().startswith(b"%PDF-1.7")
    before = path.read_bytes()
    command("quote", "email", quote_id, "--out", tmp_path, home=home)
    assert path.read_bytes() == before


def test_without_the_extra_the_draft_has_the_page(
    quoted: Folder, copy: Copy, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    quote_id = quoted.said.json["quote_id"]
    said = command("quote", "email", quote_id, "--out", tmp_path, home=copy(quoted))
    assert "the HTML page is attached instead" in said.err
    mail = message_from_bytes(paths_of(said)[0].read_bytes(), policy=default)
    (attached,) = mail.iter_attachments()
    assert attached.get_content_type() == "text/html"
    assert attached.get_content().startswith("<!doctype html>")


def test_what_is_no_offer_is_not_drafted(waiting: Folder, copy: Copy, command: Command) -> None:
    home = copy(waiting)
    (quote,) = command("quote", "list", "--status", "waiting", "--json", home=home).json
    command("quote", "email", quote["quote_id"], home=home).fails(2, "not an offer to send")
