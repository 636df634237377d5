"""Operations as detached processes that leave a journal."""

from pgconsole.jobs.actor import current_actor
from pgconsole.jobs.audit import audit
from pgconsole.jobs.cancel_request import cancel
from pgconsole.jobs.journal import JournalEntry
from pgconsole.jobs.launcher import start
from pgconsole.jobs.permission import permit
from pgconsole.jobs.state import JobStatus, Problem
from pgconsole.jobs.store import Job, list_jobs, read_job
from pgconsole.jobs.tail import Tail
from pgconsole.jobs.watch import follow, wait

__all__ = [
    "Job",
    "JobStatus",
    "JournalEntry",
    "Problem",
    "Tail",
    "audit",
    "cancel",
    "current_actor",
    "follow",
    "list_jobs",
    "permit",
    "read_job",
    "start",
    "wait",
]
