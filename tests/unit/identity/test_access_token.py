"""Access tokens and the keys that sign them."""

import json
from pathlib import Path

import jwt
import pytest

from services.identity.domain.role import Role
from services.identity.domain.signing_key import (
    PUBLISH_LEAD_NS,
    SigningKey,
    activation_time_ns,
    active_key,
    is_rotation_due,
    published_keys,
)
from services.identity.domain.token import ACCESS_LIFETIME_S, issue_access_token
from services.identity.domain.user import User
from services.identity.key_ring import mint_signing_key, write_public_file
from services.runtime.clock import NANOS

NOW_NS = 1_700_000_000 * NANOS + 123_456_789
DAY_NS = 86_400 * NANOS
MAX_AGE_NS = 90 * DAY_NS
USER = User(
    "u1", "ada", "Ada", frozenset({Role.TRADER, Role.RISK}), disabled=False, version=1, create_time_ns=0
)


def key(kid: str, activate_time_ns: int) -> SigningKey:
    return SigningKey(kid, "", activate_time_ns)


def kids(keys: list[SigningKey]) -> list[str]:
    return [key.kid for key in keys]


def test_the_claims() -> None:
    access = issue_access_token(USER, session_id="s1", token_id="t1", now_ns=NOW_NS)
    assert access.claims == {
        "iss": "bifrost",
        "aud": "bifrost",
        "sub": "u1",
        "name": "ada",
        "scope": "accounts:any market:read orders:read orders:write portfolio:read portfolio:write "
        "risk:read risk:write",
        "roles": ["risk", "trader"],
        "iat": 1_700_000_000,
        "exp": 1_700_000_900,
        "jti": "t1",
        "sid": "s1",
    }
    assert access.expire_time_ns == 1_700_000_900 * NANOS
    assert json.dumps(access.claims)


def test_a_minted_key_signs_es256() -> None:
    minted = mint_signing_key(NOW_NS)
    token = jwt.encode({"sub": "x"}, minted.private_key_pem, algorithm="ES256")
    assert jwt.get_unverified_header(token)["alg"] == "ES256"
    assert mint_signing_key(NOW_NS).kid != minted.kid


def test_the_first_key_signs_at_once_and_a_later_one_is_published_first() -> None:
    assert is_rotation_due([], NOW_NS, MAX_AGE_NS)
    assert activation_time_ns([], NOW_NS) == NOW_NS
    old = key("old", NOW_NS)
    assert not is_rotation_due([old], NOW_NS + MAX_AGE_NS - 1, MAX_AGE_NS)
    now_ns = NOW_NS + MAX_AGE_NS
    assert is_rotation_due([old], now_ns, MAX_AGE_NS)
    new = key("new", activation_time_ns([old], now_ns))
    assert new.activate_time_ns == now_ns + PUBLISH_LEAD_NS
    keys = [old, new]
    assert not is_rotation_due(keys, now_ns, MAX_AGE_NS)
    assert kids(published_keys(keys, now_ns)) == ["old", "new"]
    assert active_key(keys, now_ns + PUBLISH_LEAD_NS - 1) is old
    assert active_key(keys, now_ns + PUBLISH_LEAD_NS) is new
    assert kids(published_keys(keys, now_ns + PUBLISH_LEAD_NS)) == ["new", "old"]


def test_a_former_key_is_published_until_its_last_token_has_ended() -> None:
    old, new = key("old", NOW_NS), key("new", NOW_NS + DAY_NS)
    last_token_ends = new.activate_time_ns - 1 + ACCESS_LIFETIME_S * NANOS
    assert kids(published_keys([old, new], last_token_ends)) == ["new", "old"]
    assert kids(published_keys([old, new], last_token_ends + 61 * NANOS)) == ["new"]
    third = key("third", NOW_NS + 2 * DAY_NS)
    assert kids(published_keys([old, new, third], third.activate_time_ns)) == ["third", "new"]


def test_without_a_key_nothing_can_be_signed() -> None:
    with pytest.raises(LookupError):
        active_key([key("future", NOW_NS + 1)], NOW_NS)


def test_the_public_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "made" / "jwks.json"
    write_public_file(path, "one")
    before = path.stat().st_ino
    write_public_file(path, "two")
    assert path.read_text() == "two"
    assert path.stat().st_ino != before
    assert list(path.parent.iterdir()) == [path]
