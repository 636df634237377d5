"""No child outlives its starter, however early that one dies."""

from __future__ import annotations

import os
import subprocess
from functools import partial

from pgconsole.process import die_with_parent


def test_a_child_whose_parent_died_before_it_was_tied_to_it_ends():
    gone = os.getpid() + 1  # any number but the parent's own
    child = subprocess.Popen(["sleep", "60"], preexec_fn=partial(die_with_parent, gone))  # noqa: PLW1509
    assert child.wait(timeout=20) == 1


def test_a_child_of_a_living_parent_runs():
    tie = partial(die_with_parent, os.getpid())
    assert subprocess.run(["true"], preexec_fn=tie, check=False).returncode == 0
