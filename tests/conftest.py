"""What every test shares."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "toolkit"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that tests recorded, also when they ran in other processes."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "figure":
                terminalreporter.write_line(str(value))


@pytest.fixture(autouse=True)
def _no_outside_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a developer's own settings and keys out of the tests."""
    for name in (
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_BASE_URL",
        "DEALDESK_GRANT",
        "DEALDESK_GRANT_KEY",
        "DEALDESK_GRANT_PUBLIC_KEY",
        "DEALDESK_HOME",
        "DEALDESK_PERSON",
    ):
        monkeypatch.delenv(name, raising=False)
