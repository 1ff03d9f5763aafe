"""What goes wrong with backups."""

from __future__ import annotations


class BackupError(RuntimeError):
    """A backup could not be made, read or restored; nothing half-done is left.

    Args:
        reason: one of data's ErrorReason, without its prefix, e.g. ``BACKUP_DAMAGED``.
        message: for people; names the file or table.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def not_found(message: str) -> BackupError:
    """There is no such archive."""
    return BackupError("BACKUP_NOT_FOUND", message)


def damaged(message: str) -> BackupError:
    """The archive is not what was written."""
    return BackupError("BACKUP_DAMAGED", message)


def too_new(message: str) -> BackupError:
    """The archive was written by a newer version of the platform."""
    return BackupError("BACKUP_TOO_NEW", message)


def disk_full(message: str) -> BackupError:
    """There is not room enough."""
    return BackupError("BACKUP_DISK_FULL", message)
