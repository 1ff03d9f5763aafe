"""Who calls: a token that is given, or a login that is renewed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from bifrost.identity.v1 import token_service_pb2

_EARLY_S: Final = 30.0
CREATE: Final = "/bifrost.identity.v1.TokenService/CreateToken"
REFRESH: Final = "/bifrost.identity.v1.TokenService/RefreshToken"


@dataclass(frozen=True, slots=True, repr=False)
class Login:
    """A user's name and password."""

    user_name: str
    password: str


class Tokens:
    """The tokens of one client; it makes no calls itself."""

    def __init__(self, *, token: str | None, login: Login | None) -> None:
        if (token is None) == (login is None):
            raise ValueError("give either a token or a login")
        self._token = token or ""
        self._login = login
        self._refresh_token = ""
        self._ends = float("inf") if token else 0.0

    def is_valid(self) -> bool:
        """Whether the token has half a minute left."""
        return time.time() < self._ends - _EARLY_S

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """Of a call."""
        return (("authorization", f"Bearer {self._token}"),)

    def expired(self) -> None:
        """The service says so: a login is renewed before the next call."""
        if self._login is not None:
            self._ends = 0.0

    def refresh_request(self) -> token_service_pb2.RefreshTokenRequest | None:
        """What renews the session; None when there is none."""
        if not self._refresh_token:
            return None
        return token_service_pb2.RefreshTokenRequest(refresh_token=self._refresh_token)

    def login_request(self) -> token_service_pb2.CreateTokenRequest:
        """What begins a session."""
        assert self._login is not None  # noqa: S101  a given token is always valid
        return token_service_pb2.CreateTokenRequest(
            user_name=self._login.user_name, password=self._login.password
        )

    def forget_session(self) -> None:
        """The session has ended: log in again."""
        self._refresh_token = ""

    def keep(self, pair: token_service_pb2.TokenPair) -> None:
        """The tokens given."""
        self._token, self._refresh_token = pair.access_token, pair.refresh_token
        self._ends = pair.access_expire_time.seconds
