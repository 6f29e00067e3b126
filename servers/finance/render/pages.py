"""The HTML and Markdown pages: templates filled with values that are already words."""

import re
from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template

from servers.finance.render.sheet import Document, sheet

_MARKDOWN_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|!~])")


def html_page(document: Document) -> str:
    """Return the quote as one self-contained HTML page: no script, no remote resource."""
    return _template("quote.html.j2").render(s=sheet(document))


def markdown_page(document: Document) -> str:
    text = _template("quote.md.j2").render(s=sheet(document))
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


@cache
def _template(name: str) -> Template:
    environment = Environment(
        autoescape=name.endswith(".html.j2"),  # in Markdown the `md` filter escapes instead
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["md"] = escape_markdown
    source = (files("servers.finance.render") / "templates" / name).read_text(encoding="utf-8")
    return environment.from_string(source)


def escape_markdown(text: object) -> str:
    """Return text that Markdown shows as it is: one line, no links, images or HTML."""
    return _MARKDOWN_SPECIAL.sub(r"\\\1", " ".join(str(text).split()))
