"""What is in BACKUP_DIR already: kept as it is, and never a way out of it."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from tests.backups.shelf import name_of
from tests.cli.program import PROGRAM, environment, run
from tests.conftest import MakeSettings
from tests.guide import guide_backup
from tests.wal.conftest import NAME, Segments

from pgconsole.demo.servers import PostgresServer
from pgconsole.errors import StorageError
from pgconsole.settings import Settings
from pgconsole.storage.links import refuse_strange_links

STRANGER = 4711
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture
def settings(
    postgres16: PostgresServer, database: str, make_settings: MakeSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> Settings:  # fmt: skip
    monkeypatch.setenv("PATH", postgres16.environment["PATH"])
    return make_settings(postgres16, database)


def modes(directory: Path) -> dict[str, tuple[int, int]]:
    """Mode and owner of everything in a directory."""
    found = {str(path.relative_to(directory)): path.lstat() for path in directory.rglob("*")}
    return {
        name: (stat.S_IMODE(one.st_mode), one.st_uid)
        for name, one in {".": directory.lstat(), **found}.items()
    }


class TestOfTheOldScripts:
    """They wrote 0644 into 0755, as root; whoever else reads that goes on to."""

    def test_stay_as_they_are_and_are_used(self, settings: Settings, postgres16: PostgresServer):
        root, database = settings.backup_dir, settings.pgdatabase
        for age in range(3):
            guide_backup(postgres16, database, root, name_of(age).taken_at).chmod(0o644)
        for directory in (root, root / "daily"):
            directory.chmod(0o755)
        before = modes(root)
        doctor = run(settings, "doctor").stdout
        assert f"{root} has mode 0755: everybody on this host can look into it" in doctor
        assert f"chmod 700 {root}" in doctor
        for command in (["backup"], ["verify", "--all"], ["restore", "--latest", "--yes"]):
            done = run(settings, *command)
            assert done.returncode == 0, done.stderr
        old = root / "daily" / name_of(2, database=database).filename
        assert run(settings, "restore", str(old), "--yes").returncode == 0
        after = modes(root)
        assert {name: after[name] for name in before} == before
        new = {name: mode for name, (mode, _) in after.items() if name not in before}
        assert set(new.values()) == {0o700, 0o600}
        pruned = run(settings, "prune", "--yes", RETENTION_DAILY="1")
        assert pruned.returncode == 0, pruned.stderr
        assert not old.exists()

    @as_root
    def test_of_another_owner(self, settings: Settings, postgres16: PostgresServer):
        """The old container's root left them; the mode lets us read, and that is enough."""
        database = settings.pgdatabase
        path = guide_backup(postgres16, database, settings.backup_dir, name_of(0).taken_at)
        path.chmod(0o644)
        os.chown(path, STRANGER, STRANGER)
        done = _without_privileges(settings, "verify", "--all")
        assert done.returncode == 0, done.stderr
        assert (path.stat().st_uid, stat.S_IMODE(path.stat().st_mode)) == (STRANGER, 0o644)


@as_root
class TestLinksToDirectories:
    @pytest.fixture
    def elsewhere(self, tmp_path: Path) -> Path:
        (tmp_path / "elsewhere").mkdir()
        return tmp_path / "elsewhere"

    @pytest.mark.parametrize("name", ["daily", "safety", "wal", ".pgconsole", ".pgconsole/locks"])
    def test_a_strangers_is_refused_by_whatever_writes(
        self, settings: Settings, elsewhere: Path, name: str
    ):
        link = settings.backup_dir / name
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(elsewhere)
        os.lchown(link, STRANGER, STRANGER)
        done = run(settings, "backup")
        assert done.returncode == 1
        assert f"{link} is a symbolic link of user id {STRANGER}" in done.stderr
        assert "make the link again as user id 0" in done.stderr
        assert list(elsewhere.iterdir()) == []
        assert f"is a symbolic link of user id {STRANGER}" in run(settings, "doctor").stdout

    def test_wal_push_follows_none_either(
        self, settings: Settings, elsewhere: Path, tmp_path: Path
    ):
        (settings.backup_dir / "wal").symlink_to(elsewhere)
        os.lchown(settings.backup_dir / "wal", STRANGER, STRANGER)
        done = run(settings, "wal-push", str(Segments(tmp_path / "data").write()))
        assert done.returncode == 1
        assert "is a symbolic link of user id" in done.stderr
        assert list(elsewhere.iterdir()) == []

    def test_ours_and_the_directory_owners_are_followed(self, settings: Settings, elsewhere: Path):
        root = settings.backup_dir
        (root / "weekly").symlink_to(elsewhere)
        refuse_strange_links(root)
        os.lchown(root / "weekly", STRANGER, STRANGER)
        with pytest.raises(StorageError):
            refuse_strange_links(root)
        os.chown(root, STRANGER, STRANGER)
        refuse_strange_links(root)


PLANTED = {
    "audit.log": ["backup"],
    "evidence.jsonl": ["verify", "--latest"],
    "locks/{database}.lock": ["backup"],
    "pins.json": ["pin", "{backup}"],
    "pins.json.new": ["pin", "{backup}"],
    "pins.lock": ["pin", "{backup}"],
    "schedule/pause.json": ["pause", "--reason", "x"],
    "schedule/pause.json.new": ["pause", "--reason", "x"],
}


@pytest.mark.parametrize("name", PLANTED)
def test_no_file_is_written_through_a_link(
    name: str, settings: Settings, postgres16: PostgresServer, tmp_path: Path
):
    """Whoever could plant one would overwrite what only we can."""
    database = settings.pgdatabase
    backup = guide_backup(postgres16, database, settings.backup_dir, name_of(0).taken_at)
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious\n")
    victim.chmod(0o644)
    mode = victim.lstat().st_mode
    link = settings.state_dir / name.format(database=database)
    link.parent.mkdir(parents=True)
    link.symlink_to(victim)
    done = run(settings, *(word.format(backup=backup.name) for word in PLANTED[name]))
    assert (victim.read_bytes(), victim.lstat().st_mode) == (b"precious\n", mode)
    replaced = not link.is_symlink()  # by a rename, which follows nothing
    assert replaced == (done.returncode == 0 and name != "evidence.jsonl"), done.stderr


@as_root
class TestAServerOfAnotherUser:
    """docs/security.md: BACKUP_DIR 0711 of one user, BACKUP_DIR/wal 0700 of the server's."""

    @pytest.fixture
    def shared(self, settings: Settings) -> Settings:
        if shutil.which("setpriv") is None:
            pytest.skip("needs setpriv")
        root = settings.backup_dir
        root.chmod(0o711)
        for name in ("wal", "daily"):
            (root / name).mkdir(mode=0o700)
        return settings

    def test_it_reaches_its_archive_and_nothing_else(self, shared: Settings, tmp_path: Path):
        root = shared.backup_dir
        for path in (root, root / "daily"):
            os.chown(path, STRANGER, STRANGER)  # of the backups' user; the archive is ours
        segment = Segments(tmp_path / "data").write()
        done = _without_privileges(shared, "wal-push", str(segment))
        assert (done.returncode, done.stderr) == (0, "")
        assert (root / "wal" / NAME).read_bytes() == segment.read_bytes()
        listed = _without_privileges(shared, "list")
        assert listed.returncode == 1
        assert "no permission" in listed.stderr

    def test_the_doctor_of_the_backups_takes_it_for_what_it_is(self, shared: Settings):
        archive = shared.backup_dir / "wal"
        os.chown(archive, STRANGER, STRANGER)
        done = _without_privileges(shared, "doctor")
        assert "ok       backup directory" in done.stdout
        assert f"what is in {archive} only its owner sees, user id {STRANGER}" in done.stdout
        archive.chmod(0o755)
        assert f"{archive} has mode 0755" in _without_privileges(shared, "doctor").stdout


def _without_privileges(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command as root in name only: modes hold for it as for everybody."""
    drop = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
    return subprocess.run(
        [*drop, PROGRAM, *arguments],
        env=environment(settings), stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=100, check=False,
    )  # fmt: skip
