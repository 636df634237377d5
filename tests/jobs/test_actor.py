"""Who is named as the actor."""

from __future__ import annotations

import os
import pwd

import pytest

from pgconsole.jobs import current_actor

ME = pwd.getpwuid(os.geteuid()).pw_name


@pytest.mark.parametrize(
    ("sudo_user", "connection", "expected"),
    [
        ("", "", ME),
        ("", "10.0.0.5 50000 10.0.0.1 22", f"{ME} from 10.0.0.5"),
        ("alice", "10.0.0.5 50000 10.0.0.1 22", f"alice (sudo to {ME}) from 10.0.0.5"),
        (ME, "", ME),
        ("alice", "fe80::1%eth0 1 ::1 22", f"alice (sudo to {ME}) from fe80::1%eth0"),
    ],
)
def test_the_actor(monkeypatch, sudo_user, connection, expected):
    monkeypatch.setenv("SUDO_USER", sudo_user)
    monkeypatch.setenv("SSH_CONNECTION", connection)
    monkeypatch.setenv("USER", "somebody else")  # anybody can set that
    assert current_actor() == expected
