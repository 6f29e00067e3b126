"""`dealdesk backup|restore`: the whole house in one file, and a new house from it."""

import os
from pathlib import Path
from typing import Annotated

from dealdesk.cli.options import Home, Json, doc
from dealdesk.cli.output import print_json, say
from dealdesk.settings import load_settings


def backup(
    file: Annotated[Path, doc("A new file.")],
    /,
    *,
    with_keys: Annotated[
        bool, doc("Put the keys in that sign quotes and statements; the file is then as secret.")
    ] = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Write the whole house into one file: databases of one moment, settings, quotes.

    Work may go on; what writes waits until the copies are made.
    """
    from dealdesk.backup import make_backup

    said = make_backup(load_settings(home=home), file.absolute(), with_keys=with_keys)
    if json:
        print_json(said)
        return
    keys = "with the keys that sign" if with_keys else "without keys (--with-keys puts them in)"
    say(f"{file}: the house as of {said['made_at']}, {len(said['files'])} files, {keys}.")
    say("Keep it as secret as the house, and a copy of erasures.json beside it, not in it.")


async def restore(
    file: Annotated[Path, doc("What `dealdesk backup` wrote.")],
    /,
    *,
    erasures: Annotated[
        Path | None, doc("A copy of erasures.json, to erase again who was erased since.")
    ] = None,
    last_number: Annotated[
        int | None,
        doc("The last quote number of this year (123 of Q-2026-000123), so that no gap is left."),
    ] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Make a new house from a backup, in an empty folder.

    No grant and no person's token of before opens anything in it, its runs wait for a person, and
    its quote numbers go on past those that may have been issued since.
    """
    from dealdesk.backup import restore_backup

    new = load_settings(home=home).home
    told = await restore_backup(file, new, erasures=erasures, last_number=last_number)
    if json:
        print_json({"home": str(new), **told})
        return
    say(f"{new} is the house as of {told['made_at']}.")
    for one in told["numbers"]:
        first, last = one["numbers"]
        say(f"  {one['entity_id']}: nobody gets the numbers {first} to {last}; write down why.")
    say("  Every token of a person ended: dealdesk person enroll. Every grant of before did.")
    if os.environ.get("DEALDESK_GRANT_KEY"):
        say("  But DEALDESK_GRANT_KEY is set: change it, or grants of the last day still open.")
    if told["parked"]:
        say(f"  Parked, to be looked at: {', '.join(told['parked'])} (dealdesk runs resume).")
    if told["settings_aside"]:
        say("  dealdesk.toml named databases elsewhere; it is dealdesk.toml.before now.")
    if not told["keys"]:
        say("  The keys were not in it: put desk.pem back into keys/, or a new one is made.")
    again = told["erased_again"]
    say(f"  {again} erased again." if erasures else "  --erasures was not given: erase again.")
