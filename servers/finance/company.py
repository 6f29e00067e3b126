"""Read a company file: YAML, JSON or TOML, checked field by field, with its logos."""

import json
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from servers.finance.load.company import CompanyFile
from servers.finance.logo import data_uri
from servers.toolkit.errors import InvalidInputError

MAX_BYTES = 1_000_000


def read_company(path: Path) -> CompanyFile:
    """Return the company that a file describes, or raise InvalidInputError that names the field.

    The file has `entities` and `people`, or is one entity by itself. A `logo` is a data URI, or
    the name of an SVG or PNG file beside it.
    """
    said = _read(path)
    if isinstance(said, list):
        said = {"entities": said}
    elif isinstance(said, dict) and "entities" not in said:
        house = {name: said.pop(name) for name in CompanyFile.model_fields if name in said}
        said = {"entities": [said], **house}
    for entity in said.get("entities") or () if isinstance(said, dict) else ():
        if isinstance(entity, dict) and isinstance(entity.get("logo"), str):
            entity["logo"] = _logo(path, entity["logo"])
    try:
        return CompanyFile.model_validate(said)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "row"
        wrong = first["msg"].removeprefix("Value error, ")
        raise InvalidInputError(f"{path.name}: {place}: {wrong}", fix="mend the row") from None


def _read(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        fix = "name a YAML, JSON or TOML file in UTF-8"
        raise InvalidInputError(f"cannot read {path.name}", fix=fix) from problem
    if len(text) > MAX_BYTES:
        raise InvalidInputError(f"{path.name} is larger than a megabyte", fix="make it smaller")
    if path.suffix.lower() == ".json":
        try:
            return json.loads(text)
        except json.JSONDecodeError as problem:
            wrong = f"{path.name}, line {problem.lineno}: {problem.msg}"
            raise InvalidInputError(wrong, fix="mend the JSON") from problem
    if path.suffix.lower() == ".toml":
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as problem:
            raise InvalidInputError(f"{path.name}: {problem}", fix="mend the TOML") from problem
    import yaml  # type: ignore[import-untyped]

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark is not None else ""
        said = getattr(problem, "problem", None) or "not YAML"
        raise InvalidInputError(f"{path.name}{where}: {said}", fix="mend the YAML") from problem


def _logo(path: Path, name: str) -> str:
    """Return a logo as a data URI; a name is a file beside the company file."""
    if not name or name.startswith("data:"):
        return name
    if Path(name).name != name:
        wrong = f"{path.name}: logo {name!r} is not beside the file"
        raise InvalidInputError(wrong, fix="put it in the same folder")
    try:
        return data_uri((path.parent / name).read_bytes())
    except OSError as problem:
        wrong = f"{path.name}: cannot read the logo {name}"
        raise InvalidInputError(wrong, fix="put it beside the company file") from problem
