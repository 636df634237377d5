"""Faults that no test of this suite can cause here, each with the reason."""

from __future__ import annotations

from tests.faults.recorder import Group

NOT_TRIED = [
    (
        Group.KILL,
        "power loss",
        "needs a machine to switch off. What stands for it: each fsync that fails (seccomp), "
        "and kills between all steps",
    ),
    (
        Group.DISK,
        "a network file system, and locks that it does not share between hosts",
        "needs a second host and an NFS server",
    ),
    (
        Group.HOSTILE,
        "an S3 store that sends the head of an answer byte by byte, for ever",
        "nothing bounds it: each byte is in time. `status` and the console do not wait for it "
        "(tested with stores that hang); a job has to be cancelled",
    ),
    (
        Group.NETWORK,
        "AWS S3 and other providers",
        "no account. Their errors are injected in front of a real S3 server (rclone), "
        "which signs and lists as they do but knows neither versions nor object lock",
    ),
]
