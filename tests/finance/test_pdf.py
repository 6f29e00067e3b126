"""The PDF: archival and accessible, deterministic, whole over many pages and in every script."""

import json
import re
import sys
from base64 import b64encode
from datetime import date
from io import BytesIO
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from paper_support import HOSTILE, document, line, rich
from pypdf import PdfReader

from servers.finance.documents import QuoteDocument, customer_view
from servers.finance.facts.blocks import CustomerBlock
from servers.finance.render.pages import render
from servers.finance.render.pdf import BOX, STANDARDS, Pdf, pdf
from servers.toolkit.errors import StorageError

INJECTIONS = [
    '#read("/etc/passwd")',
    '#image("/etc/hostname")',
    "*bold* _thin_ = head",
    "$x$ `raw` <label> @ref",
    "#{while true {}}",
    "\\u{41} \\",
    "// gone",
    HOSTILE,
]


def named(name: str, country: str = "DE") -> QuoteDocument:
    return rich(customer=CustomerBlock(account_id="a", legal_name=name, country=country))


def made(quote: QuoteDocument, **more: bool) -> Pdf:
    return pdf(customer_view(quote), **more)


def text_of(data: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(data)).pages)


def plain(text: str) -> str:
    return re.sub(r"\s+", "", text)


def test_it_says_what_it_is() -> None:
    found = made(rich())
    assert (found.warnings, found.standards) == ((), STANDARDS)
    reader = PdfReader(BytesIO(found.data))
    root = reader.trailer["/Root"].get_object()
    assert root["/MarkInfo"]["/Marked"] is True or root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en-GB"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    about = root["/Metadata"].get_object().get_data().decode()
    assert "<pdfaid:part>3</pdfaid:part>" in about
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in about
    assert "<pdfuaid:part>1</pdfuaid:part>" in about
    assert reader.metadata is not None
    assert reader.metadata.title == "Quote Q-2026-000007, Alder & Finch Ltd"
    assert reader.metadata.author == "Norvane Systems GmbH"
    assert reader.metadata.creation_date is not None
    assert reader.metadata.creation_date.date() == date(2026, 11, 23)


def test_it_carries_the_quote_as_data() -> None:
    quote = customer_view(rich())
    files = PdfReader(BytesIO(pdf(quote).data)).attachments
    assert {name: content[0].decode() for name, content in files.items()} == {
        "quote.json": render(quote, "json"),
        "quote.xml": render(quote, "ubl"),
    }


def test_the_internal_one_carries_nothing() -> None:
    assert not PdfReader(BytesIO(pdf(rich()).data)).attachments


def test_the_same_quote_gives_the_same_bytes() -> None:
    assert made(rich()).data == made(rich()).data
    assert pdf(rich()).data == pdf(rich()).data
    assert made(rich()).data != made(rich(revision=3)).data


@pytest.mark.parametrize("name", INJECTIONS)
def test_an_outside_name_is_never_markup(name: str) -> None:
    said = text_of(made(named(name)).data)
    assert plain(name) in plain(said)
    assert "root:" not in said


def test_two_hundred_lines_repeat_their_head_and_count_their_pages() -> None:
    lines = [line(n, sku=f"SKU-{n:04d}", name=f"Part number {n}") for n in range(1, 201)]
    data = made(rich(lines=lines)).data
    pages = [page.extract_text() for page in PdfReader(BytesIO(data)).pages]
    assert len(pages) > 5
    holding = [page for page in pages if "SKU-" in page]
    assert all(page.count("QUANTITY") == 1 for page in holding)
    for place, page in enumerate(pages, 1):
        assert f"{place} of {len(pages)}" in page
    found = re.findall(r"SKU-\d{4}", "".join(pages))
    assert found == [f"SKU-{n:04d}" for n in range(1, 201)]


def test_a_line_and_its_reductions_stay_on_one_page() -> None:
    lines = [line(n, sku=f"SKU-{n:04d}") for n in range(1, 101)]
    data = made(document(lines=lines)).data
    for page in PdfReader(BytesIO(data)).pages:
        said = page.extract_text()
        assert said.count("SKU-") == said.count("Volume discount")


@pytest.mark.parametrize(
    "name",
    ["Ελληνική Βιομηχανία", "Общество «Северный Порт»", "Škoda Łódź Þórr Ő", "חברת הנמל", "भारत"],
)
def test_names_that_the_shipped_fonts_can_write(name: str) -> None:
    found = made(named(name), system_fonts=False)
    assert (found.warnings, found.standards) == ((), STANDARDS)


@pytest.mark.parametrize(
    "name",
    ["株式会社日本システム", "บริษัท ไทย จำกัด", "한국 시스템", "𐎠𐎼", "தமிழ்", "🙂 Ltd"],
)
def test_a_missing_glyph_is_a_box_and_a_warning_and_never_a_lost_quote(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    found = made(named(name), system_fonts=False)
    assert found.standards == STANDARDS
    assert "no font here has" in found.warnings[0]
    assert name[0] in found.warnings[0]
    assert "no font here has" in caplog.text
    assert name[0] not in caplog.text
    said = text_of(found.data)
    assert BOX in said
    assert "26,861.15EUR" in plain(said)
    assert "stands for a character" in said
    attached = PdfReader(BytesIO(found.data)).attachments["quote.json"][0]
    assert json.loads(attached)["customer"]["legal_name"] == name


def test_arabic_is_written_whichever_fonts_there_are() -> None:
    for system_fonts in (True, False):
        found = made(named("شركة الأفق للتجارة", "AE"), system_fonts=system_fonts)
        assert found.warnings == ()


@pytest.mark.parametrize(
    ("country", "paper", "size"),
    [("DE", None, (595, 842)), ("US", None, (612, 792)), ("DE", "us-letter", (612, 792))],
)
def test_paper(country: str, paper: str | None, size: tuple[int, int]) -> None:
    quote = customer_view(named("A", country))
    page = PdfReader(BytesIO(pdf(quote, paper=paper).data)).pages[0]  # type: ignore[arg-type]
    assert (round(page.mediabox.width), round(page.mediabox.height)) == size


LOGO_SVG = (
    "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='3'><path d='M0 0h9v3z'/></svg>"
)
LOGO_PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kg"
    "AAAABJRU5ErkJggg=="
)


@pytest.mark.parametrize(
    "uri",
    [
        f"data:image/svg+xml;base64,{b64encode(LOGO_SVG.encode()).decode()}",
        f"data:image/svg+xml,{quote_plus(LOGO_SVG).replace('+', '%20')}",
        f"data:image/png;base64,{LOGO_PNG}",
    ],
)
def test_the_sellers_logo_is_shown(uri: str) -> None:
    seller = document().seller.model_copy(update={"logo": uri})
    found = made(rich(seller=seller))
    assert (found.warnings, found.standards) == ((), STANDARDS)
    assert found.data != made(rich()).data
    assert f'src="{uri}"'.replace("'", "&#39;") in render(
        customer_view(rich(seller=seller)), "html"
    )


@pytest.mark.parametrize("content", [b"<svg", b"no picture", b""])
def test_a_broken_logo_is_left_out_and_the_quote_is_not_lost(content: bytes) -> None:
    uri = f"data:image/svg+xml;base64,{b64encode(content).decode()}"
    seller = document().seller.model_copy(update={"logo": uri})
    found = made(rich(seller=seller))
    assert found.warnings == ("the logo cannot be shown",)
    assert found.standards == STANDARDS
    assert "Norvane Systems GmbH" in text_of(found.data)


@pytest.mark.parametrize(
    "uri", ["", "https://evil.example/x.png", "data:text/html,x", "file:///etc/passwd"]
)
def test_what_is_no_picture_is_no_logo(uri: str) -> None:
    seller = document().seller.model_copy(update={"logo": uri})
    found = made(rich(seller=seller))
    assert found.warnings == ()
    assert "evil" not in text_of(found.data)


def test_the_house_reads_its_inside() -> None:
    said = text_of(pdf(rich(trace=document().trace)).data)
    for words in (
        "Inside the house",
        "12 days overdue",
        "MARGIN_FLOOR",
        "How each price came about",
    ):
        assert words in said


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(StorageError, match="typst") as caught:
        made(rich())
    assert "pip install 'dealdesk[pdf]'" in caught.value.fix


def test_the_template_opens_nothing() -> None:
    folder = Path(__file__).parents[2] / "servers" / "finance" / "render" / "templates"
    source = (folder / "quote.typ").read_text(encoding="utf-8")
    assert re.findall(r"image\(([^,]*),", source) == ["bytes(given.logo.content)"]
    for word in ("read(", "#import", "#include", "plugin(", "eval(", "datetime.today"):
        assert word not in source
