"""The verdict on a refresh token in every state it can be in."""

from itertools import product

from services.identity.domain.session import RefreshToken, Verdict, hash_refresh_token, judge_refresh

NOW_NS = 1_700_000_000_000_000_000


def test_only_a_live_token_of_a_live_session_of_an_enabled_user_is_granted() -> None:
    granted = 0
    for used, revoked, disabled, expired in product([False, True], repeat=4):
        token = RefreshToken(
            "s1",
            "u1",
            NOW_NS if expired else NOW_NS + 1,
            used=used,
            session_revoked=revoked,
            user_disabled=disabled,
        )
        verdict = judge_refresh(token, NOW_NS)
        granted += verdict is Verdict.GRANTED
        if expired:
            assert verdict is Verdict.INVALID
        elif used:
            assert verdict is Verdict.REUSED
        elif disabled:
            assert verdict is Verdict.USER_DISABLED
        else:
            assert verdict is (Verdict.INVALID if revoked else Verdict.GRANTED)
    assert granted == 1
    assert judge_refresh(None, NOW_NS) is Verdict.INVALID


def test_a_token_is_stored_as_its_sha256() -> None:
    assert hash_refresh_token("abc").hex() == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, B.1
    )
