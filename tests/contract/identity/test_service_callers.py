"""Services of the mesh as callers: on their own behalf, and for a user."""

import json
from pathlib import Path

import grpc
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from bifrost.identity.v1 import user_service_pb2
from services.runtime.tokens import ServiceCredential
from tests.contract.identity.identity_harness import (
    ADMIN_PASSWORD,
    PASSWORD,
    RunningIdentity,
    StartIdentity,
    failure_of,
)


async def start_with_service(
    start: StartIdentity, folder: Path
) -> tuple[RunningIdentity, list[tuple[str, str]]]:
    """Identity that knows the service risk, and the headers risk calls with."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = {**ECAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": "risk", "use": "sig"}
    file = folder / "services.jwks.json"
    file.write_text(json.dumps({"keys": [public]}))
    identity = await start(services_jwks_file=file)
    token = ServiceCredential("risk", key, "risk", clock=identity.clock).token()
    return identity, [("authorization", f"Bearer {token}")]


async def test_a_service_reads_users_but_has_none_itself(start: StartIdentity, tmp_path: Path) -> None:
    identity, headers = await start_with_service(start, tmp_path)
    user = await identity.create()
    request = user_service_pb2.GetUserRequest(user_id=user.user_id)
    assert (await identity.users.GetUser(request, metadata=headers)).user == user
    me = user_service_pb2.GetUserRequest(user_id="me")
    change = user_service_pb2.ChangePasswordRequest(current_password=PASSWORD, new_password=ADMIN_PASSWORD)
    for call in (
        identity.users.GetUser(me, metadata=headers),
        identity.users.ChangePassword(change, metadata=headers),
    ):
        refused = await failure_of(call)
        assert (refused.code, refused.reason) == (grpc.StatusCode.PERMISSION_DENIED, "CALLER_NOT_ALLOWED")


async def test_a_service_that_calls_for_a_user_sees_what_the_user_may(
    start: StartIdentity, tmp_path: Path
) -> None:
    identity, headers = await start_with_service(start, tmp_path)
    user, other = await identity.create(), await identity.create()
    mine, elsewhere = await identity.login(user.user_name), await identity.login(user.user_name)
    headers.append(("x-bifrost-actor", f"Bearer {mine.access_token}"))
    me = user_service_pb2.GetUserRequest(user_id="me")
    assert (await identity.users.GetUser(me, metadata=headers)).user == user
    request = user_service_pb2.GetUserRequest(user_id=other.user_id)
    assert (await failure_of(identity.users.GetUser(request, metadata=headers))).reason == "USER_NOT_FOUND"
    change = user_service_pb2.ChangePasswordRequest(current_password=PASSWORD, new_password=ADMIN_PASSWORD)
    await identity.users.ChangePassword(change, metadata=headers)
    await identity.refresh(mine.refresh_token)
    ended = await failure_of(identity.refresh(elsewhere.refresh_token))
    assert ended.reason == "REFRESH_TOKEN_INVALID"
