import datetime

from bifrost.type.v1 import job_pb2 as _job_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BackupJobKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BACKUP_JOB_KIND_UNSPECIFIED: _ClassVar[BackupJobKind]
    BACKUP_JOB_KIND_CREATE: _ClassVar[BackupJobKind]
    BACKUP_JOB_KIND_VERIFY: _ClassVar[BackupJobKind]
    BACKUP_JOB_KIND_RESTORE: _ClassVar[BackupJobKind]
BACKUP_JOB_KIND_UNSPECIFIED: BackupJobKind
BACKUP_JOB_KIND_CREATE: BackupJobKind
BACKUP_JOB_KIND_VERIFY: BackupJobKind
BACKUP_JOB_KIND_RESTORE: BackupJobKind

class Backup(_message.Message):
    __slots__ = ("backup_id", "folder", "snapshot_time", "size_bytes", "row_count", "server_version", "revisions", "tables", "error_message")
    class RevisionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    BACKUP_ID_FIELD_NUMBER: _ClassVar[int]
    FOLDER_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_TIME_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    ROW_COUNT_FIELD_NUMBER: _ClassVar[int]
    SERVER_VERSION_FIELD_NUMBER: _ClassVar[int]
    REVISIONS_FIELD_NUMBER: _ClassVar[int]
    TABLES_FIELD_NUMBER: _ClassVar[int]
    ERROR_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    backup_id: str
    folder: str
    snapshot_time: _timestamp_pb2.Timestamp
    size_bytes: int
    row_count: int
    server_version: str
    revisions: _containers.ScalarMap[str, str]
    tables: _containers.RepeatedCompositeFieldContainer[BackupTable]
    error_message: str
    def __init__(self, backup_id: _Optional[str] = ..., folder: _Optional[str] = ..., snapshot_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., size_bytes: _Optional[int] = ..., row_count: _Optional[int] = ..., server_version: _Optional[str] = ..., revisions: _Optional[_Mapping[str, str]] = ..., tables: _Optional[_Iterable[_Union[BackupTable, _Mapping]]] = ..., error_message: _Optional[str] = ...) -> None: ...

class BackupTable(_message.Message):
    __slots__ = ("schema", "table", "row_count", "checksum")
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    ROW_COUNT_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_FIELD_NUMBER: _ClassVar[int]
    schema: str
    table: str
    row_count: int
    checksum: str
    def __init__(self, schema: _Optional[str] = ..., table: _Optional[str] = ..., row_count: _Optional[int] = ..., checksum: _Optional[str] = ...) -> None: ...

class BackupJob(_message.Message):
    __slots__ = ("backup_job_id", "kind", "backup_id", "status", "database")
    BACKUP_JOB_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    BACKUP_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    DATABASE_FIELD_NUMBER: _ClassVar[int]
    backup_job_id: str
    kind: BackupJobKind
    backup_id: str
    status: _job_pb2.JobStatus
    database: str
    def __init__(self, backup_job_id: _Optional[str] = ..., kind: _Optional[_Union[BackupJobKind, str]] = ..., backup_id: _Optional[str] = ..., status: _Optional[_Union[_job_pb2.JobStatus, _Mapping]] = ..., database: _Optional[str] = ...) -> None: ...
