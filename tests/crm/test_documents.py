import io
import zipfile
from pathlib import Path

import pytest

from servers.crm.reading.documents import MAX_BYTES, extract

DATA = Path(__file__).parent / "data" / "opportunities" / "opp_101"


def zipped(**files: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return stream.getvalue()


def test_a_pdf_is_read_page_by_page() -> None:
    found = extract((DATA / "plan.pdf").read_bytes(), "plan.pdf")
    assert "We need 12 switches in cells A to C." in found.text
    assert "Page two: delivery to door B." in found.text
    assert (found.method, found.pages, found.problems) == ("pdf", 2, ())
    assert len(found.sha256) == 64


def test_a_word_file_is_read_with_its_tables_in_place() -> None:
    found = extract((DATA / "list.docx").read_bytes(), "LIST.DOCX")
    assert found.text.split("\n") == ["Parts list", "Part | Count", "Switch | 12", "End of list"]


@pytest.mark.parametrize(
    ("data", "name", "text"),
    [
        (b"a,b\n1,2", "x.csv", "a,b\n1,2"),
        ("Größe".encode(), "x.md", "Größe"),
        ("Größe".encode("cp1252"), "x.txt", "Größe"),
        (b"\xef\xbb\xbfwords\r\nmore", "x.txt", "words\nmore"),
    ],
)
def test_plain_text_is_decoded(data: bytes, name: str, text: str) -> None:
    assert extract(data, name).text == text


@pytest.mark.parametrize(
    ("data", "name", "code"),
    [
        ((DATA / "broken.pdf").read_bytes(), "a.pdf", "DOCUMENT_BROKEN"),
        (b"MZ\x00\x00", "a.pdf", "DOCUMENT_BROKEN"),
        ((DATA / "plan.pdf").read_bytes()[:600], "a.pdf", "DOCUMENT_BROKEN"),
        (b"", "a.pdf", "DOCUMENT_BROKEN"),
        (b"not a zip", "a.docx", "DOCUMENT_BROKEN"),
        (zipped(a=b"no word in it"), "a.docx", "DOCUMENT_BROKEN"),
        (zipped(bomb=b"0" * 40_000_000), "a.docx", "DOCUMENT_TOO_LARGE"),
        (b"x" * (MAX_BYTES + 1), "a.txt", "DOCUMENT_TOO_LARGE"),
        (b"a\x00b", "a.txt", "DOCUMENT_BROKEN"),
        (b"words", "a.exe", "DOCUMENT_FORMAT_UNKNOWN"),
        (b"words", "noending", "DOCUMENT_FORMAT_UNKNOWN"),
        (b"   ", "a.txt", "DOCUMENT_HAS_NO_TEXT"),
        (b"x" * 400_000, "a.txt", "DOCUMENT_CUT"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(data: bytes, name: str, code: str) -> None:
    found = extract(data, name)
    assert code in found.problems
    assert found.size == len(data)


def test_text_of_documents_is_cleaned() -> None:
    assert extract("12\u200b un\u202eits".encode(), "x.txt").text == "12 units"
