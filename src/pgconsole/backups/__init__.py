"""The operations on backups. Plain functions; they know no process and no screen."""
