"""Outside text made safe to store and to point into: cleaned, and what is secret masked.

Pure functions. Whatever is cleaned here is stored, and spans are offsets into what is stored, so
nothing may clean the same text again later in another way.
"""

import re
import unicodedata

from servers.toolkit.errors import InvalidInputError

_INVISIBLE = re.compile(
    "["
    "\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # controls, except tab and newline
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f"  # zero width, bidi
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"  # fillers, variation selectors
    "\U000e0000-\U000e0fff"  # tags and more variation selectors
    "]"
)
_LINE_BREAKS = re.compile("\r\n?|\u2028|\u2029|\x0b|\x0c|\x85")
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


def clean_text(text: str) -> str:
    """Return text in NFC, with unix line ends and without what nobody can see.

    Raises:
        InvalidInputError: it holds NUL or half a surrogate pair, so it is no text.
    """
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidInputError(
            "the text holds characters that are not text", fix="send it as UTF-8 without NUL"
        )
    text = _INVISIBLE.sub("", _LINE_BREAKS.sub("\n", text))
    return unicodedata.normalize("NFC", text)


def clean_line(text: str, limit: int = 200) -> str:
    """Return text cleaned and on one line, at most `limit` characters long."""
    return " ".join(clean_text(text).split())[:limit]


def tidy(text: str) -> str:
    """Return cleaned text without trailing blanks and without runs of empty lines."""
    text = "\n".join(line.rstrip() for line in clean_text(text).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", text).strip()


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
    summed = sum(digits[-1::-2]) + sum(sum(divmod(2 * d, 10)) for d in digits[-2::-2])
    return digits[0] in (3, 4, 5, 6) and summed % 10 == 0
