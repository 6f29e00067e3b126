"""The quote card: finance's answers about one quote, drawn by hosts that show MCP Apps.

The page is ours alone: one HTML text with its style and scripts inside, which may load and reach
nothing. Its policy names the hash of each script, so not even markup that found a way in would
run. It holds no row of the database; a host gives it the tool's own answer. It only shows: a
person decides elsewhere (design law 6).
"""

import json
from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files

from iso4217 import Currency

from servers.finance.render.words import LEVIES, TAX
from servers.toolkit.components import resource_at
from servers.toolkit.declare import resource
from servers.toolkit.units import UNITS

CARD = "ui://finance/quote-card.html"
MIME = "text/html;profile=mcp-app"
REACHES_NOTHING: dict[str, list[str]] = {
    "connectDomains": [],
    "resourceDomains": [],
    "frameDomains": [],
    "baseUriDomains": [],
}
"""What the page may reach; hosts make its frame's policy from this."""


@resource_at(
    CARD,
    resource(
        "Quote card",
        rows="public",
        mime_type=MIME,
        confidentiality="public",
        ui={"csp": REACHES_NOTHING, "prefersBorder": True},
    ),
)
def quote_card(_finance: object) -> str:
    """The page in which a host shows a quote; it holds no data, and loads nothing."""
    return page()


@cache
def page() -> str:
    style, view, bridge = (_part(name) for name in ("card.css", "view.js", "bridge.js"))
    allowed = {
        "default-src": "'none'",
        "style-src": _hash(style),
        "script-src": f"{_hash(view)} {_hash(bridge)}",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    given = {
        "digits": {one.code: one.exponent for one in Currency if one.exponent is not None},
        "tax": TAX,
        "levies": {country: name for country, (name, _) in LEVIES.items()},
        "units": UNITS,
    }
    text = _part("card.html")
    for name, value in {
        "csp": "; ".join(f"{name} {source}" for name, source in allowed.items()),
        "given": json.dumps(given, separators=(",", ":")),
        "style": style,
        "view": view,
        "bridge": bridge,
    }.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _part(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
