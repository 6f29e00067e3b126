"""Mapping files: TOML in which a person says which columns of their files fill which tables."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked

from servers.toolkit.errors import InvalidInputError
from servers.toolkit.file_problems import cell_problem
from servers.toolkit.mapping import Fill, Words

Rules = dict[str, Any]
CLOSED = ConfigDict(extra="forbid")
BESIDE = ("set", "values", "times", "where", "skip_without")
"""What stands beside the columns of a table; no table has a column of that name."""


class FileRules(BaseModel):
    """A file: how it is read, and, by server and table, what its rows fill."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, dict[str, Rules | list[Rules]]]

    name: str
    sheet: str = ""
    empty: tuple[str, ...] = ()
    carry: tuple[str, ...] = ()
    where: dict[str, Words] = Field(default_factory=dict)
    decimal: Literal["", ".", ","] = ""
    dates: Literal["", "dmy", "mdy"] = ""


@checked(config=CLOSED)
class Mapping:
    """A mapping file: whose files these are, and what each of them fills."""

    file: Annotated[list[FileRules], Field(min_length=1)]
    source: Annotated[str, Field(pattern=r"^[a-z0-9_-]{0,60}$")] = ""
    decimal: Literal["", ".", ","] = ""
    dates: Literal["", "dmy", "mdy"] = ""


@dataclass(frozen=True)
class Take:
    """A file to take into a table."""

    server: str
    table: str
    path: Path
    fill: Fill


def read_mapping(path: Path) -> Mapping:
    """Read a mapping file.

    Raises:
        InvalidInputError: naming what in it is wrong.
    """
    try:
        with path.open("rb") as file:
            return TypeAdapter(Mapping).validate_python(tomllib.load(file))
    except OSError as problem:
        raise InvalidInputError(f"cannot read {path}", fix="name a mapping file") from problem
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise InvalidInputError(f"{path.name}: {problem}", fix="mend the TOML") from problem
    except ValidationError as problem:
        raise _wrong(path.name, problem) from problem


def plan(mapping: Mapping, paths: list[Path], today: str) -> tuple[list[Take], list[Path]]:
    """Return what is taken from files, and the files that the mapping does not know.

    One file alone is what the mapping's only entry says, whatever its name.
    """
    takes, unknown = [], []
    for path in paths:
        known = [one for one in mapping.file if _named(path, one.name)]
        if not known and len(paths) == len(mapping.file) == 1:
            known = mapping.file
        for rules in known:
            takes += list(_takes(mapping, rules, path, today))
        if not known:
            unknown.append(path)
    if not takes:
        names = ", ".join(one.name for one in mapping.file)
        there = ", ".join(one.name for one in paths)
        raise InvalidInputError(
            f"the mapping is for {names}, not for {there or 'these'}",
            fix="rename the file or the mapping's entry, or propose one: --propose",
        )
    return takes, unknown


def _named(path: Path, pattern: str) -> bool:
    return fnmatch(path.name.partition("#")[0].casefold(), pattern.casefold())


def _takes(mapping: Mapping, rules: FileRules, path: Path, today: str) -> Iterator[Take]:
    named = path.with_name(f"{path.name}#{rules.sheet}") if rules.sheet else path
    fills = [
        (server, table, _fill(mapping, rules, f"{server}.{table}", said, today))
        for server, tables in rules.__pydantic_extra__.items()
        for table, every in tables.items()
        for said in (every if isinstance(every, list) else [every])
    ]
    used = frozenset(name for *_, fill in fills for name in fill.theirs)
    for server, table, fill in fills:
        yield Take(server, table, named, replace(fill, others=used))


def _fill(mapping: Mapping, rules: FileRules, place: str, said: Any, today: str) -> Fill:
    beside = {name: one for name, one in said.items() if name in BESIDE}
    columns = {name: one for name, one in said.items() if name not in BESIDE}
    try:
        fill = TypeAdapter(Fill).validate_python({"columns": columns, **beside})
    except ValidationError as problem:
        raise _wrong(f"{rules.name}, {place}", problem) from problem
    return replace(
        fill,
        constants={name: today if one == "today" else one for name, one in fill.constants.items()},
        where={**rules.where, **fill.where},
        empty=rules.empty,
        carry=rules.carry,
        decimal=rules.decimal or mapping.decimal,
        dates=rules.dates or mapping.dates,
        source=mapping.source,
        file=rules.name,
    )


def _wrong(where: str, problem: ValidationError) -> InvalidInputError:
    first = problem.errors(include_url=False)[0]
    said = f"{'.'.join(map(str, first['loc']))}: {cell_problem(first)}"
    return InvalidInputError(f"{where}: {said}", fix="see docs/importing.md for mapping files")
