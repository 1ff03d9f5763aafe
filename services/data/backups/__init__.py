"""Jobs of backups."""
