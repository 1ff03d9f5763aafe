from bifrost.auth.v1 import policy_pb2 as _policy_pb2
from bifrost.type.v1 import order_terms_pb2 as _order_terms_pb2
from bifrost.type.v1 import stream_pb2 as _stream_pb2
from bifrost.venue.v1 import market_pb2 as _market_pb2
from bifrost.venue.v1 import venue_order_pb2 as _venue_order_pb2
from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SubmitOrderRequest(_message.Message):
    __slots__ = ("account_id", "client_order_id", "instrument_id", "terms", "protection_price")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    TERMS_FIELD_NUMBER: _ClassVar[int]
    PROTECTION_PRICE_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    client_order_id: str
    instrument_id: str
    terms: _order_terms_pb2.OrderTerms
    protection_price: str
    def __init__(self, account_id: _Optional[str] = ..., client_order_id: _Optional[str] = ..., instrument_id: _Optional[str] = ..., terms: _Optional[_Union[_order_terms_pb2.OrderTerms, _Mapping]] = ..., protection_price: _Optional[str] = ...) -> None: ...

class SubmitOrderResponse(_message.Message):
    __slots__ = ("order", "duplicate")
    ORDER_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_FIELD_NUMBER: _ClassVar[int]
    order: _venue_order_pb2.VenueOrder
    duplicate: bool
    def __init__(self, order: _Optional[_Union[_venue_order_pb2.VenueOrder, _Mapping]] = ..., duplicate: _Optional[bool] = ...) -> None: ...

class CancelOrderRequest(_message.Message):
    __slots__ = ("account_id", "client_order_id")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    client_order_id: str
    def __init__(self, account_id: _Optional[str] = ..., client_order_id: _Optional[str] = ...) -> None: ...

class CancelOrderResponse(_message.Message):
    __slots__ = ("order",)
    ORDER_FIELD_NUMBER: _ClassVar[int]
    order: _venue_order_pb2.VenueOrder
    def __init__(self, order: _Optional[_Union[_venue_order_pb2.VenueOrder, _Mapping]] = ...) -> None: ...

class ReplaceOrderRequest(_message.Message):
    __slots__ = ("account_id", "client_order_id", "terms", "terms_version", "protection_price")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    TERMS_FIELD_NUMBER: _ClassVar[int]
    TERMS_VERSION_FIELD_NUMBER: _ClassVar[int]
    PROTECTION_PRICE_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    client_order_id: str
    terms: _order_terms_pb2.OrderTerms
    terms_version: int
    protection_price: str
    def __init__(self, account_id: _Optional[str] = ..., client_order_id: _Optional[str] = ..., terms: _Optional[_Union[_order_terms_pb2.OrderTerms, _Mapping]] = ..., terms_version: _Optional[int] = ..., protection_price: _Optional[str] = ...) -> None: ...

class ReplaceOrderResponse(_message.Message):
    __slots__ = ("order",)
    ORDER_FIELD_NUMBER: _ClassVar[int]
    order: _venue_order_pb2.VenueOrder
    def __init__(self, order: _Optional[_Union[_venue_order_pb2.VenueOrder, _Mapping]] = ...) -> None: ...

class ResolveOrderRequest(_message.Message):
    __slots__ = ("account_id", "client_order_id")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    client_order_id: str
    def __init__(self, account_id: _Optional[str] = ..., client_order_id: _Optional[str] = ...) -> None: ...

class ResolveOrderResponse(_message.Message):
    __slots__ = ("not_seen", "order")
    NOT_SEEN_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    not_seen: bool
    order: _venue_order_pb2.VenueOrder
    def __init__(self, not_seen: _Optional[bool] = ..., order: _Optional[_Union[_venue_order_pb2.VenueOrder, _Mapping]] = ...) -> None: ...

class ListVenueOrdersRequest(_message.Message):
    __slots__ = ("account_id", "page_size", "page_token")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    page_size: int
    page_token: str
    def __init__(self, account_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListVenueOrdersResponse(_message.Message):
    __slots__ = ("orders", "next_page_token")
    ORDERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    orders: _containers.RepeatedCompositeFieldContainer[_venue_order_pb2.VenueOrder]
    next_page_token: str
    def __init__(self, orders: _Optional[_Iterable[_Union[_venue_order_pb2.VenueOrder, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListExecutionsRequest(_message.Message):
    __slots__ = ("account_id", "page_size", "page_token")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    page_size: int
    page_token: str
    def __init__(self, account_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListExecutionsResponse(_message.Message):
    __slots__ = ("executions", "next_page_token")
    EXECUTIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    executions: _containers.RepeatedCompositeFieldContainer[_venue_order_pb2.Execution]
    next_page_token: str
    def __init__(self, executions: _Optional[_Iterable[_Union[_venue_order_pb2.Execution, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class StreamExecutionsRequest(_message.Message):
    __slots__ = ("resume_after",)
    RESUME_AFTER_FIELD_NUMBER: _ClassVar[int]
    resume_after: _stream_pb2.StreamPosition
    def __init__(self, resume_after: _Optional[_Union[_stream_pb2.StreamPosition, _Mapping]] = ...) -> None: ...

class StreamExecutionsResponse(_message.Message):
    __slots__ = ("header", "report", "replay_end", "heartbeat")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    REPLAY_END_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    header: _stream_pb2.StreamHeader
    report: _venue_order_pb2.ExecutionReport
    replay_end: _stream_pb2.ReplayEnd
    heartbeat: _stream_pb2.Heartbeat
    def __init__(self, header: _Optional[_Union[_stream_pb2.StreamHeader, _Mapping]] = ..., report: _Optional[_Union[_venue_order_pb2.ExecutionReport, _Mapping]] = ..., replay_end: _Optional[_Union[_stream_pb2.ReplayEnd, _Mapping]] = ..., heartbeat: _Optional[_Union[_stream_pb2.Heartbeat, _Mapping]] = ...) -> None: ...

class StreamMarketRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class StreamMarketResponse(_message.Message):
    __slots__ = ("header", "snapshot", "update", "heartbeat")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    UPDATE_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    header: _stream_pb2.StreamHeader
    snapshot: _market_pb2.MarketUpdate
    update: _market_pb2.MarketUpdate
    heartbeat: _stream_pb2.Heartbeat
    def __init__(self, header: _Optional[_Union[_stream_pb2.StreamHeader, _Mapping]] = ..., snapshot: _Optional[_Union[_market_pb2.MarketUpdate, _Mapping]] = ..., update: _Optional[_Union[_market_pb2.MarketUpdate, _Mapping]] = ..., heartbeat: _Optional[_Union[_stream_pb2.Heartbeat, _Mapping]] = ...) -> None: ...

class GetBookRequest(_message.Message):
    __slots__ = ("instrument_id",)
    INSTRUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    instrument_id: str
    def __init__(self, instrument_id: _Optional[str] = ...) -> None: ...

class GetBookResponse(_message.Message):
    __slots__ = ("book",)
    BOOK_FIELD_NUMBER: _ClassVar[int]
    book: _market_pb2.Book
    def __init__(self, book: _Optional[_Union[_market_pb2.Book, _Mapping]] = ...) -> None: ...
