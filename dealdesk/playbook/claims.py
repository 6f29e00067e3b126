"""Facts and claims in a text, found by rule.

A fact (a date, a way of shipping, a promotion code) is read from a customer's own words only. A
claim (another ship-to, an exemption, a discount, an approval, bank details) is recorded from any
text and never acted on. Text that speaks to machines is neither read for items nor for facts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from dealdesk.playbook.signs import sign, signs
from orchestrator.workflows.quote.dates import read_date

_TO_MACHINES = re.compile(
    r"(?:instructions?|notes?|message)\s+(?:for|to)\s+(?:the\s+|any\s+|all\s+)?(?:ai|automated|llm|"
    r"assistant|bot|language model)|ignore\s+(?:all\s+|any\s+)?(?:previous|prior|above)|"
    r"disregard\s+(?:all|previous)|system\s*prompt|^\s*system\s*:|\bai assistant\b",
    re.IGNORECASE | re.MULTILINE,
)
_BLOCK_END = re.compile(r"\n\s*(?:-{3,}|={3,}|\n)")

_CLAIMS = signs("claims")
_CODE = re.compile(
    r"\b(?i:codes?|vouchers?|gutschein(?:code)?|c[oó]digo|codice|coupon)\W{1,3}(?:(?i:is|the|named)\W+)?"
    r"([A-Z]{3,}[A-Z0-9-]{1,16})\b"
)
_MODES = signs("modes")
_NEEDED = sign(
    r"(?:need|brauchen|benötig|necesit|deliver|liefer|besoin|serv(?:e|ono)|goods|ware)"
    r"[^.!?]{0,60}?\b(?:by|before|until|bis(?: zum)?|antes del?|avant le|entro il)\s+"
    r"(?:the\s+)?(\d[^,;!?]{4,24}|"
    r"[A-Z][a-z]+ \d[^,;!?]{0,14})"
)
_TERMS = sign(
    r"\bnet[- ]?(\d{2})\b|(\d{2})\s*(?:days|tage[n]?)\s*(?:net|netto|payment|zahlungsziel)|"
    r"(?:payment terms?|zahlungsziel)[^.\n]{0,20}?(\d{2})\s*(?:days|tage)"
)
_ASKED = sign(
    r"(\d{1,2})\s*%[^.\n]{0,40}(?:discount|off\b|rabatt|nachlass|sconto|descuento|remise)|"
    r"(?:discount|rabatt|nachlass|sconto|descuento|remise)[^.\n]{0,25}?(\d{1,2})\s*%"
)
_COUNTRIES = signs("countries")
_DELIVERY = sign(r"\b(?:ship|deliver|send|liefer|env[ií]|livr|consegn)\w*[^.!?]{0,90}")


def machine_blocks(text: str) -> list[tuple[int, int]]:
    blocks: list[tuple[int, int]] = []
    for found in _TO_MACHINES.finditer(text):
        if blocks and found.start() < blocks[-1][1]:
            continue
        start = text.rfind("\n", 0, found.start()) + 1
        end = _BLOCK_END.search(text, found.end())
        blocks.append((start, end.start() if end else len(text)))
    return blocks


def for_people(text: str) -> str:
    """Return the text with what speaks to machines blanked out; offsets stay as they are."""
    for start, end in machine_blocks(text):
        blank = "".join("\n" if c == "\n" else " " for c in text[start:end])
        text = text[:start] + blank + text[end:]
    return text


def find_claims(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield (kind, start, end) of the first claim of each kind."""
    for kind, pattern in _CLAIMS.items():
        if found := pattern.search(text):
            yield kind, found.start(), found.end()


def promo_codes(text: str) -> list[str]:
    return list(dict.fromkeys(_CODE.findall(text)))


def mode(text: str) -> str | None:
    return next((name for name, pattern in _MODES.items() if pattern.search(text)), None)


def needed_by(text: str, today: date) -> date | None:
    found = _NEEDED.search(" ".join(text.split()))
    return read_date(found[1], today) if found else None


def payment_terms(text: str) -> str | None:
    """Return the payment terms a text asks for, as a code (`NET60`)."""
    found = _TERMS.search(text)
    return f"NET{next(group for group in found.groups() if group)}" if found else None


def discount_asked(text: str) -> int | None:
    """Return the discount a text asks for in basis points; it is recorded, never granted."""
    found = _ASKED.search(text)
    return int(next(group for group in found.groups() if group)) * 100 if found else None


def ship_to_country(text: str) -> str | None:
    """Return the country that the words about delivery name, if they name exactly one."""
    words = " ".join(found.group() for found in _DELIVERY.finditer(" ".join(text.split())))
    named = {code for code, name in _COUNTRIES.items() if name.search(words)}
    return named.pop() if len(named) == 1 else None
