"""Ids: UUID version 7 (RFC 9562, section 5.7), ordered by the clock they are minted from."""

from __future__ import annotations

import secrets
import threading
import uuid
from weakref import WeakKeyDictionary

from services.runtime.clock import Clock, SystemClock

# Held for ever, so that all SystemClock instances (they are equal) share the one entry below.
_WALL = SystemClock()
_last_tick: WeakKeyDictionary[Clock, int] = WeakKeyDictionary()
_last_tick[_WALL] = 0
_lock = threading.Lock()


def new_id(clock: Clock) -> str:
    """A new UUIDv7 as text: 48 bits of milliseconds, 12 bits of their fraction, 62 random bits.

    Of one clock each id is greater than the one before (RFC 9562, section 6.2, method 3), also when the
    clock stands or steps back.
    """
    milliseconds, rest_ns = divmod(clock.now_ns(), 1_000_000)
    tick = milliseconds << 12 | rest_ns * 4096 // 1_000_000
    with _lock:
        tick = max(tick, _last_tick.get(clock, 0) + 1)
        _last_tick[clock] = tick
    high = (tick >> 12) << 16 | 0x7000 | tick & 0xFFF
    low = 1 << 63 | secrets.randbits(62)
    return str(uuid.UUID(int=high << 64 | low))
