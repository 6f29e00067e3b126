"""What the text editors share: how a problem is told, lines, and line endings."""


class TextProblem(ValueError):  # noqa: N818 - the name says what happened
    """A settings file is not as it should be; `line` is 0 when it is about the whole."""

    def __init__(self, what: str, line: int = 0) -> None:
        super().__init__(f"line {line}: {what}" if line else what)
        self.line = line


def line_of(text: str, at: int) -> int:
    """Return the number of the line that a place is on, from 1."""
    return text.count("\n", 0, at) + 1


def newline_of(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"
