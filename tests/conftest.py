"""What every test shares."""

import os
import shutil
import sys
from pathlib import Path

import hypothesis
import pytest

hypothesis.settings.register_profile("untimed", deadline=None)  # a busy machine is no fault
hypothesis.settings.load_profile("untimed")
sys.path.insert(0, str(Path(__file__).parent / "toolkit"))

MEMORY = Path("/dev/shm")  # noqa: S108 - pytest makes a folder of its own in it


def in_memory() -> bool:
    """Say whether there is a file system in memory with room, where programs may be started."""
    if not (hasattr(os, "ST_NOEXEC") and os.access(MEMORY, os.W_OK)):
        return False
    usable = not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC
    return usable and shutil.disk_usage(MEMORY).free > 4 * 2**30


if in_memory():  # thousands of small commits, each of which waits for a disk
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def pytest_xdist_auto_num_workers() -> int:
    """Return one worker more than cores: tests of other processes wait more than they work."""
    return (os.cpu_count() or 1) + 1


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
        "DEALDESK_SIGNING_KEY",
        "DEALDESK_STATEMENT_KEY",
        "DEALDESK_PERSON_TOKEN",
    ):
        monkeypatch.delenv(name, raising=False)
