from bifrost.auth.v1 import policy_pb2 as _policy_pb2
from bifrost.data.v1 import backup_pb2 as _backup_pb2
from bifrost.type.v1 import stream_pb2 as _stream_pb2
from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CreateBackupRequest(_message.Message):
    __slots__ = ("request_id", "keep_newest")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    KEEP_NEWEST_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    keep_newest: int
    def __init__(self, request_id: _Optional[str] = ..., keep_newest: _Optional[int] = ...) -> None: ...

class CreateBackupResponse(_message.Message):
    __slots__ = ("job", "duplicate")
    JOB_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_FIELD_NUMBER: _ClassVar[int]
    job: _backup_pb2.BackupJob
    duplicate: bool
    def __init__(self, job: _Optional[_Union[_backup_pb2.BackupJob, _Mapping]] = ..., duplicate: _Optional[bool] = ...) -> None: ...

class ListBackupsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListBackupsResponse(_message.Message):
    __slots__ = ("backups", "next_page_token")
    BACKUPS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    backups: _containers.RepeatedCompositeFieldContainer[_backup_pb2.Backup]
    next_page_token: str
    def __init__(self, backups: _Optional[_Iterable[_Union[_backup_pb2.Backup, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetBackupRequest(_message.Message):
    __slots__ = ("backup_id",)
    BACKUP_ID_FIELD_NUMBER: _ClassVar[int]
    backup_id: str
    def __init__(self, backup_id: _Optional[str] = ...) -> None: ...

class GetBackupResponse(_message.Message):
    __slots__ = ("backup",)
    BACKUP_FIELD_NUMBER: _ClassVar[int]
    backup: _backup_pb2.Backup
    def __init__(self, backup: _Optional[_Union[_backup_pb2.Backup, _Mapping]] = ...) -> None: ...

class VerifyBackupRequest(_message.Message):
    __slots__ = ("request_id", "backup_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    BACKUP_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    backup_id: str
    def __init__(self, request_id: _Optional[str] = ..., backup_id: _Optional[str] = ...) -> None: ...

class VerifyBackupResponse(_message.Message):
    __slots__ = ("job", "duplicate")
    JOB_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_FIELD_NUMBER: _ClassVar[int]
    job: _backup_pb2.BackupJob
    duplicate: bool
    def __init__(self, job: _Optional[_Union[_backup_pb2.BackupJob, _Mapping]] = ..., duplicate: _Optional[bool] = ...) -> None: ...

class RestoreBackupRequest(_message.Message):
    __slots__ = ("request_id", "backup_id", "keep_database")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    BACKUP_ID_FIELD_NUMBER: _ClassVar[int]
    KEEP_DATABASE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    backup_id: str
    keep_database: bool
    def __init__(self, request_id: _Optional[str] = ..., backup_id: _Optional[str] = ..., keep_database: _Optional[bool] = ...) -> None: ...

class RestoreBackupResponse(_message.Message):
    __slots__ = ("job", "duplicate")
    JOB_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_FIELD_NUMBER: _ClassVar[int]
    job: _backup_pb2.BackupJob
    duplicate: bool
    def __init__(self, job: _Optional[_Union[_backup_pb2.BackupJob, _Mapping]] = ..., duplicate: _Optional[bool] = ...) -> None: ...

class GetBackupJobRequest(_message.Message):
    __slots__ = ("backup_job_id",)
    BACKUP_JOB_ID_FIELD_NUMBER: _ClassVar[int]
    backup_job_id: str
    def __init__(self, backup_job_id: _Optional[str] = ...) -> None: ...

class GetBackupJobResponse(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: _backup_pb2.BackupJob
    def __init__(self, job: _Optional[_Union[_backup_pb2.BackupJob, _Mapping]] = ...) -> None: ...

class WatchBackupRequest(_message.Message):
    __slots__ = ("backup_job_id",)
    BACKUP_JOB_ID_FIELD_NUMBER: _ClassVar[int]
    backup_job_id: str
    def __init__(self, backup_job_id: _Optional[str] = ...) -> None: ...

class WatchBackupResponse(_message.Message):
    __slots__ = ("header", "job", "heartbeat")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    JOB_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    header: _stream_pb2.StreamHeader
    job: _backup_pb2.BackupJob
    heartbeat: _stream_pb2.Heartbeat
    def __init__(self, header: _Optional[_Union[_stream_pb2.StreamHeader, _Mapping]] = ..., job: _Optional[_Union[_backup_pb2.BackupJob, _Mapping]] = ..., heartbeat: _Optional[_Union[_stream_pb2.Heartbeat, _Mapping]] = ...) -> None: ...
