"""UserService: the people who may log in."""

from __future__ import annotations

import jwt

from bifrost.identity.v1 import user_service_pb2, user_service_pb2_grpc
from services.identity.convert import roles_of, user_message
from services.identity.domain.user import (
    User,
    UserChange,
    change_user,
    ends_administration,
    is_etag_accepted,
)
from services.identity.login import Login
from services.identity.passwords import PasswordHasher
from services.identity.session_store import SessionStore
from services.identity.tables import idempotency
from services.identity.user_store import UserStore
from services.runtime.auth import Principal, current_principal
from services.runtime.clock import Clock
from services.runtime.database import Database
from services.runtime.errors import (
    ApiError,
    aborted,
    already_exists,
    failed_precondition,
    invalid_argument,
    not_found,
    permission_denied,
    unauthenticated,
)
from services.runtime.idempotency import IdempotencyStore, request_digest
from services.runtime.ids import new_id
from services.runtime.pagination import decode_page_token, encode_page_token, page_size, text

_CREATE = "CreateUser"
_MUTABLE = ("display_name", "roles", "disabled")


class UserService(user_service_pb2_grpc.UserServiceServicer):
    """Serves bifrost.identity.v1.UserService."""

    def __init__(
        self,
        database: Database,
        login: Login,
        hasher: PasswordHasher,
        users: UserStore,
        sessions: SessionStore,
        *,
        clock: Clock,
    ) -> None:
        self._database = database
        self._login = login
        self._hasher = hasher
        self._users = users
        self._sessions = sessions
        self._clock = clock
        self._requests = IdempotencyStore(idempotency, clock=clock)

    async def CreateUser(
        self, request: user_service_pb2.CreateUserRequest, _context: object
    ) -> user_service_pb2.CreateUserResponse:
        """Add a user, or answer with the one this request made before."""
        principal = current_principal()
        owner = principal.caller
        digest = await self._create_digest(request, owner)
        password_hash = await self._hasher.hash(request.password)
        user = User(
            user_id=new_id(self._clock),
            user_name=request.user_name,
            display_name=request.display_name,
            roles=roles_of(request.roles),
            disabled=False,
            version=1,
            create_time_ns=self._clock.now_ns(),
        )
        async with self._database.transaction() as connection:
            before = await self._requests.begin(connection, owner, _CREATE, request.request_id, digest)
            if before is not None:
                made = await self._users.find_user(connection, before.resource_id)
                if made is None:
                    raise _user_not_found(before.resource_id)
                return user_service_pb2.CreateUserResponse(user=user_message(made), duplicate=True)
            if not await self._users.insert_user(connection, user, password_hash):
                raise already_exists(
                    "USER_NAME_TAKEN",
                    f"the user name {user.user_name} is taken; choose another",
                    user_name=user.user_name,
                )
            await self._requests.finish(connection, owner, _CREATE, request.request_id, user.user_id)
        return user_service_pb2.CreateUserResponse(user=user_message(user))

    async def GetUser(
        self, request: user_service_pb2.GetUserRequest, _context: object
    ) -> user_service_pb2.GetUserResponse:
        """One user: any to who reads identities, themselves to all others."""
        principal = current_principal()
        user_id = request.user_id
        if user_id == "me":
            user_id = _caller(principal).subject
        elif not _may_read(principal, user_id):
            raise _user_not_found(user_id)
        async with self._database.read() as connection:
            user = await self._users.find_user(connection, user_id)
        if user is None:
            raise _user_not_found(user_id)
        return user_service_pb2.GetUserResponse(user=user_message(user))

    async def ListUsers(
        self, request: user_service_pb2.ListUsersRequest, _context: object
    ) -> user_service_pb2.ListUsersResponse:
        """A page of users by user name."""
        position = decode_page_token(request, request.page_token, user_name=text) or {}
        size = page_size(request.page_size)
        async with self._database.read() as connection:
            found = await self._users.list_users(
                connection, after=position.get("user_name", ""), limit=size + 1
            )
        page = found[:size]
        token = encode_page_token(request, {"user_name": page[-1].user_name}) if len(found) > size else ""
        return user_service_pb2.ListUsersResponse(
            users=[user_message(user) for user in page], next_page_token=token
        )

    async def UpdateUser(
        self, request: user_service_pb2.UpdateUserRequest, _context: object
    ) -> user_service_pb2.UpdateUserResponse:
        """Change a user; the last administrator stays one. Who is disabled loses all sessions."""
        change = _change_of(request)
        async with self._database.transaction() as connection:
            await self._users.lock_users(connection)
            user = await self._users.find_user(connection, request.user_id)
            if user is None:
                raise _user_not_found(request.user_id)
            changed = change_user(user, change)
            if not is_etag_accepted(user, changed, request.etag):
                raise aborted(
                    "ETAG_MISMATCH", "the user was changed meanwhile; read it again", etag=user.etag
                )
            if ends_administration(user, changed) and await self._users.count_enabled_admins(connection) == 1:
                raise _last_admin(user)
            if changed is not user:
                await self._users.update_user(connection, changed)
            if changed.disabled and not user.disabled:
                await self._sessions.revoke_sessions_of(connection, user.user_id, self._clock.now_ns())
        return user_service_pb2.UpdateUserResponse(user=user_message(changed))

    async def ChangePassword(
        self, request: user_service_pb2.ChangePasswordRequest, _context: object
    ) -> user_service_pb2.ChangePasswordResponse:
        """Set the caller's password and end the caller's other sessions."""
        caller = _caller(current_principal())
        async with self._database.read() as connection:
            known = await self._users.find_user(connection, caller.subject)
        if known is None:
            raise unauthenticated("CREDENTIALS_INVALID", "the user of this token is not there any more")
        async with self._login.verified(known.user_name, request.current_password) as (connection, user):
            password_hash = await self._hasher.hash(request.new_password)
            await self._users.set_password_hash(connection, user.user_id, password_hash)
            await self._sessions.revoke_sessions_of(
                connection, user.user_id, self._clock.now_ns(), keep=_session_of(caller)
            )
        return user_service_pb2.ChangePasswordResponse()

    async def _create_digest(self, request: user_service_pb2.CreateUserRequest, owner: str) -> str:
        """The request's digest, in which the password counts but is as hard to guess as from its hash.

        A plain SHA-256 over the password, stored and shown in errors, would undo argon2id.
        """
        content = user_service_pb2.CreateUserRequest()
        content.CopyFrom(request)
        content.roles[:] = sorted(request.roles)
        content.password = await self._hasher.fingerprint(
            request.password, context=f"{_CREATE}\0{owner}\0{request.request_id}"
        )
        return request_digest(content)


def _caller(principal: Principal) -> Principal:
    holder = principal.actor or principal
    if holder.kind != "user":
        raise permission_denied("CALLER_NOT_ALLOWED", "this is for users; a service has no user of its own")
    return holder


def _may_read(principal: Principal, user_id: str) -> bool:
    holder = principal.actor or principal
    return holder.kind == "service" or holder.subject == user_id or "identity:read" in holder.scopes


def _session_of(caller: Principal) -> str:
    # Verified when the call came in; only the claim is wanted here.
    claims = jwt.decode(caller.token, options={"verify_signature": False})
    return str(claims.get("sid", ""))


def _change_of(request: user_service_pb2.UpdateUserRequest) -> UserChange:
    paths = set(request.update_mask.paths)
    unknown = paths.difference(_MUTABLE)
    if unknown or not paths:
        listed = ", ".join(_MUTABLE)
        problem = f"has {', '.join(sorted(unknown))}" if unknown else "is empty"
        raise invalid_argument(
            "FIELD_INVALID", f"update_mask {problem}; it names any of {listed}", field="update_mask"
        )
    new = request.user
    if "roles" in paths and not new.roles:
        raise invalid_argument("FIELD_INVALID", "a user has at least one role", field="user.roles")
    return UserChange(
        display_name=new.display_name if "display_name" in paths else None,
        roles=roles_of(new.roles) if "roles" in paths else None,
        disabled=new.disabled if "disabled" in paths else None,
    )


def _user_not_found(user_id: str) -> ApiError:
    return not_found("USER_NOT_FOUND", f"there is no user {user_id}", user_id=user_id)


def _last_admin(user: User) -> ApiError:
    message = "the last enabled administrator cannot be disabled or lose the role; make another one first"
    return failed_precondition(
        "LAST_ADMIN", message, precondition=("LAST_ADMIN", f"users/{user.user_id}", message)
    )
