"""Card numbers, bank accounts, keys and passwords, masked before a text is stored."""

import re

_CARD = re.compile(r"(?<![\d-])(?:\d[ -]?){14,15}\d(?![\d-])")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b")
_SECRET = re.compile(
    r"\b(?:sk|pk|ghp|gho|xox[bap])[-_][A-Za-z0-9_-]{16,}|\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*"
    r"|\bAKIA[0-9A-Z]{16}\b"
)
_PASSWORD = re.compile(
    r"(?i)\b(?:password|passwort|passwd|kennwort|mot de passe|wachtwoord)\s*[:=]\s*(\S{4,80})"
)
MASK = "•"


def redact(text: str) -> str:
    """Mask card numbers, bank accounts, keys and passwords, character for character.

    The length stays the same, so that offsets into the text stay true. A bank account keeps its
    first and last four characters, by which a person can recognise it.
    """
    text = _CARD.sub(lambda m: _masked(m.group()) if _is_card(m.group()) else m.group(), text)
    text = _IBAN.sub(lambda m: m.group()[:4] + _masked(m.group()[4:-4]) + m.group()[-4:], text)
    text = _SECRET.sub(lambda m: _masked(m.group()), text)
    return _PASSWORD.sub(lambda m: m.group()[: -len(m[1])] + _masked(m[1]), text)


def _masked(text: str) -> str:
    return re.sub(r"[^\s]", MASK, text)


def _is_card(text: str) -> bool:
    """Say whether digits are a card number by Luhn's check."""
    digits = [int(c) for c in text if c.isdigit()]
    doubled = [d if place % 2 == 0 else sum(divmod(2 * d, 10)) for place, d in _places(digits)]
    return digits[0] in (3, 4, 5, 6) and sum(doubled) % 10 == 0


def _places(digits: list[int]) -> list[tuple[int, int]]:
    return list(enumerate(reversed(digits)))
