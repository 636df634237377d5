"""The WAL archive, base backups and point-in-time recovery."""
