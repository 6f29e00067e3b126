"""The errors a server raises on purpose.

    DomainError
    ├── InvalidInputError   INVALID_INPUT   the caller should send something else
    ├── NotFoundError       NOT_FOUND       no such row, or none the caller may see
    ├── ConflictError       CONFLICT        someone else changed it, or it exists already
    ├── RuleViolationError  RULE_VIOLATION  a rule of the business forbids it
    ├── ForbiddenError      FORBIDDEN       this caller may not decide it
    └── StorageError        STORAGE         a file or database needs an operator

Every one carries what is wrong and what to do next; `toolkit.app` turns them into the
one wire form `CODE: what is wrong. Try: what to do next.`
"""


class DomainError(Exception):
    """Something a caller can act on: what is wrong, and what to do next."""

    code = "ERROR"

    def __init__(self, message: str, *, fix: str = "", code: str | None = None) -> None:
        """Keep the message, the fix and, where the class is too coarse, a finer code."""
        super().__init__(message)
        self.message = message.rstrip(".")
        self.fix = fix.rstrip(".")
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        text = f"{self.code}: {self.message}."
        return f"{text} Try: {self.fix}." if self.fix else text


class InvalidInputError(DomainError):
    """The arguments are well-formed but make no sense here."""

    code = "INVALID_INPUT"


class NotFoundError(DomainError):
    """There is no such row, or the caller's grant does not reach it: both read the same."""

    code = "NOT_FOUND"


class ConflictError(DomainError):
    """The row changed since it was read, or what should be made exists already."""

    code = "CONFLICT"


class RuleViolationError(DomainError):
    """A rule of the business forbids the change."""

    code = "RULE_VIOLATION"


class ForbiddenError(DomainError):
    """The caller is known but may not take this decision."""

    code = "FORBIDDEN"


class StorageError(DomainError):
    """A file or database is missing, corrupt, read-only or newer than this program."""

    code = "STORAGE"
