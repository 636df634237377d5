"""The verify operation: proves copies of backups, local and in S3, and keeps the evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import humanize

from pgconsole.backups.catalog import s3_storage
from pgconsole.backups.evidence import Evidence, Proof
from pgconsole.backups.proving import Finding, described, keep_finding, prove
from pgconsole.backups.s3_copy import object_key
from pgconsole.backups.subjects import LocalSubject, S3Subject, Subject, find_in_s3
from pgconsole.dumps.integrity import CheckedDump
from pgconsole.dumps.naming import BackupClass, BackupName, parse_name
from pgconsole.errors import (
    ConfigurationError,
    DamagedError,
    PgconsoleError,
    StorageError,
    VerifyError,
)
from pgconsole.report import Event, Level, Report
from pgconsole.settings import Settings


@dataclass(frozen=True, slots=True)
class VerifyRequest:
    """Copies to be verified.

    Attributes:
        paths: Local files, absolute paths. Of a file that lies outside of the class directories
            (a safety backup, say) no evidence is kept.
        keys: Copies in S3, whole keys in the bucket.
        actor: Who asked.
        job: The id of the job that runs it, or empty.
    """

    paths: tuple[str, ...]
    keys: tuple[str, ...]
    actor: str
    job: str = ""


@dataclass(frozen=True, slots=True)
class VerifiedCopy:
    """What became of one copy that was asked for.

    Attributes:
        location: Path, or `s3://<bucket>/<key>`.
        proof: `complete`, `intact`, `damaged` or `altered`; None: unknown, because it could not be
            read.
        tables: How many tables have a data section; None if it was not looked into.
        rows: Rows in all of them.
        seconds: How long reading took.
    """

    location: str
    proof: Proof | None
    tables: int | None
    rows: int | None
    seconds: float


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """What was found out.

    Attributes:
        evidence: One proof for each copy that could be read, also for the other names of a local
            file: what was recorded.
        copies: One for each copy asked for, in that order, local ones first.
    """

    evidence: tuple[Evidence, ...]
    copies: tuple[VerifiedCopy, ...] = ()


def run_verify(settings: Settings, request: VerifyRequest, report: Report) -> VerifyResult:
    """Verify copies, one after the other: all CRCs, SHA-256, content, every row.

    A local file is read once for all its hard links. A copy that has no manifest gets one. No lock
    is taken: it works while a backup runs. Evidence is written as soon as it is there, so that
    a verify that is cancelled keeps what it has found out.

    Args:
        settings: Where the copies are.
        request: Which, and who asked.
        report: Told how far it is, in compressed bytes of all copies together.

    Raises:
        ConfigurationError: Nothing is asked for, or a key is none of a backup's, or S3 is off, or
            the signing key's file can't be used.
        VerifyError: Copies are damaged or altered, or could not be read; all others were verified.
            `result` is the VerifyResult.
        Cancelled: Raised by `report` or by a signal, and passed on.
    """
    return _Verify(settings, request, report).run()


class _Verify:
    """All copies of one request."""

    def __init__(self, settings: Settings, request: VerifyRequest, report: Report) -> None:
        self._settings = settings
        self._request = request
        self._report = report
        self._paths = tuple(dict.fromkeys(request.paths))
        self._keys = {key: _name_of(settings, key) for key in request.keys}
        self._copies: dict[str, VerifiedCopy] = {}  # by path or key
        self._evidence: list[Evidence] = []
        self._problems: list[PgconsoleError] = []
        self._done = 0  # bytes of the files that are finished
        self._expected = 0

    def run(self) -> VerifyResult:
        if not self._paths and not self._keys:
            raise ConfigurationError("There is nothing to verify", fix="name a backup")
        self._expected = _bytes_of(self._paths)
        subjects: list[tuple[str, Callable[[], Subject]]] = [
            (path, partial(LocalSubject, self._settings, path, self._report))
            for path in self._paths
        ]
        if self._keys:
            subjects += self._objects()
        for location, make in subjects:
            if location in self._copies:  # read under another name
                continue
            try:
                subject = make()
            except StorageError as error:
                self._unread(location, error)
            else:
                self._verify(subject)
        wanted = (*self._paths, *self._keys)
        result = VerifyResult(tuple(self._evidence), tuple(self._copies[one] for one in wanted))
        if self._problems:
            raise VerifyError(self._problems, result)
        return result

    def _objects(self) -> Iterator[tuple[str, Callable[[], Subject]]]:
        """The objects that are there. If the bucket can't be used, it is not asked for each."""
        storage = s3_storage(self._settings)
        try:
            storage.check()
        except StorageError as error:
            for key in self._keys:
                self._unread(key, error)
            return
        for key, name in self._keys.items():
            try:
                found = find_in_s3(storage, name, key)
            except StorageError as error:
                self._unread(key, error)
            else:
                self._expected += found.size
                yield key, partial(S3Subject, self._settings, storage, found, self._report)

    def _verify(self, subject: Subject) -> None:
        size = humanize.naturalsize(subject.size, binary=True)
        self._report(Event("verify", f"checking {self._shown(subject.location)} ({size})"))
        finding = prove(self._settings, subject, self._on_progress)
        self._done += subject.size
        self._on_progress(0)
        self._say(subject.location, finding)
        if finding.checked is not None:
            self._describe(subject, finding.checked, finding.at)
        by, job = self._request.actor, self._request.job
        self._evidence += keep_finding(
            self._settings, subject, finding, by=by, job=job, report=self._report
        )
        for location in (subject.location, *(copy.location for copy in subject.copies)):
            self._copies[location] = self._copy(location, finding)

    def _on_progress(self, done: int) -> None:
        self._report(Event("verify", bytes_done=self._done + done, bytes_expected=self._expected))

    def _say(self, location: str, finding: Finding) -> None:
        """Tell what was found, and remember what is wrong."""
        shown, problem = self._shown(location), finding.problem
        if finding.checked is not None:
            for warning in finding.checked.warnings:
                self._report(Event("verify", warning, Level.WARNING))
            tables = f"{finding.tables:,} tables, {finding.rows:,} rows"
            sha256 = f"SHA-256 {finding.checked.sha256}"
            signed = f", signed by {finding.signed}" if finding.signed else ""
            text = f"complete: {shown}: {tables}, {sha256}{signed}, {finding.seconds:.1f} s"
            self._report(Event("verify", text))
        if problem is None:
            return
        if finding.sha256:
            self._say_unopened(shown, finding, problem)
            return
        bad = finding.proof is not None
        self._problems.append(
            (DamagedError if bad else StorageError)(
                f"{shown} is {finding.proof}" if bad else f"{shown} could not be verified",
                cause=": ".join(filter(None, (problem.problem, problem.cause))),
                fix=problem.fix,
            )
        )
        self._report(Event("verify", str(self._problems[-1]), Level.ERROR))

    def _say_unopened(self, shown: str, finding: Finding, why: PgconsoleError) -> None:
        """The bytes of an encrypted copy are right, and it was not looked into."""
        of = "a copy that was looked into, and was whole"
        if finding.proof is Proof.INTACT:
            of = "what was written; what is in it was not looked at"
        text = f"{finding.proof}: {shown}: its bytes are those of {of}, SHA-256 {finding.sha256}"
        level = Level.WARNING if finding.proof is Proof.INTACT else Level.INFO
        self._report(Event("verify", f"{text}. {why.problem}: {why.cause}", level))

    def _unread(self, location: str, error: StorageError) -> None:
        finding = Finding(None, error, 0.0, datetime.now(UTC))
        self._say(location, finding)
        self._copies[location] = self._copy(location, finding)

    def _describe(self, subject: Subject, checked: CheckedDump, at: datetime) -> None:
        """Write the manifests that are missing. The dump is whole whether that works or not."""
        present = {copy.name.backup_class for copy in subject.copies}
        classes = tuple(one for one in BackupClass if one in present)
        for name in subject.undescribed:
            manifest = subject.manifest or described(name, classes, checked, at)
            try:
                subject.add_manifest(name, manifest)
            except StorageError as error:
                self._report(Event("verify", str(error), Level.WARNING))
            else:
                self._report(Event("verify", f"wrote a manifest for {name.relative_path}"))

    def _copy(self, location: str, finding: Finding) -> VerifiedCopy:
        return VerifiedCopy(
            location=self._shown(location),
            proof=finding.proof,
            tables=finding.tables,
            rows=finding.rows,
            seconds=finding.seconds,
        )

    def _shown(self, location: str) -> str:
        in_s3 = location in self._keys
        return f"s3://{self._settings.s3_bucket}/{location}" if in_s3 else location


def _name_of(settings: Settings, key: str) -> BackupName:
    """The backup that a key is of.

    Raises:
        ConfigurationError: It is none of a backup.
    """
    name = parse_name(key.rpartition("/")[2])
    if name is None or object_key(settings, name) != key:
        raise ConfigurationError(
            f"{key!r} is no key of a backup",
            cause=f"backups in S3 are {settings.s3_prefix}<class>/<database>_<class>_<YYYYMMDD>_"
            "<HHMMSS>.sql.gz[.age]",
            fix="give a key of the bucket; `pgconsole list --s3 --json` shows them",
        )
    return name


def _bytes_of(paths: Iterable[str]) -> int:
    """The bytes to read: hard links count once, what is missing not at all."""
    sizes = {}
    for path in paths:
        with suppress(OSError):
            status = Path(path).lstat()
            sizes[status.st_dev, status.st_ino] = status.st_size
    return sum(sizes.values())
