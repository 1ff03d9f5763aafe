"""Indicator messages from the catalogue and from columns, and requests into what is asked; nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from bifrost.data.v1 import indicator_pb2, indicator_service_pb2
from services.data.domain.bars import BarInterval, Doubles, Ints
from services.data.indicators.indicator import (
    Indicator,
    IntegerParameter,
    Parameter,
    PriceSource,
    RealParameter,
)
from services.data.indicators.selection import Asked, Selection
from services.runtime.columns import Pieces, message_field, packed_doubles, packed_sint64
from services.runtime.wire import field_bytes, uint_field

_PAGE = {
    field.name: field.number for field in indicator_service_pb2.ComputeIndicatorsResponse.DESCRIPTOR.fields
}
_COLUMNS = {field.name: field.number for field in indicator_pb2.IndicatorColumns.DESCRIPTOR.fields}
_COLUMN = {field.name: field.number for field in indicator_pb2.IndicatorColumn.DESCRIPTOR.fields}


def indicator_message(indicator: Indicator) -> indicator_pb2.Indicator:
    """The entry of the catalogue."""
    return indicator_pb2.Indicator(
        name=indicator.name,
        group=indicator.group,
        description=indicator.description,
        inputs=(
            indicator_pb2.IndicatorInput(
                default_source=f"PRICE_SOURCE_{one.default.name}", selectable=one.selectable
            )
            for one in indicator.inputs
        ),
        parameters=map(_parameter_message, indicator.parameters),
        outputs=indicator.outputs,
        source=indicator.source,
        can_repaint=indicator.can_repaint,
        memory=f"INDICATOR_MEMORY_{indicator.memory.name}",
    )


def _parameter_message(parameter: Parameter) -> indicator_pb2.IndicatorParameter:
    message = indicator_pb2.IndicatorParameter(name=parameter.name, description=parameter.description)
    if isinstance(parameter, IntegerParameter):
        message.integer.default_value = parameter.default
        message.integer.minimum, message.integer.maximum = parameter.minimum, parameter.maximum
    elif isinstance(parameter, RealParameter):
        message.real.default_value = parameter.default
        message.real.minimum, message.real.maximum = parameter.minimum, parameter.maximum
    else:
        message.choice.default_value = parameter.default
        message.choice.names.extend(parameter.names)
    return message


def asked(spec: indicator_pb2.IndicatorSpec) -> Asked:
    """What the spec asks for."""
    return Asked(
        label=spec.label,
        name=spec.name,
        parameters={name: spec.parameters[name] for name in spec.parameters},
        interval=BarInterval(spec.interval) if spec.interval else None,
        sources=[PriceSource(source) if source else None for source in spec.sources],
    )


def indicator_columns(selection: Selection, columns: Sequence[Doubles]) -> Pieces:
    """One answer as a field of ComputeIndicatorsResponse; the columns must not change until it is joined."""
    fields: Pieces = [
        field_bytes(_COLUMNS["label"], selection.label.encode()),
        field_bytes(_COLUMNS["name"], selection.indicator.name.encode()),
    ]
    for name, column in zip(selection.indicator.outputs, columns, strict=True):
        output: Pieces = [field_bytes(_COLUMN["name"], name.encode())]
        output += packed_doubles(_COLUMN["values"], column)
        fields += message_field(_COLUMNS["outputs"], output)
    if selection.indicator.lookahead(selection.settings):
        fields.append(uint_field(_COLUMNS["repaints"], 1))
    return message_field(_PAGE["indicators"], fields)


def indicators_response(instrument_id: str, open_time_ns: Ints, indicators: Pieces) -> bytes:
    """A ComputeIndicatorsResponse without token, serialised from the columns' own memory.

    It is a StreamIndicatorsResponse as well: their fields have the same numbers.
    """
    page: Pieces = [field_bytes(_PAGE["instrument_id"], instrument_id.encode())]
    page += packed_sint64(_PAGE["open_time_ns"], open_time_ns)
    page += indicators
    return b"".join(page)


def with_token(response: bytes | memoryview, next_page_token: str) -> bytes:
    """A ComputeIndicatorsResponse with its token, unless that is empty."""
    if not next_page_token:
        return bytes(response)
    return b"".join((response, field_bytes(_PAGE["next_page_token"], next_page_token.encode())))
