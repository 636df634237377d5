"""An opened backup for pictures: a real dump in memory, at the other scenes' moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.dumps.helpers import BytesSource, assembled, copy_block, manifest_of, write
from tests.tui.scenes import LAST, NOW, STYLES, Scene, listing, proof, settings
from textual.events import Mount

from pgconsole.app import PgconsoleApp
from pgconsole.backups.evidence import Proof
from pgconsole.backups.looking import Look
from pgconsole.backups.opened import (
    Comparison,
    OpenedBackup,
    TableChange,
    TableFacts,
    tables_of,
)
from pgconsole.dumps.manifest import Manifest
from pgconsole.errors import StorageError
from pgconsole.screens.backup import BackupScreen
from pgconsole.screens.inside import Inside
from pgconsole.storage.base import Place
from pgconsole.widgets.marks import NO_MARKS

BACKUP = replace(listing(Place.LOCAL).backups[0], size=0)
GONE = StorageError(
    "The bucket my-thinktank-backups can't be reached",
    cause="https://minio.example.com: connection refused",
    fix="check S3_ENDPOINT_URL and the network",
)


def titled(kind: str, schema: str, name: str, sql: str) -> bytes:
    return (
        f"\n--\n-- Name: {name}; Type: {kind}; Schema: {schema}; Owner: -\n--\n\n{sql}\n"
    ).encode()


SQL = b"".join(
    [
        titled("SCHEMA", "-", "[red] schema", 'CREATE SCHEMA "[red] schema";'),
        titled(
            "FUNCTION", "public", "touch()",
            "CREATE FUNCTION public.touch() RETURNS trigger\n    LANGUAGE plpgsql\n    AS $$\n"
            "BEGIN\n\t-- a [bold] comment\n  RETURN NEW;\nEND;\n$$;",
        ),
        titled(
            "TABLE", "public", "documents",
            "CREATE TABLE public.documents (\n    id integer,\n    title text DEFAULT ''\n);",
        ),
        titled("VIEW", "public", "recent", "CREATE VIEW public.recent AS SELECT 1;"),
    ]
)  # fmt: skip
AFTER = titled("INDEX", "public", "documents_title", "CREATE INDEX documents_title ON x (y);")
ROWS = [
    b"%d\tdocument %d\t%s\t2026-02-%02d 04:%02d:00\n"
    % (i, i, [b"{}", rb"\N", b""][i % 3], i % 28 + 1, i % 60)
    for i in range(1, 301)
]
ODD = [
    rb"1	[bold red]not markup[/]" + b"\n",
    rb"2	\x1b[31m\b\t\n and \\" + b"\n",
    "3\tעברית العربية\n".encode(),
    "4\t漢字 e\u0301 👩‍👩‍👧 \u202etxt\n".encode(),
    b"5\t\\N\n", b"6\t\n", b"7\tNULL\n",
]  # fmt: skip


@cache
def dump() -> tuple[bytes, Manifest]:
    """The file and its manifest."""
    text, _ = assembled(
        SQL,
        copy_block(b"public.documents", b"".join(ROWS), b" (id, title, meta, changed_at)"),
        copy_block(b'"[red] schema"."odd [/] table"', b"".join(ODD), b' (id, "na[b]me")'),
        copy_block(b"public.empty", b"", b" (id)"),
        copy_block(b"public.users", b"1\tana\n2\tbob\n"),
        AFTER,
    )
    with TemporaryDirectory() as directory:
        path = Path(directory) / "dump"
        written = write(text, path)
        data = path.read_bytes()
    manifest = manifest_of(
        written, database="thinktank", taken_at=LAST, started_at=LAST,
        finished_at=LAST + timedelta(seconds=14), verified_at=LAST, host="backup-1",
        actor="scheduler", server_host="db.example.com", server_version="16.14",
        pg_dump_version="16.14", options=("--no-owner", "--no-acl", "--clean", "--if-exists"),
    )  # fmt: skip
    return data, manifest


def opened() -> OpenedBackup:
    data, manifest = dump()
    backup = replace(BACKUP, size=len(data))
    evidence = (
        proof(backup, at=NOW - timedelta(minutes=5), by="ana", sha256=manifest.sha256),
        proof(backup, Proof.DAMAGED, at=NOW - timedelta(hours=1), by="[red]",
              problem="member 17 at byte 9 has a wrong CRC"),
        proof(backup, size=1, sha256="0" * 64),
    )  # fmt: skip
    return OpenedBackup(backup, manifest, None, tables_of(manifest), evidence)


def without_manifest() -> OpenedBackup:
    problem = StorageError(
        f"{BACKUP.name.filename} has no manifest",
        cause="nothing tells where in the file its tables are", fix="verify the backup",
    )  # fmt: skip
    return OpenedBackup(opened().backup, None, problem, (), ())


def comparison(now: OpenedBackup) -> Comparison:
    documents, odd, empty, users = now.tables

    def before(table: TableFacts, rows: int, raw_bytes: int) -> TableFacts:
        section = table.section.model_copy(update={"rows": rows})
        return replace(table, section=section, raw_bytes=raw_bytes)

    gone = before(users, 12, 99)
    gone = replace(gone, section=gone.section.model_copy(update={"table": "sessions"}))
    changes = (
        TableChange(documents, before(documents, 250, documents.raw_bytes - 5000)),
        TableChange(odd, None), TableChange(empty, empty),
        TableChange(users, before(users, 9000, 812_345)), TableChange(None, gone),
    )  # fmt: skip
    assert now.manifest is not None
    return Comparison(listing(Place.LOCAL).backups[1], now.manifest, 2, changes)


def never(*_: object) -> Any:
    """A place that does not answer."""
    threading.Event().wait()


def fails(*_: object) -> Any:
    raise GONE


def front(so_far: Callable[[Manifest], None]) -> Manifest:
    manifest = dump()[1]
    return manifest.model_copy(
        update={"sections": tuple(s.model_copy(update={"members": ()}) for s in manifest.sections)}
    )


@dataclass
class InsideScene:
    """What the places answer in one picture."""

    open: Callable[[], OpenedBackup] = opened
    compare: Callable[[OpenedBackup], Comparison] = comparison
    look: Callable[[Manifest], Look] = lambda manifest: Look(BytesSource(dump()[0]), manifest)
    front: Callable[[Callable[[Manifest], None]], Manifest] = front

    def app(self) -> Opening:
        inside = Inside(self.open, self.compare, self.look, self.front)
        scene = Scene(jobs=())
        return Opening(scene, inside)


class Opening(PgconsoleApp):
    """The console with nothing but an opened backup."""

    CSS_PATH = STYLES

    def __init__(self, scene: Scene, inside: Inside) -> None:
        base = scene.app()
        super().__init__(settings(), sources=base._sources, now=lambda: NOW)
        self._inside = inside

    def on_mount(self, event: Mount) -> None:  # type: ignore[override]
        event.prevent_default()  # no main screen above it
        backup = replace(BACKUP, size=len(dump()[0]))
        self.push_screen(
            BackupScreen(
                settings(), backup, self._sources, self._now, inside=self._inside, marks=NO_MARKS
            )
        )


SCENES = {
    "full": InsideScene,
    "loading": lambda: InsideScene(open=never),
    "error": lambda: InsideScene(open=fails),
    "no_manifest": lambda: InsideScene(open=without_manifest),
    "nothing_before": lambda: InsideScene(compare=fails),
    "comparing": lambda: InsideScene(compare=never),
    "unreadable": lambda: InsideScene(look=fails),
    "silent": lambda: InsideScene(look=never),
    "unproven": lambda: InsideScene(open=lambda: replace(opened(), evidence=())),
}
