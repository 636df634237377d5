"""What `pgconsole show` prints."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime

from pgconsole.backups.opened import Comparison, OpenedBackup, TableChange, TableFacts
from pgconsole.cli.explain import shown
from pgconsole.dumps.manifest import Manifest
from pgconsole.settings import Settings
from pgconsole.status.words import ago, counted, size, span


def facts(
    settings: Settings, opened: OpenedBackup, comparison: Comparison | None, why: str
) -> Iterator[str]:
    """All that is no table, a line each."""
    now = datetime.now(UTC)
    backup, manifest = opened.backup, opened.manifest
    in_s3 = backup.place == "s3"
    yield f"copy      {f's3://{settings.s3_bucket}/' if in_s3 else ''}{backup.location}"
    yield f"database  {backup.name.database}, {backup.name.backup_class}, {size(backup.size)}"
    taken = backup.name.taken_at
    yield f"taken     {taken:%Y-%m-%d %H:%M:%S} UTC, {ago(taken, now)}"
    if manifest is None:
        yield f"manifest  {opened.problem}"
    else:
        yield from _manifest(manifest)
        if opened.signature:
            yield f"signature {opened.signature}"
    for kept in opened.kept:
        yield f"kept      {kept}"
    for proof in opened.evidence:
        old = "" if proof.is_about(backup) else " (of the copy as it was then)"
        what = f": {proof.problem}" if proof.problem else ""
        yield f"evidence  {proof.proof} {ago(proof.at, now)} by {proof.by}{old}{what}"
    if opened.evidence_problem:
        yield f"evidence  {opened.evidence_problem}"
    elif not opened.evidence:
        yield "evidence  nobody has verified this copy"
    if comparison is not None:
        before = comparison.before.name
        yield f"before    {before.filename}, {size(comparison.before.size)}"
    elif manifest is not None:
        yield f"before    {why}"


def _manifest(manifest: Manifest) -> Iterator[str]:
    if manifest.host:
        took = span(manifest.finished_at - manifest.started_at)
        yield f"made      in {took} on {manifest.host}, by {manifest.actor}"
        yield f"server    {manifest.server_host}, PostgreSQL {manifest.server_version}"
        yield f"pg_dump   {manifest.pg_dump_version} {' '.join(manifest.options)}"
    elif manifest.pg_dump_version:
        yield f"pg_dump   {manifest.pg_dump_version}, server {manifest.server_version}"
    rows = counted(sum(section.rows for section in manifest.sections), "row")
    tables = counted(len(manifest.tables), "table")
    yield f"holds     {tables}, {rows}, {size(manifest.raw_bytes)} of SQL"
    yield f"sha256    {manifest.sha256}"
    if manifest.encryption is not None:
        yield f"age       {manifest.encryption.in_words()}"


def tables(opened: OpenedBackup, comparison: Comparison | None) -> Iterator[str]:
    """A line for each table."""
    changes = comparison.tables if comparison else [TableChange(t, None) for t in opened.tables]
    for change in changes:
        table = change.now
        known = comparison is not None
        fields = (
            shown(change.name),
            table.rows if table else 0,
            f"{change.rows:+}" if known else "-",
            table.raw_bytes if table else 0,
            "-" if table is None or table.compressed_bytes is None else table.compressed_bytes,
            change.change if known else "-",
        )
        yield "\t".join(map(str, fields))


def as_json(opened: OpenedBackup, comparison: Comparison | None, why: str) -> str:
    """The same, and more."""
    backup, manifest = opened.backup, opened.manifest
    content: dict[str, object] = {
        "name": backup.name.filename,
        "place": str(backup.place),
        "location": backup.location,
        "bytes": backup.size,
        "manifest": None
        if manifest is None
        else manifest.model_dump(mode="json", exclude={"sections"}),
        "problem": str(opened.problem) if opened.problem else "",
        "tables": [_table(table) for table in opened.tables],
        "evidence": [
            {**asdict(proof), "at": proof.at.isoformat(), "modified": proof.modified.isoformat(),
             "about_this": proof.is_about(backup)}
            for proof in opened.evidence
        ],
        "evidence_problem": opened.evidence_problem,
        "kept": opened.kept,
        "comparison": None
        if comparison is None
        else {
            "before": comparison.before.name.filename,
            "passed_over": comparison.passed_over,
            "tables": [
                {"name": one.name, "change": str(one.change), "rows": one.rows,
                 "raw_bytes": one.raw_bytes}
                for one in comparison.tables
            ],
        },
        "comparison_problem": why,
    }  # fmt: skip
    return json.dumps(content, indent=2)


def _table(table: TableFacts) -> dict[str, object]:
    section = table.section
    return {
        "schema": section.schema_name,
        "table": section.table,
        "columns": section.columns,
        "rows": section.rows,
        "raw_bytes": section.raw_bytes,
        "compressed_bytes": table.compressed_bytes,
    }
