"""When backups run, and the service that runs them."""

from pgconsole.schedule.runs import in_words, next_runs

__all__ = ["in_words", "next_runs"]
