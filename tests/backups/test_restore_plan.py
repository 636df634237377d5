"""What is said before a restore."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from tests.conftest import MakeSettings
from tests.guide import guide_backup

from pgconsole.backups.restore_copy import find_copy
from pgconsole.backups.restore_plan import plan_restore
from pgconsole.demo.servers import PostgresServer
from pgconsole.settings import Settings
from pgconsole.storage.base import Place

NOW = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)


def facts(settings: Settings, path: Path) -> dict[str, str]:
    """The plan's lines."""
    copy = find_copy(settings, Place.LOCAL, str(path))
    return dict(plan_restore(settings, settings.pgdatabase, copy).lines(NOW))


def test_rights_of_others_are_said_to_be_lost(
    postgres16: PostgresServer, database: str, make_settings: MakeSettings
) -> None:
    """Dumps are without owners and grants, so what is dropped and made again has none."""
    settings = make_settings(postgres16, database)
    path = guide_backup(postgres16, database, settings.backup_dir, NOW)
    with postgres16.connect(database) as connection:
        connection.execute("GRANT SELECT ON users TO CURRENT_USER")
        assert "Grants" not in facts(settings, path)
        connection.execute("CREATE ROLE reader; CREATE ROLE owner")
        try:
            connection.execute("GRANT SELECT ON users TO reader; ALTER TABLE empty OWNER TO owner")
            assert "to 2 of its tables" in facts(settings, path)["Grants"]
        finally:
            connection.execute("DROP OWNED BY reader, owner; DROP ROLE reader, owner")
