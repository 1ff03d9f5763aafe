from bifrost.auth.v1 import policy_pb2 as _policy_pb2
from bifrost.portfolio.v1 import portfolio_pb2 as _portfolio_pb2
from bifrost.type.v1 import stream_pb2 as _stream_pb2
from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CreatePortfolioRequest(_message.Message):
    __slots__ = ("request_id", "name")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class CreatePortfolioResponse(_message.Message):
    __slots__ = ("portfolio", "duplicate")
    PORTFOLIO_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_FIELD_NUMBER: _ClassVar[int]
    portfolio: _portfolio_pb2.Portfolio
    duplicate: bool
    def __init__(self, portfolio: _Optional[_Union[_portfolio_pb2.Portfolio, _Mapping]] = ..., duplicate: _Optional[bool] = ...) -> None: ...

class ListPortfoliosRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListPortfoliosResponse(_message.Message):
    __slots__ = ("portfolios", "next_page_token")
    PORTFOLIOS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    portfolios: _containers.RepeatedCompositeFieldContainer[_portfolio_pb2.Portfolio]
    next_page_token: str
    def __init__(self, portfolios: _Optional[_Iterable[_Union[_portfolio_pb2.Portfolio, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CreateAccountRequest(_message.Message):
    __slots__ = ("request_id", "portfolio_id", "name", "currency", "venue", "type")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PORTFOLIO_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    VENUE_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    portfolio_id: str
    name: str
    currency: str
    venue: str
    type: _portfolio_pb2.AccountType
    def __init__(self, request_id: _Optional[str] = ..., portfolio_id: _Optional[str] = ..., name: _Optional[str] = ..., currency: _Optional[str] = ..., venue: _Optional[str] = ..., type: _Optional[_Union[_portfolio_pb2.AccountType, str]] = ...) -> None: ...

class CreateAccountResponse(_message.Message):
    __slots__ = ("account", "duplicate")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_FIELD_NUMBER: _ClassVar[int]
    account: _portfolio_pb2.Account
    duplicate: bool
    def __init__(self, account: _Optional[_Union[_portfolio_pb2.Account, _Mapping]] = ..., duplicate: _Optional[bool] = ...) -> None: ...

class GetAccountRequest(_message.Message):
    __slots__ = ("account_id",)
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    def __init__(self, account_id: _Optional[str] = ...) -> None: ...

class GetAccountResponse(_message.Message):
    __slots__ = ("account",)
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    account: _portfolio_pb2.Account
    def __init__(self, account: _Optional[_Union[_portfolio_pb2.Account, _Mapping]] = ...) -> None: ...

class ListAccountsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListAccountsResponse(_message.Message):
    __slots__ = ("accounts", "next_page_token")
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    accounts: _containers.RepeatedCompositeFieldContainer[_portfolio_pb2.Account]
    next_page_token: str
    def __init__(self, accounts: _Optional[_Iterable[_Union[_portfolio_pb2.Account, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListPositionsRequest(_message.Message):
    __slots__ = ("account_id", "include_flat")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_FLAT_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    include_flat: bool
    def __init__(self, account_id: _Optional[str] = ..., include_flat: _Optional[bool] = ...) -> None: ...

class ListPositionsResponse(_message.Message):
    __slots__ = ("positions", "balance")
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    BALANCE_FIELD_NUMBER: _ClassVar[int]
    positions: _containers.RepeatedCompositeFieldContainer[_portfolio_pb2.Position]
    balance: _portfolio_pb2.Balance
    def __init__(self, positions: _Optional[_Iterable[_Union[_portfolio_pb2.Position, _Mapping]]] = ..., balance: _Optional[_Union[_portfolio_pb2.Balance, _Mapping]] = ...) -> None: ...

class GetPositionRequest(_message.Message):
    __slots__ = ("account_id", "instrument_id")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    instrument_id: str
    def __init__(self, account_id: _Optional[str] = ..., instrument_id: _Optional[str] = ...) -> None: ...

class GetPositionResponse(_message.Message):
    __slots__ = ("position",)
    POSITION_FIELD_NUMBER: _ClassVar[int]
    position: _portfolio_pb2.Position
    def __init__(self, position: _Optional[_Union[_portfolio_pb2.Position, _Mapping]] = ...) -> None: ...

class GetBalanceRequest(_message.Message):
    __slots__ = ("account_id",)
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    def __init__(self, account_id: _Optional[str] = ...) -> None: ...

class GetBalanceResponse(_message.Message):
    __slots__ = ("balance",)
    BALANCE_FIELD_NUMBER: _ClassVar[int]
    balance: _portfolio_pb2.Balance
    def __init__(self, balance: _Optional[_Union[_portfolio_pb2.Balance, _Mapping]] = ...) -> None: ...

class StreamPositionsRequest(_message.Message):
    __slots__ = ("account_id", "resume_after")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    RESUME_AFTER_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    resume_after: _stream_pb2.StreamPosition
    def __init__(self, account_id: _Optional[str] = ..., resume_after: _Optional[_Union[_stream_pb2.StreamPosition, _Mapping]] = ...) -> None: ...

class StreamPositionsResponse(_message.Message):
    __slots__ = ("header", "snapshot", "update", "replay_end", "heartbeat")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    UPDATE_FIELD_NUMBER: _ClassVar[int]
    REPLAY_END_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    header: _stream_pb2.StreamHeader
    snapshot: PositionBatch
    update: PositionBatch
    replay_end: _stream_pb2.ReplayEnd
    heartbeat: _stream_pb2.Heartbeat
    def __init__(self, header: _Optional[_Union[_stream_pb2.StreamHeader, _Mapping]] = ..., snapshot: _Optional[_Union[PositionBatch, _Mapping]] = ..., update: _Optional[_Union[PositionBatch, _Mapping]] = ..., replay_end: _Optional[_Union[_stream_pb2.ReplayEnd, _Mapping]] = ..., heartbeat: _Optional[_Union[_stream_pb2.Heartbeat, _Mapping]] = ...) -> None: ...

class PositionBatch(_message.Message):
    __slots__ = ("positions", "balance")
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    BALANCE_FIELD_NUMBER: _ClassVar[int]
    positions: _containers.RepeatedCompositeFieldContainer[_portfolio_pb2.Position]
    balance: _portfolio_pb2.Balance
    def __init__(self, positions: _Optional[_Iterable[_Union[_portfolio_pb2.Position, _Mapping]]] = ..., balance: _Optional[_Union[_portfolio_pb2.Balance, _Mapping]] = ...) -> None: ...
