"""Change one entry of a YAML text and leave every other line as it is.

PyYAML says on which lines a node lies; an edit inserts or cuts whole lines there. As with JSON,
every edit is read once more and must mean what was meant.
"""

from typing import Any

import yaml  # type: ignore[import-untyped]

from dealdesk.connect.json_edit import TextProblem, checked, newline_of

BLOCKS = ("|", ">")


def servers(text: str, key: str) -> dict[str, Any]:
    found = _data(text).get(key)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise TextProblem(f"{key!r} is not a mapping")
    return found


def put(text: str, key: str, entries: dict[str, Any]) -> str:
    """Return the text with these entries under a key, new ones last; TextProblem if unsafe."""
    servers(text, key)  # says so when it is no mapping
    now = _data(text)
    for name, entry in entries.items():
        if (now.get(key) or {}).get(name) != entry:
            now = {**now, key: {**(now.get(key) or {}), name: entry}}
            text = checked(_put_one(text, key, name, entry), now, _data)
    return text


def cut(text: str, key: str, names: list[str]) -> str:
    there = [name for name in names if name in servers(text, key)]
    if not there:
        return text
    meant = _data(text)
    for name in there:
        owner = _pair(_root(text), key)
        _block(key, owner)
        first, last = _lines_of(_pair(owner[1], name))
        text = _spliced(text, first, last, "")
        del meant[key][name]
    if not meant[key]:
        first, last = _lines_of(_pair(_root(text), key))
        text = _spliced(text, first, last, "")
        del meant[key]
    return checked(text, meant, _data)


def _data(text: str) -> dict[str, Any]:
    try:
        found = yaml.safe_load(text)
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        raise TextProblem(
            str(problem.problem or "not YAML"), mark.line + 1 if mark else 0
        ) from None
    except (yaml.YAMLError, RecursionError, ValueError):
        raise TextProblem("is not YAML that can be read") from None
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise TextProblem("is not a mapping", 1)
    return found


def _root(text: str) -> Any:
    return yaml.compose(text, Loader=yaml.SafeLoader)


def _pair(owner: Any, key: str) -> Any:
    """Return key and value nodes, or None; two of the same name cannot be told apart."""
    pairs = owner.value if isinstance(owner, yaml.MappingNode) else ()
    found = [pair for pair in pairs if getattr(pair[0], "value", None) == key]
    if len(found) > 1:
        raise TextProblem(f"has {key!r} more than once", found[1][0].start_mark.line + 1)
    return found[0] if found else None


def _block(key: str, pair: Any) -> None:
    if pair[1].flow_style:
        raise TextProblem(
            f"writes {key!r} in braces; put each entry on lines of its own",
            pair[0].start_mark.line + 1,
        )


def _put_one(text: str, key: str, name: str, entry: Any) -> str:
    root = _root(text)
    if root is None or (isinstance(root, yaml.ScalarNode) and not root.value):
        end = text.count("\n") - (1 if text.endswith("\n") else 0)
        return _spliced(text, end + 1, end, _written({key: {name: entry}}, 0, text))
    if root.flow_style:
        raise TextProblem("is written in braces; put each entry on lines of its own", 1)
    column = root.start_mark.column
    pair = _pair(root, key)
    if pair is None:
        end = _last_line(root)
        return _spliced(text, end + 1, end, _written({key: {name: entry}}, column, text))
    owner = pair[1]
    if isinstance(owner, yaml.MappingNode) and not owner.value:
        text = text[: owner.start_mark.index].rstrip(" ") + text[owner.end_mark.index :]
        return _put_one(text, key, name, entry)
    if isinstance(owner, yaml.ScalarNode):
        if owner.value:
            raise TextProblem(f"{key!r} is not a mapping", owner.start_mark.line + 1)
        end = pair[0].end_mark.line
        return _spliced(text, end + 1, end, _written({name: entry}, column + 2, text))
    _block(key, pair)
    column = owner.start_mark.column
    there = _pair(owner, name)
    if there:
        first, last = _lines_of(there)
        return _spliced(text, first, last, _written({name: entry}, column, text))
    end = _last_line(owner)
    return _spliced(text, end + 1, end, _written({name: entry}, column, text))


def _written(value: dict[str, Any], column: int, text: str) -> str:
    lines = yaml.safe_dump(
        value, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100_000
    ).splitlines()
    newline = newline_of(text)
    return "".join(" " * column + line + newline for line in lines)


def _lines_of(pair: Any) -> tuple[int, int]:
    return pair[0].start_mark.line, max(pair[0].end_mark.line, _last_line(pair[1]))


def _last_line(node: Any) -> int:
    """Return the last line that a node's text is on, without blank lines and comments after it."""
    end = int(node.end_mark.line)
    if isinstance(node, yaml.ScalarNode):
        if node.style in BLOCKS:
            whole = node.end_mark.buffer.splitlines() if node.end_mark.buffer else []
            end -= node.end_mark.column == 0
            while end > node.start_mark.line and end < len(whole) and not whole[end].strip():
                end -= 1
        return end
    if node.flow_style or not node.value:
        return end
    if isinstance(node, yaml.SequenceNode):
        return _last_line(node.value[-1])
    # the node of an alias stands elsewhere in the text, so the line of its key counts too
    key, value = node.value[-1]
    return max(int(key.end_mark.line), _last_line(value))


def _spliced(text: str, first: int, last: int, block: str) -> str:
    """Return the text with the lines from first to last replaced; an open last line stays open."""
    lines = text.splitlines(keepends=True)
    before, after = "".join(lines[:first]), "".join(lines[last + 1 :])
    was_open = bool(text) and not text.endswith(("\n", "\r"))
    if before and block and not before.endswith(("\n", "\r")):
        before += newline_of(text)
    edited = before + block + after
    if was_open and not after:
        edited = edited.removesuffix("\n").removesuffix("\r")
    return edited
