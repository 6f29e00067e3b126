from datetime import UTC, datetime
from pathlib import Path

import pytest

from servers.crm.reading.mails import read_mail, safe_filename
from servers.toolkit.errors import InvalidInputError

DATA = Path(__file__).parent / "data" / "opportunities"


def mail(*lines: str) -> bytes:
    return "\r\n".join(lines).encode()


def test_encoded_headers_quotes_and_time() -> None:
    found = read_mail((DATA / "opp_101" / "01.eml").read_bytes())
    assert found.from_name == "Orla Býrne"
    assert found.from_address == "orla@larkspur.example"
    assert found.to == ("lena.brandt@norvane.example",)
    assert found.subject == "Switches for line 3 – quote?"
    assert found.sent_at == datetime(2026, 11, 10, 8, 12, tzinfo=UTC)
    assert found.text.endswith("Orla")
    assert found.quoted_text.startswith("On Mon, 9 Nov 2026")
    assert found.message_id == "<one@larkspur.example>"


def test_html_inside_nested_parts_with_a_file() -> None:
    found = read_mail((DATA / "opp_101" / "02.eml").read_bytes())
    assert found.text == "Make it 14 switches, café included.\n- in January\nCell | Count\nA | 14"
    assert set(found.flags) == {"html", "hidden_text"}
    assert [(p.filename, p.mime) for p in found.attachments] == [("cells.csv", "text/csv")]
    assert found.attachments[0].data.startswith(b"cell,count")


def test_plain_text_is_preferred_to_html() -> None:
    found = read_mail(
        mail(
            "From: a@b.example",
            "MIME-Version: 1.0",
            'Content-Type: multipart/alternative; boundary="x"',
            "",
            "--x",
            "Content-Type: text/plain",
            "",
            "12 plain",
            "--x",
            "Content-Type: text/html",
            "",
            "<p>99 html</p>",
            "--x--",
        )
    )
    assert found.text == "12 plain"


def test_failed_authentication_and_two_senders_are_flagged() -> None:
    assert "authentication_failed" in read_mail((DATA / "opp_101" / "04.eml").read_bytes()).flags
    assert "several_senders" in read_mail(mail("From: a@b.example, c@d.example", "", "x")).flags
    passed = mail("Authentication-Results: mx; spf=fail; dkim=pass; dmarc=pass", "", "x")
    assert read_mail(passed).flags == ()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00\x01\x02",
        b"no headers at all",
        mail("Content-Type: text/plain; charset=klingon", "", "12 units"),
        mail("From: \x00<", "Subject: =?utf-8?b?!!!?=", "Date: tomorrow", "", "12 units"),
        mail("Content-Type: multipart/mixed; boundary=never", "", "12 units"),
        mail("From: =?utf-8?q?=ED=A0=80?= <a@b.example>", "", "12 units"),
        b"Content-Type: text/plain; charset=utf-8\r\n\r\n12 units \xff\xed\xa0\x80",
        mail("Content-Transfer-Encoding: base64", "Content-Type: text/plain", "", "@@@"),
        b"From: a@b\r\n" + b"Received: x\r\n" * 2000 + b"\r\n12 units",
    ],
)
def test_a_broken_message_costs_a_field_and_never_the_message(data: bytes) -> None:
    found = read_mail(data)
    assert "\x00" not in found.text + found.subject + found.from_name
    (found.text + found.subject + found.from_name).encode("utf-8")
    if b"12 units" in data and b"multipart" not in data:
        assert "12 units" in found.text


def test_an_enormous_message_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="larger than 25 MB"):
        read_mail(b"x" * (25 * 1024 * 1024 + 1))


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\plan.pdf", "plan.pdf"),
        ("a\u202efdp.exe", "afdp.exe"),
        ("...", "file"),
        ('in"vo|ice?.pdf', "invoice.pdf"),
    ],
)
def test_file_names_hold_no_paths(name: str, safe: str) -> None:
    assert safe_filename(name) == safe
