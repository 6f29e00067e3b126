"""Grants: how long they live, what makes a token worthless, and what may be asked of one less."""

from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OKPKey
from toy import grant

from servers.toolkit.errors import ForbiddenError, StorageError
from servers.toolkit.grants import (
    ALGORITHM,
    LEEWAY,
    MAX_LIFETIME,
    Grant,
    GrantError,
    PublicKey,
    SigningKey,
    bound_value,
    digest_of,
)

NOW = 1_800_000_000
KEY = OKPKey.generate_key("Ed25519")
SIGNING = SigningKey(KEY)


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("servers.toolkit.grants.time.time", lambda: NOW)


def token(header: dict[str, Any] | None = None, **changes: Any) -> str:
    """A token that any claim was changed in, signed with the right key."""
    claims = {
        "iss": "dealdesk",
        "aud": "toy",
        "jti": "g_1",
        "iat": NOW,
        "exp": NOW + 60,
        "tools": ["get_note"],
        "agent": "reader",
        **changes,
    }
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode({"alg": ALGORITHM, **(header or {})}, claims, KEY, algorithms=[ALGORITHM])


def proves(text: str) -> bool:
    try:
        SIGNING.public.verify(text, "toy")
    except GrantError:
        return False
    return True


def minted(ttl: int) -> bool:
    try:
        return proves(SIGNING.mint(grant(), ttl=ttl))
    except ForbiddenError:
        return False


@pytest.mark.parametrize(
    ("ttl", "lives"),
    [
        *((-1, False), (0, False), (1, True)),
        *((MAX_LIFETIME - 1, True), (MAX_LIFETIME, True), (MAX_LIFETIME + 1, False)),
    ],
)
def test_a_grant_lives_from_a_second_to_a_day(ttl: int, *, lives: bool) -> None:
    assert MAX_LIFETIME == 24 * 60 * 60
    assert minted(ttl) is lives


@pytest.mark.parametrize(
    ("changes", "good"),
    [
        ({}, True),
        ({"exp": NOW + 1}, True),
        ({"exp": NOW}, False),
        ({"exp": NOW - 1}, False),
        ({"iat": NOW + LEEWAY - 1}, True),
        ({"iat": NOW + LEEWAY}, True),
        ({"iat": NOW + LEEWAY + 1}, False),
        ({"iat": NOW + 1 - MAX_LIFETIME, "exp": NOW + 1}, True),
        ({"iat": NOW - MAX_LIFETIME, "exp": NOW + 1}, False),
        ({"iss": "another"}, False),
        ({"aud": "crm"}, False),
        ({"tools": ["decide_approval"]}, False),
        ({"tools": ["decide_approval"], "agent": "", "person": "per_a"}, True),
        ({"tools": 7}, False),
        ({"calls": {"get_note": "many"}}, False),
        ({"bind": ["account_id"]}, False),
        *(({name: None}, False) for name in ("iss", "aud", "jti", "iat", "exp")),
    ],
)
def test_a_token_is_good_to_its_second_and_whole(changes: dict[str, Any], *, good: bool) -> None:
    assert proves(token(**changes)) is good


def test_a_token_names_its_key_or_none() -> None:
    assert proves(token({"kid": KEY.thumbprint()}))
    assert not proves(token({"kid": "another"}))


def test_nothing_of_a_grant_is_lost_on_its_way() -> None:
    """What a person's and an agent's token say comes back, in time and by which key."""
    full = Grant(
        id="g_2",
        audience="toy",
        tools=frozenset({"get_note"}),
        resources=frozenset({"toy://about"}),
        prompts=frozenset({"sum_up"}),
        bind={"account_id": ("acc_1", "acc_2")},
        calls={"get_note": 3},
        agent="reader",
        run="run_1",
        requester="per_ana",
        expires=NOW + 60,
        key_id=KEY.thumbprint(),
    )
    assert SIGNING.public.verify(SIGNING.mint(full, ttl=60), "toy") == full


@pytest.mark.parametrize(
    ("who", "name"),
    [
        ({"person": "per_a", "agent": ""}, "person:per_a"),
        ({"agent": "price", "run": "run_1"}, "agent:price@run_1"),
        ({"agent": "", "person": ""}, "local-user"),
    ],
)
def test_who_acts_is_named(who: dict[str, str], name: str) -> None:
    assert grant(**who).actor == name


def test_a_narrower_grant_never_has_more() -> None:
    wide = grant(bind={"account_id": ("acc_1", "acc_2")})
    less = wide.narrow(
        tools=["get_note", "decide_approval"],
        bind={"account_id": ["acc_2", "acc_3"], "lines": [[{"sku": "A"}]]},
    )
    assert less.tools == {"get_note"}
    assert less.bind == {"account_id": ("acc_2",), "lines": (digest_of([{"sku": "A"}]),)}
    assert wide.narrow() == wide
    assert wide.narrow(tools=[]).tools == frozenset()


def test_a_value_is_bound_as_it_is_only_when_it_is_a_string() -> None:
    assert bound_value("acc_1") == "acc_1"
    assert bound_value({"b": 1, "a": "ü"}) == bound_value({"a": "ü", "b": 1})
    assert bound_value([1, 2]) != bound_value([2, 1])
    assert bound_value("1") != bound_value(1)


def test_a_key_is_made_once_private_and_read_again(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "keys"
    first, again = SigningKey.load(folder), SigningKey.load(folder)
    assert (folder / "grant.pem").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in sorted(folder.iterdir())] == ["grant.pem", "grant.pub"]
    public = PublicKey.load(folder)
    for key in (first, again):
        assert public.verify(key.mint(grant(), ttl=60), "toy").id == "g_test"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    SigningKey.load(tmp_path)
    (tmp_path / "grant.pem").chmod(mode)
    with pytest.raises(StorageError, match="can be read by others"):
        SigningKey.load(tmp_path)


def test_a_key_that_is_none_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StorageError, match="no usable public key"):
        PublicKey.load(tmp_path)
    monkeypatch.setenv("DEALDESK_GRANT_KEY", "nonsense")
    with pytest.raises(StorageError, match="cannot be used"):
        SigningKey.load(tmp_path)


def test_keys_come_from_the_environment_before_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEALDESK_GRANT_KEY", KEY.as_pem(private=True).decode())
    monkeypatch.setenv("DEALDESK_GRANT_PUBLIC_KEY", KEY.as_pem(private=False).decode())
    text = SigningKey.load(tmp_path).mint(grant(), ttl=60)
    assert PublicKey.load(tmp_path).verify(text, "toy").key_id == KEY.thumbprint()
    assert list(tmp_path.iterdir()) == []
