"""The pre-trade rules: each a function of the order's context, all evaluated, none depending on another.

What cannot be judged is UNDECIDED, which refuses like FAIL: risk fails closed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from services.risk.domain.limits import KillSwitch, Limits
from services.risk.domain.market import Instrument, ReferencePrice
from services.risk.domain.terms import OrderType, Side, Terms
from services.risk.domain.verdict import Rule, RuleResult, Verdict, at_most, ratio


@dataclass(frozen=True, slots=True)
class OrderContext:
    """Everything the rules look at, less what the order itself holds already. Amounts are in `currency`."""

    terms: Terms
    currency: str
    """The account's."""
    instrument: Instrument | None
    """None when data knows no such instrument."""
    reference: ReferencePrice | None
    worst_price: Decimal | None
    """None when there is no price to reckon it from."""
    remaining: Decimal
    """Shares of the order not yet filled."""
    cash_needed: Decimal | None
    """What the order would hold: zero for sells, None without a worst price."""
    cash_available: Decimal
    """Cash less what other orders hold."""
    position: Decimal
    """Shares held."""
    open_same_side: Decimal
    """Shares that other open orders of this side may still trade."""
    orders_last_second: int
    twin_age_ms: int | None
    """Age of the newest order with the same terms; None when there is none within the window."""
    kill_switch: KillSwitch | None
    """The engaged switch that stops this account, if any."""
    limits: Limits


def evaluate(context: OrderContext) -> list[RuleResult]:
    """Every rule's result, in the contract's order."""
    return [rule(context) for rule in RULES]


def passes(results: list[RuleResult]) -> bool:
    """Whether the order may go on: every rule passed."""
    return all(result.verdict is Verdict.PASS for result in results)


def instrument_tradable(context: OrderContext) -> RuleResult:
    """Known to data, active, and priced in the account's currency."""
    rule, instrument = Rule.INSTRUMENT_TRADABLE, context.instrument
    if instrument is None:
        return RuleResult(rule, Verdict.FAIL, "no instrument has this id")
    if not instrument.is_tradable:
        return RuleResult(rule, Verdict.FAIL, f"{instrument.symbol} is not tradable: {instrument.status}")
    if instrument.currency != context.currency:
        message = f"{instrument.symbol} trades in {instrument.currency}, the account holds {context.currency}"
        return RuleResult(rule, Verdict.FAIL, message)
    return RuleResult(rule, Verdict.PASS, f"{instrument.symbol} is tradable")


def order_quantity(context: OrderContext) -> RuleResult:
    """Quantity of one order."""
    quantity, limit = context.terms.quantity, context.limits.max_order_quantity
    message = f"an order may have {_plain(limit)} shares at most; this one has {_plain(quantity)}"
    return at_most(Rule.ORDER_QUANTITY, quantity, limit, "shares", message)


def order_notional(context: OrderContext) -> RuleResult:
    """Notional of one order: buys at their worst price; sells at the reference if that is higher."""
    rule, limit, worst = Rule.ORDER_NOTIONAL, context.limits.max_order_notional, context.worst_price
    if worst is None:
        return RuleResult(
            rule,
            Verdict.UNDECIDED,
            "there is no price to reckon the notional at",
            limit=limit,
            unit=context.currency,
        )
    price = worst
    if context.terms.side is Side.SELL and context.reference is not None:
        price = max(worst, context.reference.price)
    notional = context.terms.quantity * price
    message = f"the notional at {_plain(price)} is {_plain(notional)}; {_plain(limit)} is allowed"
    return at_most(rule, notional, limit, context.currency, message)


def price_collar(context: OrderContext) -> RuleResult:
    """Distance of the named prices from a fresh reference price, counted where it is against the account."""
    rule, limit, reference = Rule.PRICE_COLLAR, context.limits.price_collar, context.reference
    if reference is None:
        return _undecided_collar("there is no price for this instrument", limit)
    if reference.is_stale or reference.age_ms > context.limits.max_price_age_ms:
        return _undecided_collar(f"price is stale, {reference.age_ms} ms old", limit)
    middle = reference.price
    if context.terms.type is OrderType.MARKET:
        message = f"the price is fresh ({reference.age_ms} ms old); a market order holds at the collar's edge"
        return at_most(rule, Decimal(0), limit, "ratio", message)
    sign = 1 if context.terms.side is Side.BUY else -1
    against = max((price - middle) * sign for price in context.terms.prices)
    verdict = Verdict.PASS if against <= limit * middle else Verdict.FAIL
    value, headroom = ratio(against, middle), ratio(limit * middle - against, middle)
    where = "against" if against > 0 else "in favour of"
    message = f"the price lies {_plain(abs(value))} of the reference {_plain(middle)} {where} the account"
    return RuleResult(rule, verdict, message, value, limit, headroom, "ratio")


def position(context: OrderContext) -> RuleResult:
    """Buys: shares held after this and all open buys. Sells: shares to sell against shares held."""
    rule, moved = Rule.POSITION, context.open_same_side + context.remaining
    if context.terms.side is Side.BUY:
        after, limit = context.position + moved, context.limits.max_position_quantity
        message = f"after this and all open buys {_plain(after)} shares are held; {_plain(limit)} are allowed"
        return at_most(rule, after, limit, "shares", message)
    message = (
        f"this and all open sells ask for {_plain(moved)} shares; {_plain(context.position)} are held, "
        "and a cash account does not go short"
    )
    return at_most(rule, moved, context.position, "shares", message)


def buying_power(context: OrderContext) -> RuleResult:
    """Cash not held for other orders covers this one at its worst price with fees."""
    rule, available, needed = Rule.BUYING_POWER, context.cash_available, context.cash_needed
    if context.terms.side is Side.SELL:
        return RuleResult(
            rule,
            Verdict.PASS,
            "a sell needs no cash",
            Decimal(0),
            available,
            available,
            context.currency,
        )
    if needed is None:
        message = "there is no price to reckon the cost at"
        return RuleResult(rule, Verdict.UNDECIDED, message, limit=available, unit=context.currency)
    message = f"at worst, with fees, it takes {_plain(needed)}; {_plain(available)} is available"
    return at_most(rule, needed, available, context.currency, message)


def order_rate(context: OrderContext) -> RuleResult:
    """Orders that passed in the last second, this one counted."""
    count, limit = context.orders_last_second + 1, context.limits.max_orders_per_second
    message = f"{count} orders within a second with this one; {limit} are allowed"
    return at_most(Rule.ORDER_RATE, Decimal(count), Decimal(limit), "orders/s", message)


def duplicate_order(context: OrderContext) -> RuleResult:
    """The same terms again within the window; a window of 0 switches the rule off."""
    rule, window, age = Rule.DUPLICATE_ORDER, context.limits.duplicate_window_ms, context.twin_age_ms
    if window == 0:
        return RuleResult(rule, Verdict.PASS, "the rule is switched off", limit=Decimal(0), unit="ms")
    if age is None:
        message = f"no order with the same terms in the last {window} ms"
        return RuleResult(rule, Verdict.PASS, message, limit=Decimal(window), unit="ms")
    message = f"an order with the same terms came {age} ms ago; {window} ms must lie between"
    headroom = Decimal(age - window)
    return RuleResult(rule, Verdict.FAIL, message, Decimal(age), Decimal(window), headroom, "ms")


def kill_switch(context: OrderContext) -> RuleResult:
    """Trading is not halted, for all or for the account."""
    switch = context.kill_switch
    if switch is None:
        return RuleResult(Rule.KILL_SWITCH, Verdict.PASS, "trading is not halted")
    halted = "this account" if switch.account_id else "all accounts"
    return RuleResult(Rule.KILL_SWITCH, Verdict.FAIL, f"trading of {halted} is halted: {switch.reason}")


RULES: Final[tuple[Callable[[OrderContext], RuleResult], ...]] = (
    instrument_tradable,
    order_quantity,
    order_notional,
    price_collar,
    position,
    buying_power,
    order_rate,
    duplicate_order,
    kill_switch,
)


def _undecided_collar(message: str, limit: Decimal) -> RuleResult:
    return RuleResult(Rule.PRICE_COLLAR, Verdict.UNDECIDED, message, limit=limit, unit="ratio")


def _plain(value: Decimal) -> str:
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
