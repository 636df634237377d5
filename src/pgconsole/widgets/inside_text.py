"""What an opened backup says above its tables, in every state. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pgconsole.backups.opened import Comparison, OpenedBackup
from pgconsole.dumps.manifest import Manifest
from pgconsole.dumps.objects import SqlObject
from pgconsole.errors import AlteredError
from pgconsole.settings import Settings
from pgconsole.storage.base import StoredBackup
from pgconsole.widgets.backup_facts import compared, where
from pgconsole.widgets.known import Known
from pgconsole.widgets.line import Key, Part
from pgconsole.widgets.pane import age_text
from pgconsole.widgets.problem import problem_text
from pgconsole.widgets.words import clean, counted, size

FRONT = " reads the file from its front, to look at its tables now; nothing is kept of that"
AGAIN: tuple[Part, ...] = ("\n", (Key("reload"), "$muted"), (" reads again", "$muted"))


@dataclass(slots=True)
class State:
    """All that is known of an opened backup.

    Attributes:
        opened: The copy, its manifest, what was proven.
        changes: How it differs from the backup before.
        front: What was found by reading the file from its front.
        objects: Its objects.
    """

    opened: Known[OpenedBackup]
    changes: Known[Comparison]
    front: Known[Manifest]
    objects: Known[tuple[SqlObject, ...]]

    @property
    def manifest(self) -> Manifest | None:
        """What is in the copy, as far as it is known."""
        opened = self.opened.value
        if opened is not None and opened.manifest is not None:
            return opened.manifest
        return self.front.value or self.front.so_far

    @property
    def is_whole(self) -> bool:
        """Whether that is all of it."""
        opened = self.opened.value
        return (opened is not None and opened.manifest is not None) or self.front.value is not None

    @property
    def is_cut(self) -> bool:
        """Whether parts of the file can be read by themselves."""
        return self.opened.value is not None and self.opened.value.is_cut


def notice(
    tab: str, state: State, settings: Settings, backup: StoredBackup, now: datetime
) -> list[Part]:
    """What there is to say about a tab; nothing if its table says all."""
    opened = state.opened
    if opened.problem is not None:
        return [*problem_text(opened.problem), *AGAIN]
    if opened.value is None:
        return _reading(f"Reading the manifest of {clean(where(settings, backup))}", opened, now)
    return _OF_TABS[tab](state, settings, backup, now)


def _tables(state: State, _: Settings, backup: StoredBackup, now: datetime) -> list[Part]:
    parts = _no_manifest(state, backup, now)
    if not parts and state.manifest is not None and not state.manifest.tables:
        return [("The dump has no tables with rows", "$muted")]
    return parts


def _changes(state: State, settings: Settings, _: StoredBackup, now: datetime) -> list[Part]:
    known = state.changes
    if known.problem is not None:
        return problem_text(known.problem)
    if known.value is None:
        return _reading("Looking for the backup before", known, now)
    return [(compared(known.value, settings, now), "$muted")]


def _evidence(state: State, _: Settings, __: StoredBackup, ___: datetime) -> list[Part]:
    opened = state.opened.value
    assert opened is not None
    parts: list[Part] = [f"In S3 it is {clean(' and '.join(opened.kept))}\n"] if opened.kept else []
    if opened.evidence_problem:
        text = f"✗ What was proven is unknown: {clean(opened.evidence_problem)}"
        return [*parts, (text, "$text-error")]
    if not opened.evidence:
        text = "Nobody has verified this copy. v reads it whole, and notes what it finds"
        return [*parts, (text, "$muted")]
    return parts


def _objects(state: State, _: Settings, backup: StoredBackup, now: datetime) -> list[Part]:
    if not state.is_whole:
        return _no_manifest(state, backup, now)
    known = state.objects
    if known.problem is not None:
        return [*problem_text(known.problem), *AGAIN]
    if known.value is not None:
        return []
    if known.asked_at is None and not state.is_cut:
        text = f"To find its objects all of the file ({size(backup.size)}) has to be read: "
        return [(text, "$muted"), (Key("front"), "$muted"), (
            " does. Backups of pgconsole are cut, so that it reads little of them", "$muted"
        )]  # fmt: skip
    found = counted(len(known.so_far or ()), "object")
    return _reading(f"Reading the SQL, {found} so far", known, now)


def _no_manifest(state: State, backup: StoredBackup, now: datetime) -> list[Part]:
    opened, front = state.opened.value, state.front
    assert opened is not None
    if opened.problem is None or front.value is not None:
        return []
    if front.problem is not None:
        return problem_text(front.problem)
    if front.asked_at is not None:
        found = counted(len(front.so_far.tables if front.so_far else ()), "table")
        text = f"Reading {size(backup.size)} from the front, {found} so far"
        return _reading(text, front, now)
    problem = opened.problem
    if isinstance(problem, AlteredError):
        return [*problem_text(problem), "\n", FRONT]
    return [
        (f"! {clean(problem.problem)}", "$text-warning bold"),
        f": {clean(problem.cause)}\n",
        Key("verify"),
        " verifies it: that reads it whole, proves what is in it, and writes a manifest\n",
        Key("front"),
        FRONT,
    ]


def _reading(what: str, known: Known[Any], now: datetime) -> list[Part]:
    waiting = age_text(known, now)
    return [("\n".join([f"{what} …", *([waiting] if waiting else [])]), "$muted")]


_OF_TABS: dict[str, Callable[[State, Settings, StoredBackup, datetime], list[Part]]] = {
    "tables": _tables,
    "changes": _changes,
    "evidence": _evidence,
    "objects": _objects,
}
