"""Rebuild the PDF and Word files of the demo stories, and the copies inside their e-mails.

The files under `seed_data/crm/opportunities/` are committed, so nobody needs this to run dealdesk.
Whoever changes a text in `scripts/story_papers.json` runs it again:

    uv run --with fpdf2 --with python-docx scripts/make_story_files.py [--check]

fpdf2 is needed here only and is no dependency of the project. The same text gives the same bytes,
so `--check` can say whether the committed files are up to date (with the same library versions).

A paper is a list of lines: `# ` and `## ` are headings, `- ` is an item, `| a | b` a table row,
`~ ` is text in white on white (what a forger hides), anything else a paragraph.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import re
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STORIES = ROOT / "seed_data" / "crm" / "opportunities"
PAPERS = Path(__file__).with_name("story_papers.json")
MADE = datetime(2026, 11, 1, tzinfo=UTC)
ZIP_DATE = (2026, 11, 1, 0, 0, 0)
HEADINGS = {"# ": 17, "## ": 12}


def make_pdf(lines: list[str], author: str) -> bytes:
    """Return a one-column A4 page or more, in the built-in fonts."""
    from fpdf import FPDF

    pdf = FPDF(format="A4")
    pdf.set_creation_date(MADE)
    pdf.set_author(author)
    pdf.set_title(lines[0].removeprefix("# "))
    pdf.set_margins(22, 20)
    pdf.add_page()
    for line in lines:
        _pdf_line(pdf, line)
    return bytes(pdf.output())


def _pdf_line(pdf, line: str) -> None:
    mark = line.split(" ", 1)[0] + " "
    text = line.removeprefix(mark)
    pdf.set_text_color(30, 30, 30)
    if mark in HEADINGS:
        pdf.set_font("helvetica", style="B", size=HEADINGS[mark])
        pdf.multi_cell(0, 9, text, new_x="LMARGIN", new_y="NEXT")
        pdf.ln(1)
    elif mark == "| ":
        pdf.set_font("helvetica", size=9)
        cells = text.split(" | ")
        for cell in cells:
            pdf.cell(pdf.epw / len(cells), 7, cell, border=1)
        pdf.ln(7)
    elif mark == "~ ":
        pdf.set_text_color(255, 255, 255)
        pdf.set_font("helvetica", size=6)
        pdf.multi_cell(0, 3, text, new_x="LMARGIN", new_y="NEXT")
    else:
        pdf.set_font("helvetica", size=10)
        shown = f"-  {text}" if mark == "- " else line
        pdf.multi_cell(0, 5.4, shown, align="L", new_x="LMARGIN", new_y="NEXT")
        pdf.ln(1.6)


def make_docx(lines: list[str], author: str) -> bytes:
    """Return a Word file with the default template's styles."""
    from docx import Document
    from docx.shared import Pt, RGBColor

    document = Document()
    document.core_properties.author = author
    document.core_properties.title = lines[0].removeprefix("# ")
    document.core_properties.created = document.core_properties.modified = MADE
    table = None
    for line in lines:
        mark = line.split(" ", 1)[0] + " "
        text = line.removeprefix(mark)
        if mark == "| ":
            cells = text.split(" | ")
            table = table or document.add_table(rows=0, cols=len(cells), style="Table Grid")
            for cell, value in zip(table.add_row().cells, cells, strict=True):
                cell.text = value
            continue
        table = None
        if mark in HEADINGS:
            document.add_heading(text, level=len(mark) - 1)
        elif mark == "- ":
            document.add_paragraph(text, style="List Bullet")
        elif mark == "~ ":
            run = document.add_paragraph().add_run(text)
            run.font.size, run.font.color.rgb = Pt(2), RGBColor(255, 255, 255)
        else:
            document.add_paragraph(line)
    raw = io.BytesIO()
    document.save(raw)
    return _same_dates(raw.getvalue())


def _same_dates(data: bytes) -> bytes:
    """Return the archive with one fixed date on every entry, so that equal text is equal bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for entry in old.infolist():
            fixed = zipfile.ZipInfo(entry.filename, date_time=ZIP_DATE)
            fixed.compress_type = zipfile.ZIP_DEFLATED
            fixed.external_attr = 0o600 << 16
            new.writestr(fixed, old.read(entry))
    return out.getvalue()


MAKERS: dict[str, Callable[[list[str], str], bytes]] = {"pdf": make_pdf, "docx": make_docx}


def embed(mail: str, filename: str, data: bytes) -> str:
    """Return the mail with the attachment of that name holding `data`; others stay as they are."""
    lines = base64.encodebytes(data).decode("ascii")
    part = re.compile(
        r"(Content-Disposition: attachment; filename=\""
        + re.escape(filename)
        + r"\"\n\n)[A-Za-z0-9+/=\n]*?\n?(?=--)"
    )
    return part.sub(lambda found: found.group(1) + lines, mail)


def build() -> dict[Path, bytes]:
    """Return every file this script is responsible for, with the bytes it should have."""
    made: dict[Path, bytes] = {}
    mails: dict[Path, str] = {}
    for name, paper in json.loads(PAPERS.read_text(encoding="utf-8")).items():
        path = STORIES / name
        data = MAKERS[path.suffix[1:]](paper["lines"], paper["author"])
        made[path] = data
        for mail in sorted(path.parent.glob("*.eml")):
            old = mails.get(mail) or mail.read_text(encoding="utf-8")
            mails[mail] = embed(old, path.name, data)
    made.update({path: text.encode() for path, text in mails.items()})
    return made


def main() -> int:
    """Write the files, or with `--check` only say which would change."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 on a change")
    asked = parser.parse_args()
    changed = [
        path for path, data in build().items() if not path.exists() or path.read_bytes() != data
    ]
    for path in changed:
        print(f"{'would change' if asked.check else 'written'}: {path.relative_to(ROOT)}")
    if asked.check:
        return 1 if changed else 0
    for path, data in build().items():
        path.write_bytes(data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
