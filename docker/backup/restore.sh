#!/bin/sh
# Restore or list backups, with the arguments of the shell script of this name.
exec pgconsole restore "$@"
