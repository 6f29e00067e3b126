"""Who is calling, as code inside a server sees it; and which rows that leaves."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from toy import grant, notes

from servers.toolkit import scope
from servers.toolkit.errors import ForbiddenError


@contextmanager
def calling(**changes: Any) -> Iterator[None]:
    mark = scope.current_grant.set(grant(**changes))
    try:
        yield
    finally:
        scope.current_grant.reset(mark)


def test_nobody_may_see_anything() -> None:
    for ask in (scope.grant, scope.person, scope.requester, scope.actor):
        with pytest.raises(ForbiddenError):
            ask()


@pytest.mark.parametrize(
    ("who", "requester", "actor"),
    [
        ({"requester": "per_ana"}, "per_ana", "agent:reader@run_1"),
        ({"requester": "per_ana", "person": "per_bo"}, "per_ana", "person:per_bo"),
        ({"person": "per_bo"}, "per_bo", "person:per_bo"),
        ({"agent": ""}, "local-user", "local-user"),
    ],
)
def test_on_whose_behalf_and_who(who: dict[str, str], requester: str, actor: str) -> None:
    with calling(**who):
        assert (scope.requester(), scope.actor()) == (requester, actor)


def test_only_a_person_decides() -> None:
    with calling(person="per_bo"):
        assert scope.person() == "per_bo"
    with calling(requester="per_ana"), pytest.raises(ForbiddenError, match="named person"):
        scope.person()


@pytest.mark.parametrize(
    ("bind", "ids", "where"),
    [
        ({}, None, ""),
        ({"other": ("x",)}, None, ""),
        ({"account_id": ("b", "a")}, {"a", "b"}, "WHERE note.account_id IN ('a', 'b')"),
        ({"account_id": ()}, set(), "WHERE false"),
    ],
)
def test_a_query_has_the_bound_rows_and_none_when_nothing_is_bound(
    bind: dict[str, tuple[str, ...]], ids: set[str] | None, where: str
) -> None:
    with calling(bind=bind):
        assert scope.bound("account_id") == ids
        narrowed = scope.narrow(sa.select(notes.c.id), notes.c.account_id, "account_id")
    said = str(narrowed.compile(compile_kwargs={"literal_binds": True}))
    assert " ".join(said.split()).removeprefix("SELECT note.id FROM note").strip() == where
