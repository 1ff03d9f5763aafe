from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Money(_message.Message):
    __slots__ = ("currency", "amount")
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    currency: str
    amount: str
    def __init__(self, currency: _Optional[str] = ..., amount: _Optional[str] = ...) -> None: ...

class InstrumentRef(_message.Message):
    __slots__ = ("instrument_id", "listed", "listed_isin", "figi")
    INSTRUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    LISTED_FIELD_NUMBER: _ClassVar[int]
    LISTED_ISIN_FIELD_NUMBER: _ClassVar[int]
    FIGI_FIELD_NUMBER: _ClassVar[int]
    instrument_id: str
    listed: ListedSymbol
    listed_isin: ListedIsin
    figi: str
    def __init__(self, instrument_id: _Optional[str] = ..., listed: _Optional[_Union[ListedSymbol, _Mapping]] = ..., listed_isin: _Optional[_Union[ListedIsin, _Mapping]] = ..., figi: _Optional[str] = ...) -> None: ...

class ListedSymbol(_message.Message):
    __slots__ = ("symbol", "mic", "on_date")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    MIC_FIELD_NUMBER: _ClassVar[int]
    ON_DATE_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    mic: str
    on_date: str
    def __init__(self, symbol: _Optional[str] = ..., mic: _Optional[str] = ..., on_date: _Optional[str] = ...) -> None: ...

class ListedIsin(_message.Message):
    __slots__ = ("isin", "mic")
    ISIN_FIELD_NUMBER: _ClassVar[int]
    MIC_FIELD_NUMBER: _ClassVar[int]
    isin: str
    mic: str
    def __init__(self, isin: _Optional[str] = ..., mic: _Optional[str] = ...) -> None: ...
