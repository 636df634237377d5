"""When backups run, and the service that runs them."""

from pgconsole.schedule.runs import in_words, next_runs, slots_between

__all__ = ["in_words", "next_runs", "slots_between"]
