"""Key sets and token verification by a clock in the test's hand."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

import grpc
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm

from services.runtime import tokens
from services.runtime.clock import NANOS, ManualClock
from services.runtime.errors import ApiError
from services.runtime.jwks import FetchedKeySet, FileKeySet, parse_jwks
from services.runtime.settings import ServiceSettings
from services.runtime.tokens import ServiceCredential, TokenVerifier, token_verifier

Key = ec.EllipticCurvePrivateKey
START_S = 1_700_000_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START_S * NANOS)


@pytest.fixture(scope="module")
def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def jwks(**keys: ec.EllipticCurvePrivateKey) -> dict[str, object]:
    return {
        "keys": [
            {**ECAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid} for kid, key in keys.items()
        ]
    }


def user_token(key: ec.EllipticCurvePrivateKey, kid: str = "u1", *, lives_s: int = 900) -> str:
    claims = {"iss": "bifrost", "aud": "bifrost", "sub": "user-1", "scope": "a b", "exp": START_S + lives_s}
    return "Bearer " + jwt.encode(claims, key, algorithm="ES256", headers={"kid": kid})


async def reason(verifier: TokenVerifier, authorization: str | None, actor: str | None = None) -> str:
    with pytest.raises(ApiError) as caught:
        await verifier.verify(authorization, actor)
    return caught.value.reason


class Source:
    def __init__(self, document: Mapping[str, object]) -> None:
        self.document = document
        self.error: Exception | None = None
        self.asked = 0

    async def __call__(self) -> Mapping[str, object]:
        self.asked += 1
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        return self.document


async def test_a_verified_token_is_recalled_until_it_ends(clock: ManualClock, key: Key) -> None:
    source = Source(jwks(u1=key))
    verifier = token_verifier(ServiceSettings(), clock=clock, jwks_source=source)
    header = user_token(key)
    assert verifier.recall(header, None) is None
    principal = await verifier.verify(header, None)
    assert verifier.recall(header, None) is principal
    assert verifier.recall(header, header) is None
    assert principal.expires_at_ns == (START_S + 900) * NANOS
    clock.advance(900 * NANOS - 1)
    assert verifier.recall(header, None) is principal
    clock.advance(1)
    assert verifier.recall(header, None) is None
    assert await reason(verifier, header) == "TOKEN_EXPIRED"
    assert source.asked == 1


async def test_keys_are_fetched_once_for_all_who_wait_and_not_more_than_every_five_seconds(
    clock: ManualClock, key: Key
) -> None:
    source = Source(jwks(u1=key))
    keys = FetchedKeySet(source, dependency="identity", clock=clock)
    found = await asyncio.gather(*(keys.find("u1") for _ in range(10)))
    assert None not in found
    assert source.asked == 1
    source.document = jwks(u2=key)
    assert await keys.find("u2") is None
    clock.advance(5 * NANOS)
    assert await keys.find("u2") is not None
    assert source.asked == 2


async def test_a_caller_that_leaves_does_not_take_the_fetch_along(clock: ManualClock, key: Key) -> None:
    keys = FetchedKeySet(Source(jwks(u1=key)), dependency="identity", clock=clock)
    leaver = asyncio.create_task(keys.find("u1"))
    stayer = asyncio.create_task(keys.find("u1"))
    await asyncio.sleep(0)
    leaver.cancel()
    assert await stayer is not None


async def test_keys_that_are_away_are_unavailable_and_asked_for_again(clock: ManualClock, key: Key) -> None:
    source = Source(jwks(u1=key))
    verifier = token_verifier(ServiceSettings(), clock=clock, jwks_source=source)
    for error in (ConnectionRefusedError("away"), RuntimeError("odd")):
        source.error = error
        with pytest.raises(ApiError) as caught:
            await verifier.verify(user_token(key), None)
        assert caught.value.code is grpc.StatusCode.UNAVAILABLE
        assert caught.value.metadata == {"dependency": "identity"}
        assert caught.value.retry_after_s is not None
    source.error = None
    assert (await verifier.verify(user_token(key), None)).user_id == "user-1"


async def test_a_file_is_read_again_when_it_changed(tmp_path: Path, key: Key) -> None:
    path = tmp_path / "jwks.json"
    keys = FileKeySet(path, dependency="identity")
    for content in (None, "{", "[]", '{"keys": 1}', '{"keys": [1]}', '{"keys": [{"kty": "EC"}]}'):
        if content is not None:
            path.write_text(content)
        with pytest.raises(ApiError) as caught:
            await keys.find("u1")
        assert caught.value.code is grpc.StatusCode.UNAVAILABLE
    path.write_text(json.dumps(jwks(u1=key)))
    assert await keys.find("u1") is not None
    assert await keys.find("u2") is None
    path.write_text(json.dumps(jwks(u1=key, u2=key)))
    assert await keys.find("u2") is not None


async def test_the_file_goes_before_the_source(tmp_path: Path, clock: ManualClock, key: Key) -> None:
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps(jwks(u1=key)))
    source = Source({})
    verifier = token_verifier(ServiceSettings(jwks_file=path), clock=clock, jwks_source=source)
    await verifier.verify(user_token(key), None)
    assert source.asked == 0


async def test_without_keys_nobody_is_known(clock: ManualClock, key: Key) -> None:
    verifier = token_verifier(ServiceSettings(), clock=clock)
    assert await reason(verifier, user_token(key)) == "TOKEN_INVALID"


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "bearer x.y.z", "Token x", "Bearer " + "x" * 9000])
async def test_headers_that_hold_no_token(clock: ManualClock, header: str) -> None:
    assert await reason(token_verifier(ServiceSettings(), clock=clock), header) == "TOKEN_INVALID"


async def test_a_token_without_a_key_id(clock: ManualClock, key: Key) -> None:
    header = "Bearer " + jwt.encode({"sub": "x"}, key, algorithm="ES256")
    assert await reason(token_verifier(ServiceSettings(), clock=clock), header) == "TOKEN_INVALID"


async def test_another_algorithm_is_refused(clock: ManualClock, key: Key) -> None:
    claims = {"iss": "bifrost", "aud": "bifrost", "sub": "user-1", "exp": START_S + 900}
    numbers = key.public_key().public_numbers()
    public = numbers.x.to_bytes(32) + numbers.y.to_bytes(32)
    verifier = token_verifier(ServiceSettings(), clock=clock, jwks_source=Source(jwks(u1=key)))
    for forged in (
        jwt.encode(claims, "", algorithm="none", headers={"kid": "u1"}),
        jwt.encode(claims, public, algorithm="HS256", headers={"kid": "u1"}),
    ):
        assert await reason(verifier, f"Bearer {forged}") == "TOKEN_INVALID"


async def test_the_memory_of_tokens_is_bounded(
    clock: ManualClock, key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "_CACHE_SIZE", 3)
    verifier = token_verifier(ServiceSettings(), clock=clock, jwks_source=Source(jwks(u1=key)))
    short = [user_token(key, lives_s=10 + n) for n in range(2)]
    long = [user_token(key, lives_s=100 + n) for n in range(5)]
    for header in (*short, long[0]):
        await verifier.verify(header, None)
    clock.advance(20 * NANOS)
    await verifier.verify(long[1], None)
    assert verifier.recall(long[0], None) is not None
    for header in long[2:]:
        await verifier.verify(header, None)
    assert len(verifier._verified) <= 3
    assert verifier.recall(long[-1], None) is not None


def pem(key: Key | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


async def test_a_credential_mints_tokens_that_verify(tmp_path: Path, clock: ManualClock, key: Key) -> None:
    (tmp_path / "execution.2.pem").write_bytes(pem(key))
    (tmp_path / "services.jwks.json").write_text(json.dumps(jwks(**{"execution.2": key})))
    credential = ServiceCredential.load("execution", tmp_path / "execution.2.pem", clock=clock)
    settings = ServiceSettings(services_jwks_file=tmp_path / "services.jwks.json")
    verifier = token_verifier(settings, clock=clock)
    first = credential.token()
    principal = await verifier.verify(f"Bearer {first}", None)
    assert (principal.service_name, principal.expires_at_ns) == ("execution", (START_S + 300) * NANOS)
    clock.advance(200 * NANOS)
    assert credential.token() == first
    fresh = credential.token(at_least_s=270)
    assert fresh != first
    assert credential.token() == fresh
    clock.advance(250 * NANOS)
    assert credential.token() != fresh


def test_a_credential_must_be_an_elliptic_curve_key(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "execution.pem"
    path.write_bytes(pem(rsa.generate_private_key(public_exponent=65537, key_size=2048)))
    with pytest.raises(TypeError, match="elliptic"):
        ServiceCredential.load("execution", path, clock=clock)


def test_keys_of_other_kinds_are_refused() -> None:
    with pytest.raises(ValueError, match="unreadable"):
        parse_jwks({"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "x"}]})
