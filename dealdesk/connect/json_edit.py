"""Change one member of a JSON text and leave every other character as it is.

Reads JSON and, when asked, JSON with comments and trailing commas (as VS Code writes it), and
remembers where each object's members lie. An edit inserts or cuts text at these places; nothing
is ever printed again from the data. Every edit is read once more and must mean what was meant.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from dealdesk.connect.text_edit import TextProblem, line_of, newline_of

BLANK = " \t\r\n"
_SKIP = re.compile(r"[ \t\r\n]*")
_COMMENT = re.compile(r"//[^\r\n]*|/\*.*?\*/", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_WORD = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|(?:true|false|null)\b")


@dataclass
class Value:
    """A value and where it lies; `members` only for an object."""

    start: int
    end: int
    data: Any
    members: "list[Member] | None" = None


@dataclass
class Member:
    """A member of an object: its key, where the key starts, its value, and the comma after it."""

    key: str
    start: int
    value: Value
    comma: int | None = None


def _no_constant(name: str) -> None:
    raise ValueError(name)


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


def parse(text: str, *, comments: bool, only: str | None = None) -> Value:
    """Return the value that a text holds.

    Args:
        comments: Whether comments and trailing commas are valid.
        only: The one member of the outermost object whose own members matter. What lies in the
            others is left to the standard library, which is a hundred times as fast: some
            clients keep megabytes beside their servers.

    Raises:
        TextProblem: it is not valid; the line is named.
    """
    reader = _Reader(text, comments, only, 1 if text.startswith("\ufeff") else 0)
    try:
        reader.skip()
        found = reader.value()
        reader.skip()
    except RecursionError:
        raise TextProblem("is nested too deeply to be edited") from None
    if reader.at != len(text):
        raise reader.problem("something follows the end")
    return found


@dataclass
class _Reader:
    text: str
    comments: bool
    only: str | None
    at: int = 0
    depth: int = 0

    def problem(self, what: str) -> TextProblem:
        return TextProblem(what, line_of(self.text, self.at))

    def skip(self) -> None:
        while True:
            self.at = _match_end(_SKIP, self.text, self.at)
            comment = _COMMENT.match(self.text, self.at)
            if not comment:
                return
            if not self.comments:
                raise self.problem("a comment, which this client's JSON does not have")
            self.at = comment.end()

    def value(self) -> Value:
        start, first = self.at, self.text[self.at : self.at + 1]
        if first == "{":
            return self.object()
        if first == "[":
            return self.array()
        token = (_STRING if first == '"' else _WORD).match(self.text, start)
        try:
            data = json.loads(token.group()) if token else None
        except ValueError:
            token = None
        if token is None:
            raise self.problem("a value is expected" if first else "it ends too early")
        self.at = token.end()
        return Value(start, self.at, data)

    def object(self) -> Value:
        start, members = self.at, list[Member]()
        self.at += 1
        self.depth += 1
        while not self.closes("}", start, after=not members or members[-1].comma is not None):
            key = self.at
            name = self.value()
            if not isinstance(name.data, str):
                raise TextProblem("a key in quotes is expected", line_of(self.text, key))
            self.skip()
            if self.text[self.at : self.at + 1] != ":":
                raise self.problem("a colon is expected")
            self.at += 1
            self.skip()
            inside = self.only in (None, name.data) if self.depth == 1 else self.only is None
            members.append(Member(name.data, key, self.value() if inside else self.whole()))
            members[-1].comma = self.comma("}")
        self.depth -= 1
        data = {member.key: member.value.data for member in members}
        return Value(start, self.at, data, members)

    def whole(self) -> Value:
        """Read a value without its members, since nobody edits them."""
        start = self.at
        if self.text[start : start + 1] not in ("{", "["):
            return self.value()
        try:
            data, self.at = _DECODER.raw_decode(self.text, start)
        except ValueError:
            return self.value()  # comments perhaps; or it says what is wrong, and where
        return Value(start, self.at, data)

    def array(self) -> Value:
        start, items, comma = self.at, list[Any](), True
        self.at += 1
        while not self.closes("]", start, after=comma):
            items.append(self.value().data)
            comma = self.comma("]") is not None
        return Value(start, self.at, items)

    def comma(self, end: str) -> int | None:
        """Step over a comma and say where it was; without one only the end may follow."""
        self.skip()
        if self.text[self.at : self.at + 1] != ",":
            return None
        comma = self.at
        self.at += 1
        self.skip()
        if self.text[self.at : self.at + 1] == end and not self.comments:
            raise TextProblem("a comma before the end", line_of(self.text, comma))
        return comma

    def closes(self, end: str, start: int, *, after: bool) -> bool:
        self.skip()
        if self.text[self.at : self.at + 1] == end:
            self.at += 1
            return True
        if self.at == len(self.text):
            raise TextProblem("is not closed", line_of(self.text, start))
        if not after:
            raise self.problem(f"a comma or {end} is expected")
        return False


def _match_end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


# ------------------------------------------------------------------------------------ reading


def servers(text: str, key: str, *, comments: bool) -> dict[str, Any]:
    """Return what stands under a key of the outermost object; nothing when it is not there."""
    if not text.strip(BLANK + "\ufeff"):
        return {}
    _, owner = _owner(text, key, comments=comments)
    return dict(owner.data) if owner else {}


def _owner(text: str, key: str, *, comments: bool) -> tuple[Value, Value | None]:
    root = parse(text, comments=comments, only=key)
    if root.members is None:
        raise TextProblem("is not an object", line_of(text, root.start))
    member = _one(text, root, key)
    if member is None:
        return root, None
    if member.value.members is None:
        raise TextProblem(f"{key!r} is not an object", line_of(text, member.start))
    return root, member.value


def _one(text: str, owner: Value, key: str) -> Member | None:
    """Return a member by its name; two of the same name cannot be told apart."""
    found = [member for member in owner.members or () if member.key == key]
    if len(found) > 1:
        lines = " and ".join(str(line_of(text, member.start)) for member in found)
        raise TextProblem(f"has {key!r} more than once, on lines {lines}")
    return found[0] if found else None


# ------------------------------------------------------------------------------------ editing


def put(text: str, key: str, entries: dict[str, Any], *, comments: bool) -> str:
    """Return the text with these entries under a key, new ones last.

    Raises:
        TextProblem: the text is not valid, or cannot be edited safely.
    """
    if not text.strip(BLANK + "\ufeff"):
        return text + _over_lines({key: entries}, "  ", "\n") + "\n"
    root, owner = _owner(text, key, comments=comments)
    meant = {**root.data, key: {**(owner.data if owner else {}), **entries}}
    if owner is None:
        edited = _insert(text, root, root, key, entries)
    else:
        edited = text
        for name, entry in entries.items():
            root, owner = _owner(edited, key, comments=comments)
            assert owner is not None  # noqa: S101 - it was there
            member = _one(edited, owner, name)
            if member is None:
                edited = _insert(edited, root, owner, name, entry)
            elif member.value.data != entry:
                edited = _replace(edited, root, member, entry)
    return _checked(edited, key, meant, comments=comments)


def cut(text: str, key: str, names: list[str], *, comments: bool) -> str:
    """Return the text without these entries; a key that is left without any goes with them."""
    if not text.strip(BLANK + "\ufeff"):
        return text
    root, owner = _owner(text, key, comments=comments)
    there = [name for name in names if owner and name in owner.data]
    if not there:
        return text
    meant = {**root.data, key: {n: e for n, e in root.data[key].items() if n not in there}}
    for name in there:
        _, owner = _owner(text, key, comments=comments)
        assert owner is not None  # noqa: S101 - it was there
        text = _remove(text, owner, name)
    root, owner = _owner(text, key, comments=comments)
    if owner and text[owner.start : owner.end] == "{}":
        text = _remove(text, root, key)
        del meant[key]
    return _checked(text, key, meant, comments=comments)


def _checked(text: str, key: str, meant: Any, *, comments: bool) -> str:
    try:
        if parse(text, comments=comments, only=key).data == meant:
            return text
    except TextProblem:
        pass
    raise TextProblem("is written in a way that cannot be edited safely")


def _indent_of(text: str, at: int) -> str:
    line = text[text.rfind("\n", 0, at) + 1 :]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _unit(text: str, root: Value) -> str:
    """Return one step of indentation, as the outermost object has it."""
    if root.members:
        before = text[: root.members[0].start]
        step = before[len(before.rstrip(" \t")) :]
        if step and before.rstrip(" \t").endswith("\n"):
            return step
    return "  "


def _written(text: str, root: Value, name: str, value: Any, indent: str | None) -> str:
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


def _spaced(text: str, root: Value) -> bool:
    first = root.members[0].value.start if root.members else 0
    return text[first - 1 : first] in (" ", "\t")


def _insert(text: str, root: Value, owner: Value, name: str, value: Any) -> str:
    """Put a new member at the end of an object, in the manner of its last one."""
    newline, close = newline_of(text), owner.end - 1
    outer = _indent_of(text, owner.start)
    here = len(text[:close].rstrip(BLANK))  # after the last thing inside, a comment perhaps
    if not owner.members:
        if text[owner.start + 1 : close].strip(BLANK):
            indent = outer + _unit(text, root)
            member = _written(text, root, name, value, indent)
            return text[:here] + newline + indent + member + text[here:]
        if root.members and "\n" not in text:
            member = _written(text, root, name, value, None)
            return text[: owner.start + 1] + member + text[close:]
        indent = outer + _unit(text, root)
        member = _written(text, root, name, value, indent)
        return f"{text[: owner.start + 1]}{newline}{indent}{member}{newline}{outer}{text[close:]}"
    last = owner.members[-1]
    if "\n" in text[owner.start : last.start]:
        indent = _indent_of(text, last.start)
    elif "\n" in text[last.value.end : close]:
        indent = outer + _unit(text, root)
    else:
        lead = " " if _spaced(text, owner) else ""
        return _append(text, last, here, lead + _written(text, owner, name, value, None))
    return _append(text, last, here, newline + indent + _written(text, root, name, value, indent))


def _append(text: str, last: Member, here: int, member: str) -> str:
    if last.comma is not None:  # a trailing comma: the new member has one too
        return text[:here] + member + "," + text[here:]
    end = last.value.end
    return text[:end] + "," + text[end:here] + member + text[here:]


def _replace(text: str, root: Value, member: Member, value: Any) -> str:
    old = member.value
    lines = "\n" in text[old.start : old.end]
    indent = _indent_of(text, member.start) if lines else None
    whole = _written(text, root, member.key, value, indent)
    start = len(json.dumps(member.key, ensure_ascii=False))
    written = whole[start:].lstrip(": ")
    return text[: old.start] + written + text[old.end :]


def _comments_out(text: str, start: int | None, here: int, after: str) -> bool:
    """Say whether a comment up to the line's end would swallow what moves up behind it."""
    found = [match.group() for match in _COMMENT.finditer(text, (start or 0) + 1, here)]
    blank = after[: len(after) - len(after.lstrip(BLANK))]
    return bool(found) and found[-1].startswith("//") and "\n" not in blank


def _remove(text: str, owner: Value, name: str) -> str:
    """Cut a member, the blank before it, and one comma: its own or, as the last, the one before."""
    members = owner.members or []
    place = next(n for n, member in enumerate(members) if member.key == name)
    member, end = members[place], members[place].value.end
    here = len(text[: member.start].rstrip(BLANK))
    after = text[end:]
    if member.comma is not None:
        after = text[end : member.comma] + text[member.comma + 1 :]
    before = text[:here]
    if member.comma is None and place:
        comma = members[place - 1].comma
        assert comma is not None  # noqa: S101 - something follows it
        before = text[:comma] + text[comma + 1 : here]
    if _comments_out(text, members[place - 1].comma if place else owner.start, here, after):
        before, after = before + text[here : member.start], after.lstrip(" \t")
    edited = before + after
    if len(members) == 1:
        close = owner.end - 1 - (len(text) - len(edited))
        if not edited[owner.start + 1 : close].strip(BLANK):
            return edited[: owner.start + 1] + edited[close:]
    return edited
