"""`dealdesk keys`: by which keys the desk signs quotes, and which prove nothing any more."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

from dealdesk.cli.options import Home, Json, doc
from dealdesk.cli.output import print_json, say
from dealdesk.settings import load_settings
from servers.toolkit.desk_keys import DeskKeys


def show_keys(*, home: Home = None, json: Json = False) -> None:
    """Show the public keys; with --json what a customer keeps to check quotes with."""
    keys = _keys(home)
    known, current = keys.known(), keys.current()
    if json:
        print_json([asdict(key) for key in known.values()])
        return
    for key in known.values():
        state = "signs" if key.key_id == current else "signed earlier, still good"
        if key.retired_on:
            state = f"retired on {key.retired_on}, proves nothing: {key.reason}"
        say(f"{key.key_id}  since {key.since}  {state}")
    if not known:
        say("There is no key yet: the first is made when a quote is first rendered.")


def rotate_keys(*, home: Home = None) -> None:
    """Sign with a new key from now on; what the earlier ones signed stays good."""
    said = _keys(home).rotate(datetime.now(UTC).date())
    say(f"{said} signs from now on. Give customers the new `dealdesk keys show --json`.")


def retire_key(
    key: Annotated[str, doc("The key's id, or how it begins.", allow_leading_hyphen=True)],
    /,
    *,
    reason: Annotated[str, doc("Why, for whoever checks a quote: 'stolen laptop', say.")],
    home: Home = None,
) -> None:
    """End a key that others may have: no signature of it proves anything any more."""
    retired = _keys(home).retire(key, datetime.now(UTC).date(), reason)
    say(f"{retired.key_id} proves nothing any more. Render its quotes again, and give customers")
    say("the new `dealdesk keys show --json`: their old copy does not know.")


def _keys(home: str | None) -> DeskKeys:
    return DeskKeys(load_settings(home=home).home / "keys")
