"""TokenService: passwords into tokens, refresh tokens into new ones, and the keys that verify them."""

from __future__ import annotations

import secrets

from sqlalchemy.ext.asyncio import AsyncConnection

from bifrost.identity.v1 import token_service_pb2, token_service_pb2_grpc
from services.identity.convert import jwks_message
from services.identity.domain.session import (
    REFRESH_LIFETIME_NS,
    Verdict,
    hash_refresh_token,
    judge_refresh,
)
from services.identity.domain.token import issue_access_token
from services.identity.domain.user import User
from services.identity.key_ring import KeyRing
from services.identity.login import Login
from services.identity.session_store import SessionStore
from services.identity.user_store import UserStore
from services.runtime.clock import Clock, to_timestamp
from services.runtime.database import Database
from services.runtime.errors import ApiError, permission_denied, unauthenticated
from services.runtime.ids import new_id

_REFRESH_TOKEN_BYTES = 32


class TokenService(token_service_pb2_grpc.TokenServiceServicer):
    """Serves bifrost.identity.v1.TokenService."""

    def __init__(
        self,
        database: Database,
        login: Login,
        users: UserStore,
        sessions: SessionStore,
        keys: KeyRing,
        *,
        clock: Clock,
    ) -> None:
        self._database = database
        self._login = login
        self._users = users
        self._sessions = sessions
        self._keys = keys
        self._clock = clock

    async def CreateToken(
        self, request: token_service_pb2.CreateTokenRequest, _context: object
    ) -> token_service_pb2.CreateTokenResponse:
        """Log a user in: a new session with its first pair of tokens."""
        async with self._login.verified(request.user_name, request.password) as (connection, user):
            session_id = new_id(self._clock)
            await self._sessions.insert_session(connection, session_id, user.user_id, self._clock.now_ns())
            tokens = await self._issue(connection, user, session_id)
        return token_service_pb2.CreateTokenResponse(tokens=tokens)

    async def RefreshToken(
        self, request: token_service_pb2.RefreshTokenRequest, _context: object
    ) -> token_service_pb2.RefreshTokenResponse:
        """Exchange a refresh token; the roles are the user's present ones."""
        now_ns = self._clock.now_ns()
        token_hash = hash_refresh_token(request.refresh_token)
        async with self._database.transaction() as connection:
            token = await self._sessions.lock_token(connection, token_hash)
            verdict = judge_refresh(token, now_ns)
            user = None if token is None else await self._users.find_user(connection, token.user_id)
            if token is not None and user is not None and verdict is Verdict.GRANTED:
                await self._sessions.use_token(connection, token_hash, now_ns)
                tokens = await self._issue(connection, user, token.session_id)
                return token_service_pb2.RefreshTokenResponse(tokens=tokens)
            if token is not None and verdict is Verdict.REUSED:
                await self._sessions.revoke_session(connection, token.session_id, now_ns)
        # Beyond the transaction: a session ended for reuse stays ended.
        raise _refresh_refused(verdict)

    async def RevokeToken(
        self, request: token_service_pb2.RevokeTokenRequest, _context: object
    ) -> token_service_pb2.RevokeTokenResponse:
        """End the session of a refresh token, used or not; unknown ones are accepted in silence."""
        async with self._database.transaction() as connection:
            token = await self._sessions.lock_token(connection, hash_refresh_token(request.refresh_token))
            if token is not None:
                await self._sessions.revoke_session(connection, token.session_id, self._clock.now_ns())
        return token_service_pb2.RevokeTokenResponse()

    async def GetJwks(
        self, _request: token_service_pb2.GetJwksRequest, _context: object
    ) -> token_service_pb2.GetJwksResponse:
        """The public keys, the signing one first."""
        return jwks_message(self._keys.jwks())

    async def _issue(
        self, connection: AsyncConnection, user: User, session_id: str
    ) -> token_service_pb2.TokenPair:
        now_ns = self._clock.now_ns()
        refresh_token = secrets.token_urlsafe(_REFRESH_TOKEN_BYTES)
        expire_time_ns = now_ns + REFRESH_LIFETIME_NS
        await self._sessions.insert_token(
            connection, hash_refresh_token(refresh_token), session_id, expire_time_ns
        )
        access = issue_access_token(user, session_id=session_id, token_id=new_id(self._clock), now_ns=now_ns)
        return token_service_pb2.TokenPair(
            access_token=self._keys.sign(access.claims),
            access_expire_time=to_timestamp(access.expire_time_ns),
            refresh_token=refresh_token,
            refresh_expire_time=to_timestamp(expire_time_ns),
            user_id=user.user_id,
        )


def _refresh_refused(verdict: Verdict) -> ApiError:
    if verdict is Verdict.REUSED:
        return unauthenticated(
            "REFRESH_TOKEN_REUSED",
            "this refresh token was used before, so it may be stolen: the session was ended; log in again",
        )
    if verdict is Verdict.USER_DISABLED:
        return permission_denied("USER_DISABLED", "this user was disabled by an administrator")
    return unauthenticated(
        "REFRESH_TOKEN_INVALID", "the refresh token is unknown, expired or revoked; log in again"
    )
