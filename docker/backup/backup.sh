#!/bin/sh
# Take a backup now, as the shell script of this name did.
exec pgconsole backup "$@"
