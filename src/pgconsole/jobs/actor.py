"""Who is at the keyboard."""

from __future__ import annotations

import os
import pwd


def current_actor() -> str:
    """The person behind this process, e.g. `alice (sudo to root) from 10.0.0.5`.

    The user is the one the kernel knows; SUDO_USER and SSH_CONNECTION are what sudo and sshd
    said, when they are set.
    """
    user = _user()
    asked_by = os.environ.get("SUDO_USER", "")
    who = f"{asked_by} (sudo to {user})" if asked_by and asked_by != user else user
    connection = os.environ.get("SSH_CONNECTION", "").split()
    return f"{who} from {connection[0]}" if connection else who


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a container that runs under a number
        return f"uid {os.geteuid()}"
