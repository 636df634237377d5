"""What the pictures show: how to get there from the main screen, and when all of it is there."""

from __future__ import annotations

from dataclasses import dataclass

SMALL, MIDDLE, LARGE = (80, 24), (100, 30), (160, 45)
_READY = "local + S3"

Step = tuple[tuple[str, ...], str]
"""Keys, and a text that is on the screen after them."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture.

    Attributes:
        name: Of its files.
        size: Columns and rows.
        steps: From the main screen to it.
    """

    name: str
    size: tuple[int, int]
    steps: tuple[Step, ...]


def _scene(name: str, size: tuple[int, int], *steps: Step) -> Scene:
    return Scene(name, size, steps)


_PLAN = (("z", "1", "j", "r"), "✓ passed"), ((), "at least")
_TABLES = (("z", "1", "enter"), "public.comments")
_ONE = (("slash", *"researchers", "enter"), "1 of")

SCENES = (
    _scene("main-80x24", SMALL, (("z",), _READY)),
    _scene("main-160x45", LARGE, (("z",), _READY)),
    _scene("marked", MIDDLE, (("z", "0", "space", "j", "space", "j"), "2 marked")),
    _scene("backup-dialog", SMALL, (("z", "b"), "Type yes"), (("y", "e"), "ye")),
    _scene("opened", SMALL, _TABLES),
    _scene("opened-160x45", LARGE, _TABLES),
    _scene("changes", MIDDLE, _TABLES, (("2",), "Compared with")),
    _scene("rows", MIDDLE, _TABLES, _ONE, (("enter",), "1,200 rows")),
    _scene(
        "sql",
        MIDDLE,
        _TABLES,
        (("4",), "public"),
        (("slash", *"researchers", "enter"), "6 of"),
        (("enter",), "CREATE TABLE"),
    ),
    _scene("schedule", SMALL, (("z", "3"), "Next runs")),
    _scene("jobs", MIDDLE, (("z", "J"), "SUBJECT")),
    _scene("job", LARGE, (("z", "J"), "SUBJECT"), (("enter",), "PHASE")),
    _scene("logs", LARGE, (("z", "l"), "done")),
    _scene("restore-plan", SMALL, *_PLAN),
    _scene("restore-plan-160x45", LARGE, *_PLAN),
    _scene("doctor", LARGE, (("z", "D"), "ok")),
    _scene("help", MIDDLE, (("z", "question_mark"), "Back up now")),
    _scene("palette", SMALL, (("z", "colon"), "Search"), (tuple("back"), "Back up now")),
    _scene("high-contrast", SMALL, (("z", "ctrl+t", "ctrl+t"), _READY)),
)
