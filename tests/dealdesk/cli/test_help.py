"""What `--help` says: every command and every option, each in words, shared ones alike."""

from collections import defaultdict
from collections.abc import Iterator

import pytest
from cyclopts import App
from cyclopts.argument import Argument

from dealdesk.cli.main import COMMANDS, build, main

SHARED = ("--ndjson", "--note", "--out", "--view", "--yes")


def commands(app: App, *words: str) -> Iterator[tuple[str, App]]:
    for name in app:
        if name.startswith("-"):
            continue
        if app[name].default_command:
            yield " ".join((*words, name)), app[name]
        else:
            yield from commands(app[name], *words, name)


def arguments(app: App) -> list[Argument]:
    every = app.assemble_argument_collection(parse_docstring=True)
    return [argument for argument in every if not argument.children]


def test_the_table_is_the_command() -> None:
    assert {words for words, _ in commands(build())} == set(COMMANDS)


@pytest.mark.parametrize(("words", "app"), list(commands(build())))
def test_every_command_and_every_option_says_what_it_is(words: str, app: App) -> None:
    assert app.help
    assert not app.help.splitlines()[0].endswith(":"), words
    for argument in arguments(app):
        assert argument.parameter.help, f"{words} {argument.name}"


def test_an_option_of_many_commands_says_the_same_in_each() -> None:
    said = defaultdict(set)
    for _, app in commands(build()):
        for argument in arguments(app):
            said[argument.name].add(argument.parameter.help)
    assert {name: len(said[name]) for name in SHARED} == dict.fromkeys(SHARED, 1)


@pytest.mark.parametrize("typed", [["--help"], ["quote", "--help"], ["runs"]])
def test_a_list_of_commands_says_what_each_does(
    typed: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(SystemExit):
        main(typed)
    said = capsys.readouterr().out
    rows = [line.strip("│ ").split() for line in said.splitlines() if "│" in line]
    listed = {row[0] for row in rows if len(row) > 1 and not row[0].startswith("-")}
    app = build() if typed == ["--help"] else build()[typed[0]]
    assert listed == {name for name in app if not name.startswith("-")}
