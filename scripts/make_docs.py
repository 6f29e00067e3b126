#!/usr/bin/env python3
"""Write docs/tools.md, docs/importing.md, docs/quote.schema.json and compose.yaml's servers.

scripts/make_docs.py           write them
scripts/make_docs.py --check   say whether they are up to date (a test does the same)
"""

from __future__ import annotations

import asyncio
import json
import re
import runpy
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fastmcp import Client
from pydantic import TypeAdapter
from pydantic.fields import FieldInfo

from orchestrator.workflows import load_all
from servers.finance.render.pages import quote_schema
from servers.profiles import PROFILES, components
from servers.registry import NAMES, create_server, tables_of
from servers.toolkit.app import Server
from servers.toolkit.database import Database
from servers.toolkit.declare import declaration
from servers.toolkit.grants import Grant
from servers.toolkit.tables import Table

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "tools.md"
IMPORTING = ROOT / "docs" / "importing.md"
SCHEMA = ROOT / "docs" / "quote.schema.json"
COMPOSE = ROOT / "compose.yaml"
AGENTS = tuple(spec for workflow in load_all() for spec in workflow.agents)
COMPOSED = {
    "servers": """\
  {name}:
    <<: *server
    command: [serve, {name}, --transport, http, --host, 0.0.0.0, --allowed-host, {name}]
    environment: {{DEALDESK_{upper}_URL: "${{DEALDESK_{upper}_URL:-}}"}}
    ports: ["127.0.0.1:${{DEALDESK_{upper}_PORT:-{port}}}:8000"]
    networks: [servers, databases]
    volumes: ["{name}:/data", *public-key]
""",
    "addresses": "      DEALDESK_{upper}_URL: ${{DEALDESK_{upper}_URL:-}}\n",
    "volumes": "  {name}: {{}}\n",
    "databases": "      CREATE DATABASE {name};\n",
}
ROWS = {
    "bound": "needs {binds}",
    "filtered": "shows granted rows only ({binds})",
    "public": "the same for everybody",
}
HEAD = """\
# The servers' tools, resources and prompts

<!-- Made by scripts/make_docs.py from the live servers; a test compares. Do not edit. -->

*Scope* says which arguments a grant can bind: with `account_id` bound to one account, no call
reaches another. *From profile* is the smallest profile that has the component when a local user
connects without a grant: `read` looks, `sales` also drafts, `admin` also keeps the data; *a
person* means that only a named person's grant opens it, which no agent and no profile can hold.
*Agents* are those of the workflows; what none holds, their engine or a person calls. Every
tool has a title, an object output schema, and answers with the same data as text and as
structured content. Errors read `CODE: what is wrong. Try: what to do next.`
"""

IMPORTING_HEAD = """\
# Files that dealdesk takes in

<!-- Made by scripts/make_docs.py from the tables of the servers; a test compares. Do not edit. -->

`dealdesk import SERVER TABLE FILE` takes one file, `dealdesk import FOLDER` a folder like
`seed_data/`: in it a folder for each server, in that files named for tables (`items.csv`). The demo
comes in the same way, and `dealdesk export` writes such a folder. Everything is checked first, and
all of it is written or none; a row whose key is there already is changed, in the columns that the
file has. An empty data folder takes `FOLDER` as its own, without the demo.

Files are CSV (UTF-8, UTF-16 or Windows-1252, parted by commas, semicolons, tabs or `|`), JSON (a
list of objects, or an object that holds one) or XLSX: the first sheet that has rows, or the one
that `FILE.xlsx#Sheet` names; `FILE.json#list` names one of several lists, `#plans.tiers` the list
that each row of `plans` holds, with what that row says. The header may stand below blank lines. An
empty cell is the default. `--map COLUMN=THEIRS` says a column's other name, `--set COLUMN=VALUE`
what is the same in every row, `--dry-run` checks and writes nothing.

Cells may be written as people write them, and the report says what was read as what:

- a country or a language by its code or its name in any language (`Germany`, `Österreich`, `DEU`)
- a unit by its usual words in English and German (`Stk`, `pcs`, `Kilo`), a currency by `€` or `£`
- yes and no as `yes`, `ja`, `x`, `1`, `no`, `nein`, `0` and the like
- a day as `2026-12-31`, `31.12.2026`, or `12/31/2026` where only one can be the month
- a number as `1234.56`, `1.234,56`, `1,234.56`, `1 234,56`, `12,50 €`. What `1.234` is, the other
  numbers of the file decide; where they do not, it is refused, except in a file with our own column
  names and no comma in a number: there a point is the decimal mark.

A list is `a;b`, a map `EUR=5.00;GBP=4.50`; both may be JSON, and what is said to be a document is.

An id may be any: `1017` in a column for ids of accounts becomes `acc_1017`, the same in every file
and server. A SKU is found however its letters are cased; two of a file that differ in no more are
refused.

## What an import changes

Where there are quotes, an import of a table that moves prices (items, prices, tiers, promotions,
contracts, freight, policies ...) first prices the last of them again (`--reprice 200`), each from
its stored inputs and on its own order date, before and after, and says what differs: totals, new
approvals, margins, changed prices, prices below cost. `--dry-run` shows it and writes nothing;
`--json` has every quote. `import_limits` in `policies` say what one person alone may import:

- `price_percent`: how far a price of a book or a contract, or a past quote's total, may move
- `approvals_percent`: how many past quotes may newly need an approval, or be quoted no more

What goes further is refused, or imported by two: `--as PERSON --approved-by ANOTHER`. The second is
somebody who decides on prices; both prove themselves, the second by the token in
DEALDESK_APPROVER_TOKEN or typed at a terminal, and both names stand in finance's audit. A limit
that is left out is none, so that a house of one person can work.

## Files of other programs

`dealdesk import FOLDER --mapping NAME` (or a single `FILE`) takes files as another program exports
them. `salesforce`, `hubspot`, `odoo` and `shopify` come with dealdesk; they stand in
`dealdesk/mappings/`, to be read and copied. `--set currency=EUR`, repeatable, says what is the same
for all of them where the files say nothing. A mapping of one's own is a TOML file:

```toml
source = "erp"             # whose files: their ids are kept beside ours
decimal = ","              # only where numbers like 1.234 leave it open; dates = "dmy" or "mdy" too

[[file]]
name = "articles*.csv"     # of a workbook also: sheet = "2026"
carry = ["Group"]          # an empty cell has what the row above has
empty = ["-", "n/a"]       # what stands in cells that are empty
where = { Blocked = ["", "no"] }  # only such rows; "*" is any word, "!no" any other one

[file.catalog.products]    # a table of a server: our column = "Their column"
sku = "No."
name = "{Name} {Colour}"   # a text made of several; ["A", "B"] takes the first that is filled
family = "Group"
weight_g = "Weight kg"
times.weight_g = 1000      # whole numbers are rounded half up
lifecycle = "State"
values.lifecycle = { "in stock" = "active", "*" = "eol" }  # any other word; "" is an empty cell
set = { kind = "goods", base_uom = "each" }  # where the file says nothing

[file.finance.prices]
sku = "No."
amount = "Price"
skip_without = ["amount"]  # no row without one
set = { book = "LIST", valid_from = "today" }
```

`dealdesk import FILE --propose` writes such a mapping for a file of columns with usual English or
German names (`--save MAP.toml` keeps it): what it could not place and what is missing stand in it
as comments. Read it before it is used. `tests/companies_mappings/` has whole ones, with the company
files beside them, for three made-up companies.

Several tables, of several servers, are filled from one file; `[[file.crm.addresses]]` fills one
twice. A column for a list takes `["Street", "Street 2"]` as its items, and `values` may give a line
for each item; in a text made of several, a list is its quoted items. Rows of a table that say the
same are one row.

A second import with the same `source` is a sync: rows are known by their own ids, what changed is
changed, and what the file no longer has is told. It stays, unless `--gone end` ends it: an account
is closed, a product is `eol`, a price is valid until today; what has no such end stays. One
`source` cannot change the accounts, addresses or contacts of another.

## Columns

Columns in **bold** say which row it is; those marked * are needed in a row that is new.
"""


def _apps(folder: Path) -> dict[str, Server]:
    return {name: create_server(name, Database.open(folder / f"{name}.db", name)) for name in NAMES}


async def page() -> str:
    """Return the whole page."""
    with tempfile.TemporaryDirectory() as folder:
        apps = _apps(Path(folder))
        parts = [HEAD, await _sizes(apps), _answers()]
        parts += [await _server(app) for app in apps.values()]
        for app in apps.values():
            app.database.close()
    return "\n".join(parts)


async def _bytes(app: Server, names: Iterable[str]) -> int:
    """Return the size of `tools/list` for a grant of some tools, as it crosses the wire."""
    grant = Grant(id="docs", audience=app.name, tools=frozenset(names), person="docs")
    if not grant.tools:
        return 0
    async with Client(app.view(grant)) as client:
        listed = await client.list_tools_mcp()
    text = listed.model_dump_json(by_alias=True, exclude_none=True, include={"tools"})
    return len(text.encode())


async def _sizes(apps: dict[str, Server]) -> str:
    every = {
        name: [tool.name for tool in await app.local_provider.list_tools()]
        for name, app in apps.items()
    }
    count = sum(map(len, every.values()))
    whole = sum([await _bytes(app, every[name]) for name, app in apps.items()])
    lines = [
        "## What an agent has to carry",
        "",
        "Bytes of the `tools/list` answers that each agent gets under its grant, against one agent",
        f"that is shown all {count} tools of all servers ({whole:,} bytes).",
        "",
        "| agent | tools | bytes | of all |",
        "|---|--:|--:|--:|",
    ]
    for spec in AGENTS:
        size = sum([await _bytes(app, spec.tools_of(name)) for name, app in apps.items()])
        lines.append(f"| {spec.name} | {len(spec.tools)} | {size:,} | {size / whole:.1%} |")
    return "\n".join([*lines, ""])


def _answers() -> str:
    """Return how large answers come, from the table that tests/e2e/test_answers.py holds."""
    table = runpy.run_path(str(ROOT / "tests" / "large_results.py"))
    lines = [
        "## How large answers come",
        "",
        "Tools whose data can be more than 25,000 bytes, and how their answers stay small. Bytes",
        "are those of an answer's text on the largest data that `tests/e2e/test_answers.py` makes:",
        "a quote of 200 lines, a message of 60,000 characters, lists of 100 rows. Every other tool",
        "answers with one row or a few.",
        "",
        "| server | tool | at most | in parts by |",
        "|---|---|--:|---|",
    ]
    for server, answers in table["LARGE_RESULTS"].items():
        for tool, answer in answers.items():
            if answer.at_most >= table["LARGE"] and answer.parts != table["FEW"]:
                lines.append(f"| {server} | `{tool}` | {answer.at_most:,} | {answer.parts} |")
    return "\n".join([*lines, ""])


async def _server(app: Server) -> str:
    provider = app.local_provider
    tools = sorted(await provider.list_tools(), key=lambda tool: tool.name)
    resources: list[Any] = [*await provider.list_resources()]
    resources += await provider.list_resource_templates()
    prompts = await provider.list_prompts()
    lines = [
        f"## {app.name}",
        "",
        str(app.instructions),
        "",
        "| tool | what for | scope | from profile | agents | hints |",
        "|---|---|---|---|---|---|",
    ]
    lines += [_tool_row(app.name, tool) for tool in tools]
    lines += [
        "",
        "| resource | what it is | type | scope | from profile |",
        "|---|---|---|---|---|",
    ]
    for item in resources:
        uri = str(getattr(item, "uri_template", None) or item.uri)
        lines.append(
            f"| `{uri}` | {_first(item.description)} | {item.mime_type} | {_scope(item)} "
            f"| {_profile(app.name, uri)} |"
        )
    lines += ["", "| prompt | what for | arguments | from profile |", "|---|---|---|---|"]
    for prompt in prompts:
        takes = ", ".join(
            f"`{a.name}`" + ("" if a.required else "?") for a in prompt.arguments or ()
        )
        lines.append(
            f"| `{prompt.name}` | {_first(prompt.description)} | {takes} "
            f"| {_profile(app.name, prompt.name)} |"
        )
    lines.append("")
    for tool in tools:
        lines += _tool_part(tool)
    return "\n".join(lines)


def _tool_row(server: str, tool: Any) -> str:
    agents = [spec.name for spec in AGENTS if tool.name in spec.tools_of(server)]
    hints = tool.annotations
    said = ["reads" if hints.read_only_hint else "writes"]
    said += ["destructive"] if hints.destructive_hint else []
    said += ["idempotent"] if hints.idempotent_hint and not hints.read_only_hint else []
    said += ["open world"] if hints.open_world_hint else []
    holders = ", ".join(agents) or "-"
    return (
        f"| [`{tool.name}`](#{tool.name}) | {_first(tool.description)} | {_scope(tool)} "
        f"| {_profile(server, tool.name)} | {holders} | {', '.join(said)} |"
    )


def _tool_part(tool: Any) -> list[str]:
    lines = [f"### {tool.name}", "", f"**{tool.title}.** {_flowing(tool.description)}", ""]
    required = tool.parameters.get("required", ())
    for name, schema in tool.parameters.get("properties", {}).items():
        need = "" if name in required else ", optional"
        about = schema.get("description", "")
        lines.append(f"- `{name}` ({_kind(schema)}{need})" + (f": {about}" if about else ""))
    label = declaration(tool)
    lines += ["", f"Labelled {label['integrity']}, {label['confidentiality']}.", ""]
    return lines


def _kind(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " \\| ".join(str(value) for value in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    if "anyOf" in schema:
        kinds = [_kind(option) for option in schema["anyOf"] if option.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if schema.get("type") == "array":
        inside = _kind(schema.get("items", {}))
        if fields := schema.get("items", {}).get("properties"):
            inside = "{" + ", ".join(fields) + "}"
        return f"list of {inside}, at most {schema['maxItems']}"
    kind = str(schema.get("format") or schema.get("type") or "value")
    if "minimum" in schema and "maximum" in schema:
        return f"{kind} {schema['minimum']:,} to {schema['maximum']:,}"
    if "exclusiveMinimum" in schema:
        return f"{kind} above {schema['exclusiveMinimum']}, at most {schema['maximum']:,}"
    return f"{kind}, at most {schema['maxLength']} characters" if "maxLength" in schema else kind


def _scope(component: Any) -> str:
    said = declaration(component)
    text = ROWS[said["rows"]].format(binds=", ".join(f"`{name}`" for name in said["binds"]))
    return text.removesuffix(" ()")


def _profile(server: str, name: str) -> str:
    for profile in PROFILES:
        if name in components(server, profile):
            return profile
    return "a person"


def _first(text: str | None) -> str:
    """Return the first sentence, in one line and without what would break a table."""
    flowing = _flowing(text or "")
    end = re.search(r"\.(?= |$)", flowing)
    return flowing[: end.start()] if end else flowing


def _flowing(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def importing() -> str:
    """Return the page that lists every table that files fill, with its columns."""
    parts = [IMPORTING_HEAD]
    for server in NAMES:
        parts.append(f"## {server}\n")
        parts += [_table(table) for table in tables_of(server).values()]
    return "\n".join(parts)


def _named(stored: str) -> str:
    """Return what files for a table of the database are named for."""
    found = (t.name for n in NAMES for t in tables_of(n).values() if t.stored.name == stored)
    return next(found)


def _table(table: Table) -> str:
    lines = [f"### {table.name}\n", f"{_flowing(table.about[:1].upper() + table.about[1:])}.\n"]
    lines += ["| column | form | meaning |", "|---|---|---|"]
    for name, column in table.fields.items():
        shown = f"**{name}**" if name in table.key else name
        needed = "*" if column.is_required() else ""
        target = table.references.get(name)
        words = [(column.description or "").partition(", from ")[0]]
        if target is not None:
            words.append(f"(one of {_named(target[0].name)})")
        lines.append(f"| {shown}{needed} | {_form(column)} | {_flowing(' '.join(words))} |")
    lines += [f"| {name} | | {words} |" for name, words in table.also.items()]
    return "\n".join(lines) + "\n"


def _form(column: FieldInfo) -> str:
    """Return how a cell is written, from the column's type."""
    schema = TypeAdapter(column.rebuild_annotation()).json_schema()
    named = schema.get("$ref", "").rpartition("/")[2]
    return _cell(schema["$defs"][named] if named else schema)


def _cell(schema: dict[str, Any]) -> str:
    options = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    if {one.get("type") for one in options} == {"number", "string"}:
        return "number"
    if options:
        return " or ".join(dict.fromkeys(_cell(one) for one in options))
    if "$ref" in schema:
        return "document"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`" if schema["const"] else "empty"
    kind = schema.get("format") or schema.get("type") or "document"
    if kind == "array":
        simple = "items" in schema and "$ref" not in schema["items"]
        return f"list of {_cell(schema['items'])}" if simple else "list"
    if kind == "object":
        return "document" if "properties" in schema else "map"
    words = {"integer": "whole number", "date": "day", "date-time": "time", "boolean": "yes or no"}
    words["number"] = "number"
    if begins := re.match(r"\^([a-z]+_)", schema.get("pattern", "")):
        return f"any id; ours begins `{begins[1]}`"
    length = f", at most {schema['maxLength']}" if "maxLength" in schema else ""
    return words.get(kind, "text" + length)


def schema() -> str:
    """Return the published JSON Schema of quote.json."""
    return json.dumps(quote_schema(), indent=2, ensure_ascii=False) + "\n"


def compose() -> str:
    """Return compose.yaml with a service, a volume and a database for each server."""
    text = COMPOSE.read_text(encoding="utf-8")
    for part, template in COMPOSED.items():
        made = [
            template.format(name=name, upper=name.upper(), port=port)
            for port, name in enumerate(NAMES, 8001)
        ]
        between = "\n" if part == "servers" else ""
        marks = rf"({part}, made by scripts/make_docs.py\n).*(\n *\S+ end of {part}\n)"
        inside = between.join(made).rstrip("\n")
        text = re.sub(marks, rf"\g<1>{inside}\g<2>", text, flags=re.DOTALL)
    return text


def main() -> int:
    """Write the files, or compare them."""
    made = {PAGE: asyncio.run(page()), IMPORTING: importing(), SCHEMA: schema(), COMPOSE: compose()}
    if "--check" in sys.argv[1:]:
        old = [
            path.name
            for path, text in made.items()
            if not path.exists() or path.read_text(encoding="utf-8") != text
        ]
        print(f"run scripts/make_docs.py: {', '.join(old)}" if old else "docs are up to date")
        return 1 if old else 0
    for path, text in made.items():
        path.write_text(text, encoding="utf-8")
        print(f"{path.name}: {len(text.splitlines())} lines")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
