"""`dealdesk privacy`: what the house holds of a person, given out or erased; for its owner."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from dealdesk.cli.options import Home, Json, doc
from dealdesk.cli.output import print_json, say
from dealdesk.settings import Settings, load_settings
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from dealdesk.privacy import Holding

Contact = Annotated[str, doc("The person: a contact's id or a mail address.")]


def export_contact(
    contact: Contact,
    folder: Annotated[Path, doc("A new folder.")] = Path("dealdesk-person"),
    /,
    *,
    home: Home = None,
    json: Json = False,
) -> None:
    """Write everything the house holds of a person into a folder: rows as JSON, and files.

    The rows are whole, so they tell of others too: read them before you give them out.
    """
    from dealdesk.privacy import export_person, open_house

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there already", fix="name a new folder")
    with open_house(_settings(home)) as house:
        holding = house.holds([contact])
        export_person(holding, folder)
    counts = {place: len(rows) for place, rows in holding.rows.items()}
    if json:
        print_json({"folder": str(folder), "rows": counts, "files": len(holding.files)})
        return
    told = ", ".join(f"{count} of {place}" for place, count in counts.items() if count)
    say(f"{folder}: {told} rows, {len(holding.files)} files. They tell of others too.")


def erase_contact(
    contact: Contact,
    /,
    *,
    yes: Annotated[bool, doc("Do not ask again.")] = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Erase a person: names, addresses, what they wrote, and what runs kept of it.

    It shows first what goes and what stays, why and until when. Nothing brings it back.
    """
    from dealdesk.cli.quote_decisions import asks, sure
    from dealdesk.privacy import FILE, open_house

    settings = _settings(home)
    if not (yes or asks(yes=yes)):
        raise UsageError("nobody is here to be asked", fix="--yes, to erase for good")
    with open_house(settings) as house:
        found = house.holds([contact], erasing=True)
        if not json or asks(yes=yes):
            _show(found)
        if not sure("Erase all this for good?", yes=yes):
            return
        house.erase([contact], settings.person or "owner")
    note = settings.home / FILE
    if json:
        said = {"erased": found.counts, "kept": found.kept, "noted": str(note)}
        files = {"files": [one.name for one in found.files]}
        print_json({**said, **files, "backups": [str(one) for one in found.backups]})
        return
    say(f"Erased. {note} notes it without the name: keep a copy away from this machine, for")
    say("  dealdesk restore FILE --erasures COPY, which erases them from an older backup.")


def _show(found: "Holding") -> None:
    for name, count in found.counts.items():
        say(f"goes   {count:>5} rows of {name}")
    for path in found.files:
        say(f"goes   {path}")
    for name, why in found.kept.items():
        say(f"stays  {name}: {why}")
    for path in found.backups:
        say(f"not touched: {path}, a backup; delete it, or erase again after restoring it")
    say("not touched: copies of yours elsewhere, and backups made by dealdesk backup")


def _settings(home: str | None) -> Settings:
    """Return the settings of the desk's owner, for whose databases no other program answers."""
    from dealdesk.keys import signing_key
    from orchestrator.servers import read_elsewhere

    settings = load_settings(home=home)
    if elsewhere := read_elsewhere(settings.servers):
        raise UsageError(
            f"{', '.join(elsewhere)} runs elsewhere", fix="do it where every database is"
        )
    signing_key(settings)
    return settings
