"""Plans of restores for pictures: what the places answer, at the other scenes' moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from tests.planning.making import FITNESS, HOST, NOW, content, copy, head, proof, table, target
from tests.tui.scenes import STYLES, settings
from textual.app import App
from textual.events import Mount

from pgconsole.app import PgconsoleApp
from pgconsole.backups.evidence import Proof
from pgconsole.backups.restore_copy import FoundCopy
from pgconsole.errors import MissingDatabaseError, PgconsoleError, ServerError, StorageError
from pgconsole.planning.content import Content
from pgconsole.planning.fitness import Fitness
from pgconsole.planning.host import Host
from pgconsole.planning.target import Target
from pgconsole.postgres.relations import Relation
from pgconsole.postgres.rows_now import Newest, Seen
from pgconsole.postgres.sessions import Sessions
from pgconsole.screens.restore import RestoreScreen
from pgconsole.screens.restore_feeds import Looks
from pgconsole.settings import Settings
from pgconsole.storage.base import Place

LOCAL, IN_S3 = copy(), copy(Place.S3)

# Rows in the backup, rows now, and what the newest row is told by.
TABLES: dict[str, tuple[int | None, int | None, str]] = {
    "documents": (1_250_000, 1_250_310, "created_at"),
    "users": (4_812, 4_824, "updated_at"),
    "sessions": (9_000, 120, ""),
    "events_2026_02": (88_301, 88_301, "at"),
    "[red] notes": (3, 3, ""),
    "archive": (700, None, ""),
    "audit": (51_000_000, 51_200_000, ""),
    "invoices": (None, 12, "ts"),
}
HELD = {name: rows for name, (rows, _, _) in TABLES.items() if rows is not None}
THERE = {name: rows for name, (_, rows, _) in TABLES.items() if rows is not None}


def relations() -> tuple[Relation, ...]:
    """The tables of the target, with rough figures."""
    return tuple(
        table(oid, name, round(rows, -2), pages=rows // 50)
        for oid, (name, rows) in enumerate(THERE.items(), start=1)
    )


TARGET = target(
    *relations(), sessions=Sessions((("thinktank-api", 4), ("psql [ana]", 1))), granted=3
)
EMPTY = target()
STRANGERS = target(table(1, "other"), table(2, "another"))


def seen() -> dict[int, Seen]:
    """All counted but the largest, and one that may not be read."""
    found = {}
    for one in TARGET.tables:
        _, rows, column = TABLES[one.name]
        newest = Newest(column, "2026-02-25 03:58:01.5+00", True) if column else None
        found[one.oid] = Seen(rows, "", newest)
        if one.name == "audit":
            found[one.oid] = Seen(None, "counting it takes longer than 20 s")
        if one.name == "sessions":
            found[one.oid] = Seen(None, "no right to read it")
    return found


UNREACHABLE = ServerError(
    "PostgreSQL at db.example.com:5432 is not reachable",
    cause="nothing listens there (connection refused)",
    fix="check that PostgreSQL runs and that PGHOST and PGPORT are right",
)
MISSING = MissingDatabaseError(
    "Database 'thinktank' does not exist on db.example.com:5432",
    cause="no database has this name; names are case-sensitive",
    fix='create it: CREATE DATABASE "thinktank"; or correct the name',
)
S3_GONE = StorageError(
    "The bucket my-thinktank-backups can't be reached",
    cause="https://minio.example.com: connection refused",
    fix="check S3_ENDPOINT_URL and the network",
)
FULL_DISK = PgconsoleError(
    "/backups has too little free space",
    cause="12.0 MiB are free, about 126.0 MiB are needed (an estimate)",
    fix="free some space, or move BACKUP_DIR to a larger disk",
)
HOLDERS = (
    ("constraint invoices_user_fkey on table invoices", "table users"),
    ("rule _RETURN on view [red] recent", "table documents"),
)
DAMAGED = proof(
    Proof.DAMAGED, at=NOW - timedelta(hours=1), by="ana",
    problem="member 17 at byte 73,400,320 has a wrong CRC",
)  # fmt: skip


@dataclass
class RestoreScene:
    """What the places answer in one picture; an error is raised, None never comes.

    Attributes:
        by_target: What other databases are than the first.
        answers: What was said yes to.
        asked: Which targets were asked about.
    """

    settings: Settings = field(default_factory=settings)
    copy: FoundCopy = LOCAL
    content: Content | PgconsoleError | None = field(default_factory=lambda: content(HELD))
    host: Host | PgconsoleError | None = HOST
    target: Target | PgconsoleError | None = TARGET
    fitness: Fitness | PgconsoleError | None = FITNESS
    rows: Mapping[int, Seen] | PgconsoleError | None = field(default_factory=seen)
    rows_so_far: Mapping[int, Seen] | None = None
    asks: bool = True
    database: str = ""
    by_target: dict[str, Target | PgconsoleError | None] = field(default_factory=dict)
    answers: list[tuple[str, str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    now: datetime = NOW

    def looks(self) -> Looks:
        def rows(
            _: Target, so_far: Callable[[Mapping[int, Seen]], None], __: Callable[[], bool]
        ) -> Mapping[int, Seen]:
            if self.rows_so_far is not None:
                so_far(self.rows_so_far)
            found: Mapping[int, Seen] = _answer(self.rows)
            return found

        def of(database: str) -> Target:
            self.asked.append(database)
            found: Target = _answer(self.by_target.get(database, self.target))
            return replace(found, database=database)

        return Looks(
            content=lambda: _answer(self.content),
            host=lambda _: _answer(self.host),
            target=of,
            fitness=lambda _, __: _answer(self.fitness),
            rows=rows,
        )

    def app(self) -> Planning:
        return Planning(self)


def _answer(answer: Any) -> Any:
    if answer is None:
        threading.Event().wait()
    if isinstance(answer, PgconsoleError):
        raise answer
    return answer


class Planning(PgconsoleApp):
    """The console with nothing but a plan."""

    CSS_PATH = STYLES

    def __init__(self, scene: RestoreScene) -> None:
        super().__init__(scene.settings, now=lambda: scene.now)
        self.scene = scene

    def on_mount(self, event: Mount) -> None:  # type: ignore[override]
        event.prevent_default()  # no main screen above it
        scene = self.scene

        def confirmed(database: str, token: str) -> None:
            scene.answers.append((database, token))

        self.push_screen(
            RestoreScreen(
                scene.settings, scene.copy, self._now, looks=scene.looks(),
                confirmed=confirmed if scene.asks else None, target=scene.database,
            )
        )  # fmt: skip


def planned(app: App[Any]) -> RestoreScreen:
    """The plan on the screen."""
    assert isinstance(app.screen, RestoreScreen)
    return app.screen


SCENES: dict[str, Callable[[], RestoreScene]] = {
    "full": RestoreScene,
    "loading": lambda: RestoreScene(content=None, host=None, target=None),
    "counting": lambda: RestoreScene(
        rows=None, rows_so_far={oid: one for oid, one in seen().items() if oid < 5}
    ),
    "unreachable": lambda: RestoreScene(target=UNREACHABLE),
    "no_database": lambda: RestoreScene(target=MISSING),
    "new_database": lambda: RestoreScene(database="thinktank_copy", target=EMPTY, rows={}),
    "nothing_in_common": lambda: RestoreScene(target=STRANGERS, rows={1: Seen(5), 2: Seen(0)}),
    "failed": lambda: RestoreScene(fitness=replace(FITNESS, unsafe=(FULL_DISK,))),
    "held": lambda: RestoreScene(fitness=replace(FITNESS, holders=HOLDERS)),
    "damaged": lambda: RestoreScene(host=replace(HOST, proof=DAMAGED)),
    "protected": lambda: RestoreScene(settings=settings(PGCONSOLE_PROTECTED="true")),
    "from_s3": lambda: RestoreScene(copy=IN_S3, content=content(HELD, copy=IN_S3)),
    "s3_unreachable": lambda: RestoreScene(copy=IN_S3, content=S3_GONE),
    "no_manifest": lambda: RestoreScene(
        content=content(HELD, manifest=None, head=head(*HELD)), host=replace(HOST, proof=None)
    ),
    "plan_only": lambda: RestoreScene(asks=False),
    "read_only": lambda: RestoreScene(settings=settings(PGCONSOLE_READ_ONLY="true")),
}
