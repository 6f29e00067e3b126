"""What the command was told: flags, then `DEALDESK_*`, then `dealdesk.toml`, then the defaults."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from orchestrator.errors import CredentialsError, UsageError
from servers.registry import NAMES as SERVERS
from servers.toolkit.person_tokens import VARIABLE, named_in
from servers.toolkit.private_files import close_home

FILE = "dealdesk.toml"
DATABASES = (*SERVERS, "engine")
NAMES = ("model", "person", "order_date", "servers", *(f"{name}_url" for name in DATABASES))
"""Everything that can be set besides `home`; `DEALDESK_` and the name in capitals sets it too."""


@dataclass(frozen=True)
class Settings:
    """Where things are and who acts; `load_settings` makes one.

    `model` None leaves it to what keys are there; `order_date` None is today. `servers` is a
    standard `mcpServers` file; `sources` says where each value came from: `flag`, a variable, a
    file, or `default`; `token` proves the person, and no file keeps it.
    """

    home: Path
    urls: Mapping[str, str]
    model: str | None
    person: str | None
    order_date: date | None
    servers: Path | None
    sources: Mapping[str, str]
    token: str = field(default="", repr=False)

    def server_url(self, name: str) -> str:
        return self.urls[name]

    @property
    def engine_url(self) -> str:
        return self.urls["engine"]

    @property
    def runs_url(self) -> str:
        """The database of runs and events: `runs.db`, or the engine's PostgreSQL database."""
        if self.engine_url.startswith("sqlite"):
            return _url(str(self.home / "runs.db"))
        return self.engine_url


def load_settings(
    *,
    home: str | Path | None = None,
    model: str | None = None,
    person: str | None = None,
    order_date: str | None = None,
    servers: str | None = None,
    **urls: str | None,
) -> Settings:
    """Return the settings; each argument is a flag and stands above everything else."""
    here = Path.cwd() / FILE
    local = _read(here)
    if "servers" in local:  # it can start programs: not for any folder one happens to stand in
        raise UsageError(
            f"{here} names programs to start", fix=f"put `servers` into {FILE} of the data folder"
        )
    sources: dict[str, str] = {}
    places = [
        ("flag", {"home": str(home) if home else None}),
        ("DEALDESK_HOME", {"home": os.environ.get("DEALDESK_HOME")}),
        (str(here), local),
    ]
    found = _first("home", places, sources)
    folder = close_home(Path(found).expanduser().absolute() if found else _default_home())

    flags = {"model": model, "person": person, "order_date": order_date, "servers": servers, **urls}
    if unknown := set(flags) - set(NAMES):
        raise UsageError(f"no such setting: {', '.join(sorted(unknown))}")
    files = [(str(here), local)]
    if (inside := folder / FILE) != here:
        files.append((str(inside), _read(inside)))
    values: dict[str, str | None] = {}
    for name in NAMES:
        variable = f"DEALDESK_{name.upper()}"
        layers = [("flag", flags), (variable, {name: os.environ.get(variable)}), *files]
        values[name] = _first(name, layers, sources)
    token = os.environ.get(VARIABLE, "").strip()
    return Settings(
        home=folder,
        urls={
            name: _url(values[f"{name}_url"] or str(folder / f"{name}.db")) for name in DATABASES
        },
        model=values["model"],
        person=_person(values["person"], token),
        token=token,
        order_date=_day(values["order_date"], sources["order_date"]),
        servers=Path(values["servers"]).expanduser().absolute() if values["servers"] else None,
        sources=sources,
    )


def _first(
    name: str, layers: Sequence[tuple[str, Mapping[str, str | None]]], sources: dict[str, str]
) -> str | None:
    for source, values in layers:
        if value := values.get(name):
            sources[name] = source
            return value
    sources[name] = "default"
    return None


def _person(named: str | None, token: str) -> str | None:
    """Return who acts: whom the token is of, who must be whoever is named beside it."""
    holder, _ = named_in(token)
    if token and named not in (None, holder):
        raise CredentialsError(
            f"the token in {VARIABLE} is not one of {named}", fix="use their own, or unset it"
        )
    return holder or named


def _default_home() -> Path:
    from platformdirs import user_data_path

    return user_data_path("dealdesk", appauthor=False)


def _read(path: Path) -> dict[str, str | None]:
    """Read a `dealdesk.toml`; a missing one is an empty one."""
    try:
        with path.open("rb") as file:
            found = tomllib.load(file)
    except (FileNotFoundError, NotADirectoryError):
        return {}  # what is wrong with the folder is said when it is used
    except (OSError, tomllib.TOMLDecodeError) as problem:
        raise UsageError(f"{path} cannot be read: {problem}") from problem
    if unknown := set(found) - {"home", *NAMES}:
        names = ", ".join(sorted(unknown))
        raise UsageError(f"{path} sets unknown: {names}", fix=f"known are home, {', '.join(NAMES)}")
    for name, value in found.items():
        if not isinstance(value, str | date):
            raise UsageError(f"{path}: {name} is not text", fix=f'{name} = "..."')
    return {
        name: str((path.parent / value).absolute()) if _is_path(name, value) else str(value)
        for name, value in found.items()
    }


def _is_path(name: str, value: object) -> bool:
    """Say whether a file's value is a path, which is meant from where the file lies."""
    text = str(value)
    path = name in ("home", "servers") or (name.endswith("_url") and "://" not in text)
    return path and not text.startswith("~")


def _day(text: str | None, source: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{text!r} ({source}) is no date", fix="the order date reads YYYY-MM-DD"
        ) from None


def _url(text: str) -> str:
    """Return a SQLAlchemy URL: a path is a SQLite file, and PostgreSQL is reached by psycopg."""
    scheme, separator, rest = text.partition("://")
    if not separator:
        return f"sqlite:///{Path(text).expanduser().absolute()}"
    if scheme in ("postgres", "postgresql"):
        return f"postgresql+psycopg://{rest}"
    if scheme in ("sqlite", "postgresql+psycopg"):
        return text
    raise UsageError(
        f"{scheme!r} databases are not known", fix="a file, sqlite:/// or postgresql://"
    )
