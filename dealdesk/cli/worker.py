"""`dealdesk worker`: play what is queued, for as long as it is not stopped."""

import asyncio
import logging
import signal
import sys
from contextlib import suppress

from dealdesk.cli.options import Home, Model
from dealdesk.settings import load_settings
from servers.toolkit.starting import started


async def worker(*, model: Model = None, home: Home = None) -> None:
    """Play what is queued, and what dead workers left, until stopped.

    Several workers, on one machine or many, share a PostgreSQL database (DEALDESK_ENGINE_URL and
    the servers' URLs name it); each run is played by one of them. A worker plays the runs that
    were queued for its model. SIGTERM or Ctrl-C stops it; what it was at, another goes on with.
    """
    from dealdesk.desk import Desk
    from dealdesk.models import chosen_model

    _log_to_stderr()
    settings = load_settings(home=home, model=model)
    async with Desk.open(settings, sweep=True) as desk:
        started()
        if desk.created:
            print(desk.created, file=sys.stderr)
        print(f"Working as {chosen_model(settings)}; Ctrl-C stops.", file=sys.stderr, flush=True)
        await _stopped()
    print("Stopped.", file=sys.stderr)


def _log_to_stderr() -> None:
    log = logging.getLogger("dealdesk")
    log.addHandler(logging.StreamHandler())
    log.setLevel(logging.INFO)


async def _stopped() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    with suppress(NotImplementedError):  # Windows: Ctrl-C ends it as a kill would
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, stop.set)
    await stop.wait()
