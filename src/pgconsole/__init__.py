"""See, run, verify and restore PostgreSQL backups from a terminal."""

__version__ = "0.1.0"
