"""Change one member of a JSON text and leave every other character as it is.

Comments and trailing commas (VS Code writes them) are blanked out where the client has them, so
that the standard library reads the rest and every place stays where it is. An edit inserts or cuts
text; nothing is ever printed again from the data. Every edit is read once more and must mean what
was meant.
"""

import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

BLANK = " \t\r\n"
_SKIP = re.compile(r"[ \t\r\n]*")
_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*"?'
_COMMENT = re.compile(rf"{_STRING}|(?P<out>//[^\r\n]*|/\*.*?\*/)", re.DOTALL)
_LAST_COMMA = re.compile(rf"{_STRING}|[\[{{][ \t\r\n]*,|(?P<out>,)(?=[ \t\r\n]*[\]}}])", re.DOTALL)
_CONSTANT = re.compile(rf"{_STRING}|(?P<out>NaN|-?Infinity)", re.DOTALL)
_BRACKET = re.compile(rf"{_STRING}|[\[\]{{}}]", re.DOTALL)
_SAID = {
    "Expecting ':' delimiter": "a colon is expected",
    "Expecting property name enclosed in double quotes": "a key in quotes is expected",
    "Extra data": "something follows the end",
}


class TextProblem(ValueError):  # noqa: N818 - the name says what happened
    """A settings file is not as it should be; `line` is 0 when it is about the whole."""

    def __init__(self, what: str, line: int = 0) -> None:
        super().__init__(f"line {line}: {what}" if line else what)
        self.line = line


def line_of(text: str, at: int) -> int:
    """Return the number of the line that a place is on, from 1."""
    return text.count("\n", 0, at) + 1


def newline_of(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


class Parsed(NamedTuple):
    """A valid text without comments, without trailing commas too, and what it holds."""

    bare: str
    plain: str
    data: Any


class Member(NamedTuple):
    """A member of an object: where its key starts, its value lies, and the comma after it is."""

    key: str
    start: int
    at: int
    end: int
    data: Any
    comma: int | None


@dataclass(frozen=True)
class Object:
    """An object and where it lies."""

    start: int
    end: int
    members: list[Member]

    @property
    def data(self) -> dict[str, Any]:
        return {member.key: member.data for member in self.members}


def _no_constant(name: str) -> None:
    raise ValueError(name)


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


def parse(text: str, *, comments: bool) -> Parsed:
    """Read a text; comments and last commas may be valid. TextProblem names the line."""
    plain = " " + text[1:] if text.startswith("\ufeff") else text
    try:
        try:
            return Parsed(plain, plain, _DECODER.decode(plain))  # at once: some have megabytes
        except ValueError:
            comment = "" if comments else "a comment, which this client's JSON does not have"
            bare = _blanked(_COMMENT, plain, comment)
            plain = _blanked(_LAST_COMMA, bare, "" if comments else "a comma before the end")
            return Parsed(bare, plain, _DECODER.decode(plain))
    except TextProblem:
        raise
    except RecursionError:
        raise TextProblem("is nested too deeply to be edited") from None
    except json.JSONDecodeError as problem:
        raise _in_words(plain, problem) from None
    except ValueError:
        _blanked(_CONSTANT, plain, "a value is expected")
        raise TextProblem("has a number that is too long to be read") from None


def _blanked(sign: re.Pattern[str], text: str, refusal: str) -> str:
    def blank(found: re.Match[str]) -> str:
        if found["out"] and refusal:
            raise TextProblem(refusal, line_of(text, found.start()))
        return " " * len(found[0]) if found["out"] else found[0]

    return sign.sub(blank, text)


def _in_words(text: str, problem: json.JSONDecodeError) -> TextProblem:
    opened: list[int] = []
    for found in _BRACKET.finditer(text, 0, problem.pos):
        if found[0] in ("[", "{"):
            opened.append(found.start())
        elif found[0] in ("]", "}"):
            opened.pop()
    at, what = problem.pos, _SAID.get(problem.msg, "a value is expected")
    ended = not text[at:].strip(BLANK)
    if ended and problem.msg == "Expecting value":
        what = "it ends too early"
    elif ended and opened:
        at, what = opened[-1], "is not closed"
    elif problem.msg == "Expecting ',' delimiter":
        what = f"a comma or {'}' if text[opened[-1]] == '{' else ']'} is expected"
    return TextProblem(what, line_of(text, at))


def _skip(text: str, at: int) -> int:
    found = _SKIP.match(text, at)
    return found.end() if found else at


def _object(read: Parsed, start: int) -> Object:
    members, at = list[Member](), _skip(read.bare, start + 1)
    while read.bare[at] != "}":
        key, end = _DECODER.raw_decode(read.plain, at)
        begin = _skip(read.bare, _skip(read.bare, end) + 1)
        value, end = _DECODER.raw_decode(read.plain, begin)
        after = _skip(read.bare, end)
        comma = after if read.bare[after] == "," else None
        members.append(Member(key, at, begin, end, value, comma))
        at = after if comma is None else _skip(read.bare, comma + 1)
    return Object(start, at + 1, members)


# ------------------------------------------------------------------------------------ reading


def servers(text: str, key: str, *, comments: bool) -> dict[str, Any]:
    if not text.strip(BLANK + "\ufeff"):
        return {}
    _, owner = _objects(text, key, comments=comments)
    return owner.data if owner else {}


def _objects(text: str, key: str, *, comments: bool) -> tuple[Object, Object | None]:
    read = parse(text, comments=comments)
    start = _skip(read.bare, 0)
    if read.bare[start] != "{":
        raise TextProblem("is not an object", line_of(text, start))
    root = _object(read, start)
    member = _one(text, root, key)
    if member is None:
        return root, None
    if read.bare[member.at] != "{":
        raise TextProblem(f"{key!r} is not an object", line_of(text, member.start))
    return root, _object(read, member.at)


def _one(text: str, owner: Object, key: str) -> Member | None:
    """Return a member by its name; two of the same name cannot be told apart."""
    found = [member for member in owner.members if member.key == key]
    if len(found) > 1:
        lines = " and ".join(str(line_of(text, member.start)) for member in found)
        raise TextProblem(f"has {key!r} more than once, on lines {lines}")
    return found[0] if found else None


# ------------------------------------------------------------------------------------ editing


def put(text: str, key: str, entries: dict[str, Any], *, comments: bool) -> str:
    """Return the text with these entries under a key, new ones last; TextProblem if unsafe."""
    if not text.strip(BLANK + "\ufeff"):
        return text + _over_lines({key: entries}, "  ", "\n") + "\n"
    root, owner = _objects(text, key, comments=comments)
    meant = {**root.data, key: {**(owner.data if owner else {}), **entries}}
    if owner is None:
        text = _insert(text, root, root, key, entries)
    for name, entry in entries.items() if owner else ():
        root, owner = _objects(text, key, comments=comments)
        assert owner is not None  # noqa: S101 - it was there
        member = _one(text, owner, name)
        if member is None:
            text = _insert(text, root, owner, name, entry)
        elif member.data != entry:
            text = _replace(text, root, member, entry)
    return checked(text, meant, lambda edited: parse(edited, comments=comments).data)


def cut(text: str, key: str, names: list[str], *, comments: bool) -> str:
    """Return the text without these entries; a key that is left without any goes with them."""
    there = [name for name in names if name in servers(text, key, comments=comments)]
    if not there:
        return text
    meant = dict(parse(text, comments=comments).data)
    meant[key] = {name: entry for name, entry in meant[key].items() if name not in there}
    for name in there:
        _, owner = _objects(text, key, comments=comments)
        assert owner is not None  # noqa: S101 - it was there
        text = _remove(text, owner, name)
    root, owner = _objects(text, key, comments=comments)
    if owner and text[owner.start : owner.end] == "{}":
        text = _remove(text, root, key)
        del meant[key]
    return checked(text, meant, lambda edited: parse(edited, comments=comments).data)


def checked(text: str, meant: Any, read: Callable[[str], Any]) -> str:
    """Return an edited text if it means what was meant."""
    with suppress(TextProblem):
        if read(text) == meant:
            return text
    raise TextProblem("is written in a way that cannot be edited safely")


def _indent_of(text: str, at: int) -> str:
    line = text[text.rfind("\n", 0, at) + 1 :]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _unit(text: str, root: Object) -> str:
    step = re.search(r"\n([ \t]+)\Z", text[: root.members[0].start]) if root.members else None
    return step[1] if step else "  "


def _written(text: str, root: Object, name: str, value: Any, indent: str | None) -> str:
    """Return a member: over lines at an indentation, or (None) on one line like the rest."""
    if indent is None:
        separators = (", ", ": ") if _spaced(text, root) else (",", ":")
        return json.dumps({name: value}, separators=separators, ensure_ascii=False)[1:-1]
    written = _over_lines(value, _unit(text, root), newline_of(text) + indent)
    return f"{json.dumps(name, ensure_ascii=False)}: {written}"


def _over_lines(value: Any, unit: str, newline: str) -> str:
    """Return a value as people write settings: an object over lines, a list on one."""
    if not isinstance(value, dict) or not value:
        return json.dumps(value, ensure_ascii=False)
    inner = newline + unit
    members = (
        f"{json.dumps(name, ensure_ascii=False)}: {_over_lines(one, unit, inner)}"
        for name, one in value.items()
    )
    return "{" + inner + f",{inner}".join(members) + newline + "}"


def _spaced(text: str, owner: Object) -> bool:
    return bool(owner.members) and text[owner.members[0].at - 1] in " \t"


def _insert(text: str, root: Object, owner: Object, name: str, value: Any) -> str:
    """Put a new member at the end of an object, in the manner of its last one."""
    newline, close = newline_of(text), owner.end - 1
    outer = _indent_of(text, owner.start)
    indent = outer + _unit(text, root)
    here = len(text[:close].rstrip(BLANK))  # after the last thing inside, a comment perhaps
    if not owner.members:
        empty = here == owner.start + 1
        if empty and root.members and "\n" not in text:
            return text[:here] + _written(text, root, name, value, None) + text[close:]
        member = newline + indent + _written(text, root, name, value, indent)
        return text[:here] + member + (newline + outer + text[close:] if empty else text[here:])
    last = owner.members[-1]
    before, after = "\n" in text[owner.start : last.start], "\n" in text[last.end : close]
    if before or after:
        indent = _indent_of(text, last.start) if before else indent
        member = newline + indent + _written(text, root, name, value, indent)
    else:
        member = " " * _spaced(text, owner) + _written(text, owner, name, value, None)
    if last.comma is not None:  # a trailing comma: the new member has one too
        return text[:here] + member + "," + text[here:]
    return text[: last.end] + "," + text[last.end : here] + member + text[here:]


def _replace(text: str, root: Object, member: Member, value: Any) -> str:
    lines = "\n" in text[member.at : member.end]
    indent = _indent_of(text, member.start) if lines else None
    whole = _written(text, root, member.key, value, indent)
    written = whole[len(json.dumps(member.key, ensure_ascii=False)) :].lstrip(": ")
    return text[: member.at] + written + text[member.end :]


def _remove(text: str, owner: Object, name: str) -> str:
    """Cut a member, the blank before it, and one comma: its own or, as the last, the one before."""
    members = owner.members
    place = next(n for n, member in enumerate(members) if member.key == name)
    member, earlier = members[place], members[place - 1].comma if place else None
    here = len(text[: member.start].rstrip(BLANK))
    before, after = text[:here], text[member.end :]
    if member.comma is not None:
        after = text[member.end : member.comma] + text[member.comma + 1 :]
    elif earlier is not None:
        before = text[:earlier] + text[earlier + 1 : here]
    start = owner.start if earlier is None else earlier
    comments = [found["out"] for found in _COMMENT.finditer(text, start + 1, here)]
    if comments and comments[-1].startswith("//") and "\n" not in after[: _skip(after, 0)]:
        # the comment would swallow what follows
        before, after = before + text[here : member.start], after.lstrip(" \t")
    edited = before + after
    close = owner.end - 1 - (len(text) - len(edited))
    if len(members) == 1 and not edited[owner.start + 1 : close].strip(BLANK):
        return edited[: owner.start + 1] + edited[close:]
    return edited


class JsonEditor:
    """The editor of a client whose JSON may have comments, or may not."""

    def __init__(self, *, comments: bool) -> None:
        self.servers = partial(servers, comments=comments)
        self.put = partial(put, comments=comments)
        self.cut = partial(cut, comments=comments)
