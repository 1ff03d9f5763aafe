"""What the exchange charges."""

from __future__ import annotations

from decimal import Decimal

FEE_PER_SHARE = Decimal("0.005")
"""Currency units a share, makers and takers alike."""


def execution_fee(quantity: int) -> Decimal:
    """Return the exact fee for `quantity` shares; it is rounded once, when cash is posted."""
    return FEE_PER_SHARE * quantity
