"""Sessions under any order of logins, refreshes, reuses and revocations, against a model of them."""

import asyncio
import dataclasses

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.runtime.clock import NANOS
from tests.contract.identity.identity_harness import ADMIN_PASSWORD, RunningIdentity, failure_of

DAY_NS = 86_400 * NANOS

# (what, which token of all given so far, how many at once): tokens old and new are picked alike.
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("login"), st.just(0), st.just(1)),
        st.tuples(st.just("refresh"), st.integers(0, 30), st.integers(1, 3)),
        st.tuples(st.just("revoke"), st.integers(0, 30), st.just(1)),
        st.tuples(st.just("days"), st.integers(1, 20), st.just(1)),
    ),
    max_size=12,
)


@dataclasses.dataclass
class Token:
    text: str
    session: int
    ends_ns: int
    used: bool = False


class Model:
    """What the contract says of every token that was given."""

    def __init__(self) -> None:
        self.tokens: list[Token] = []
        self.ended: set[int] = set()

    def expected(self, token: Token, now_ns: int) -> str:
        if now_ns >= token.ends_ns:
            return "REFRESH_TOKEN_INVALID"
        if token.used:
            return "REFRESH_TOKEN_REUSED"
        return "REFRESH_TOKEN_INVALID" if token.session in self.ended else "granted"

    def live(self, now_ns: int) -> list[int]:
        return [token.session for token in self.tokens if self.expected(token, now_ns) == "granted"]


async def refresh(identity: RunningIdentity, model: Model, token: Token, times: int) -> None:
    expected = model.expected(token, identity.clock.now_ns())
    calls = [identity.refresh(token.text) for _ in range(times)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    granted = [result for result in results if not isinstance(result, BaseException)]
    assert len(granted) == (1 if expected == "granted" else 0)
    if granted:
        token.used = True
        ends_ns = identity.clock.now_ns() + 30 * DAY_NS
        model.tokens.append(Token(granted[0].refresh_token, token.session, ends_ns))
    reused = expected == "REFRESH_TOKEN_REUSED" or (expected == "granted" and times > 1)
    if reused:
        model.ended.add(token.session)
    if expected != "granted":
        assert (await failure_of(identity.refresh(token.text))).reason == expected


async def walk(identity: RunningIdentity, steps: list[tuple[str, int, int]]) -> None:
    model = Model()
    sessions = 0
    for what, which, times in [("login", 0, 1), *steps]:
        if what == "login":
            pair = await identity.login("admin", ADMIN_PASSWORD)
            ends_ns = identity.clock.now_ns() + 30 * DAY_NS
            model.tokens.append(Token(pair.refresh_token, sessions, ends_ns))
            sessions += 1
        elif what == "days":
            identity.clock.advance(which * DAY_NS)
        else:
            token = model.tokens[which % len(model.tokens)]
            if what == "refresh":
                await refresh(identity, model, token, times)
            else:
                await identity.revoke(token.text)
                model.ended.add(token.session)
        live = model.live(identity.clock.now_ns())
        assert len(live) == len(set(live)), "a session has one live refresh token at most"
    # The model was right about every token: what it calls live works once, nothing else does.
    for token in list(model.tokens):
        await refresh(identity, model, token, 1)


async def test_any_order_of_refresh_reuse_and_revocation(identity: RunningIdentity) -> None:
    loop = asyncio.get_running_loop()

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(STEPS)
    def check(steps: list[tuple[str, int, int]]) -> None:
        asyncio.run_coroutine_threadsafe(walk(identity, steps), loop).result(60)

    # hypothesis calls its examples one by one and synchronously: from a thread, into this very loop
    await asyncio.to_thread(check)
