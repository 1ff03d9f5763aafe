"""Protobuf to domain and back."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, cast

from bifrost.data.v1 import instrument_pb2, quote_pb2
from bifrost.execution.v1 import order_pb2
from bifrost.portfolio.v1 import ledger_pb2
from bifrost.risk.v1 import check_pb2, error_reason_pb2, limits_pb2, pre_trade_service_pb2
from bifrost.type.v1 import order_terms_pb2
from services.risk.domain.book import FIRST_VERSION
from services.risk.domain.cash import Fill
from services.risk.domain.decision import Decision
from services.risk.domain.limits import KillSwitch, LimitRangeError, Limits
from services.risk.domain.market import Instrument, reference_of
from services.risk.domain.order_log import OrderChange, ReplaceStep
from services.risk.domain.terms import OrderType, Side, Terms
from services.risk.domain.verdict import RuleResult
from services.risk.store import Posting
from services.runtime.clock import to_timestamp
from services.runtime.decimals import format_decimal, from_double, parse_decimal
from services.runtime.errors import ApiError
from services.runtime.steps import Steps

_ENDED: Final = frozenset(
    {
        order_pb2.ORDER_STATE_FILLED,
        order_pb2.ORDER_STATE_CANCELLED,
        order_pb2.ORDER_STATE_REJECTED,
        order_pb2.ORDER_STATE_EXPIRED,
    }
)
_REPLACE_STEPS: Final = {
    order_pb2.ORDER_EVENT_TYPE_REPLACE_REQUESTED: ReplaceStep.REQUESTED,
    order_pb2.ORDER_EVENT_TYPE_REPLACED: ReplaceStep.DONE,
    order_pb2.ORDER_EVENT_TYPE_REPLACE_REJECTED: ReplaceStep.REJECTED,
}
_STATUS_NAMES: Final = {
    instrument_pb2.INSTRUMENT_STATUS_ACTIVE: "active",
    instrument_pb2.INSTRUMENT_STATUS_HALTED: "halted",
    instrument_pb2.INSTRUMENT_STATUS_DELISTED: "delisted",
}
_TRADED_CLASSES: Final = {instrument_pb2.ASSET_CLASS_EQUITY, instrument_pb2.ASSET_CLASS_ETF}
WHOLE_LIMITS: Final = frozenset({"max_orders_per_second", "duplicate_window_ms", "max_price_age_ms"})


def to_terms(message: order_terms_pb2.OrderTerms) -> Terms:
    """Terms whose field rules were checked."""
    return Terms(
        side=Side(message.side),
        type=OrderType(message.type),
        quantity=parse_decimal(message.quantity, field="terms.quantity"),
        limit_price=_optional_decimal(message.limit_price, "terms.limit_price"),
        stop_price=_optional_decimal(message.stop_price, "terms.stop_price"),
    )


def to_instrument(message: instrument_pb2.Instrument) -> Instrument:
    """An instrument; only equities and ETFs are tradable: others need margin or have multipliers."""
    is_traded = message.asset_class in _TRADED_CLASSES
    is_active = message.status == instrument_pb2.INSTRUMENT_STATUS_ACTIVE
    return Instrument(
        instrument_id=message.instrument_id,
        symbol=message.symbol,
        mic=message.mic,
        currency=message.currency,
        ticks=_to_ticks(message),
        lot_size=parse_decimal(message.lot_size, field="lot_size"),
        is_tradable=is_active and is_traded,
        status=_STATUS_NAMES.get(message.status, "unknown") if is_traded else _class_name(message),
    )


def _to_ticks(message: instrument_pb2.Instrument) -> Steps:
    return Steps.of(
        parse_decimal(message.tick_size, field="tick_size"),
        [
            (
                parse_decimal(band.from_price, field="tick_bands.from_price"),
                parse_decimal(band.tick_size, field="tick_bands.tick_size"),
            )
            for band in message.tick_bands
        ],
    )


def _class_name(message: instrument_pb2.Instrument) -> str:
    try:
        name = instrument_pb2.AssetClass.Name(message.asset_class)
    except ValueError:
        return "of an unknown class"
    return name.removeprefix("ASSET_CLASS_").lower()


def to_price(message: quote_pb2.Quote) -> Decimal | None:
    """The reference price of a quote; None when there is none."""
    try:
        return reference_of(from_double(message.bid), from_double(message.ask), from_double(message.last))
    except ValueError:
        return None


def to_change(event: order_pb2.OrderEvent) -> OrderChange:
    """An entry of the order log."""
    order = event.order
    is_fill = event.type == order_pb2.ORDER_EVENT_TYPE_FILLED and event.HasField("fill")
    return OrderChange(
        order_id=order.order_id,
        account_id=order.account_id,
        terms=to_terms(order.terms),
        has_ended=order.state in _ENDED,
        terms_version=max(order.terms_version, FIRST_VERSION),
        replace=_REPLACE_STEPS.get(event.type, ReplaceStep.NONE),
        fill=to_fill(event.fill) if is_fill else None,
    )


def to_fill(message: order_pb2.Fill) -> Fill:
    """A fill."""
    return Fill(
        venue=message.venue,
        execution_id=message.execution_id,
        order_id=message.order_id,
        account_id=message.account_id,
        instrument_id=message.instrument_id,
        side=Side(message.side),
        quantity=parse_decimal(message.quantity, field="fill.quantity"),
        price=parse_decimal(message.price, field="fill.price"),
        fee=parse_decimal(message.fee, field="fill.fee"),
        currency=message.currency,
    )


def to_posting(entry: ledger_pb2.LedgerEntry) -> Posting | None:
    """A posting to add to cash; None for trades, which are reckoned from the fills."""
    if entry.type == ledger_pb2.LEDGER_ENTRY_TYPE_TRADE:
        return None
    amount = parse_decimal(entry.amount.amount, field="amount")
    return Posting(entry.entry_id, entry.account_id, amount, entry.amount.currency)


def has_ended(order: order_pb2.Order) -> bool:
    """Whether nothing more can come of the order."""
    return order.state in _ENDED


def from_decision(decision: Decision) -> pre_trade_service_pb2.ReserveOrderResponse:
    """The answer of ReserveOrder."""
    return pre_trade_service_pb2.ReserveOrderResponse(
        reserved=decision.passed,
        result=to_check_result(decision),
        reserved_cash=format_decimal(decision.reserved_cash),
        reserved_quantity=format_decimal(decision.reserved_quantity),
        worst_price=_optional_text(decision.worst_price),
    )


def to_check_result(decision: Decision) -> check_pb2.CheckResult:
    """The check, with the price it was made at."""
    reference = decision.reference
    return check_pb2.CheckResult(
        passed=decision.passed,
        rules=[_from_rule(result) for result in decision.results],
        reference_price="" if reference is None else format_decimal(reference.price),
        reference_price_age_ms=0 if reference is None else reference.age_ms,
    )


def from_limits(account_id: str, limits: Limits) -> limits_pb2.Limits:
    """Limits as the contract has them."""
    return limits_pb2.Limits(
        account_id=account_id,
        max_order_quantity=format_decimal(limits.max_order_quantity),
        max_order_notional=format_decimal(limits.max_order_notional),
        price_collar=format_decimal(limits.price_collar),
        max_position_quantity=format_decimal(limits.max_position_quantity),
        max_orders_per_second=limits.max_orders_per_second,
        duplicate_window_ms=limits.duplicate_window_ms,
        max_price_age_ms=limits.max_price_age_ms,
        etag=limits.etag,
    )


def to_limit_values(message: limits_pb2.Limits, paths: list[str]) -> Mapping[str, Decimal | int]:
    """The values of the named fields; LimitRangeError names those that are no decimals."""
    values: dict[str, Decimal | int] = {}
    violations: list[tuple[str, str]] = []
    for path in paths:
        value = getattr(message, path)
        if path in WHOLE_LIMITS:
            values[path] = value
            continue
        try:
            values[path] = parse_decimal(value, field=path)
        except ApiError:
            violations.append((path, f"must be a plain decimal; got {value[:40]!r}"))
    if violations:
        raise LimitRangeError(violations)
    return values


def from_kill_switch(switch: KillSwitch) -> limits_pb2.KillSwitch:
    """A switch as the contract has it."""
    return limits_pb2.KillSwitch(
        account_id=switch.account_id,
        engaged=switch.is_engaged,
        reason=switch.reason,
        user_id=switch.user_id,
        update_time=to_timestamp(switch.update_time_ns),
    )


def _from_rule(result: RuleResult) -> check_pb2.RuleResult:
    return check_pb2.RuleResult(
        rule=cast("error_reason_pb2.Rule", result.rule),
        verdict=cast("check_pb2.Verdict", result.verdict),
        value=_optional_text(result.value),
        limit=_optional_text(result.limit),
        headroom=_optional_text(result.headroom),
        unit=result.unit,
        message=result.message,
    )


def _optional_text(value: Decimal | None) -> str:
    return "" if value is None else format_decimal(value)


def _optional_decimal(text: str, field: str) -> Decimal | None:
    return parse_decimal(text, field=field) if text else None
