"""One dead endpoint greys one pane, and never keeps the console from quitting."""

from __future__ import annotations

import socket
import time

from tests.conftest import MakeSettings
from tests.tui.driving import shown, until_shown
from tests.tui.test_console import old_files

from pgconsole.app import PgconsoleApp
from pgconsole.demo.servers import S3Server, free_port


def s3_variables(port: int, bucket: str = "bucket") -> dict[str, str]:
    return {
        "S3_BACKUP_BUCKET": bucket,
        "S3_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "hidden-secret",
    }


async def test_not_set_up_says_which_variable(make_settings: MakeSettings) -> None:
    app = PgconsoleApp(make_settings())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2")
        await until_shown(pilot, "set S3_BACKUP_BUCKET")
        assert "2 S3 · off" in shown(app.screen)


async def test_endpoint_down_greys_its_pane_only(make_settings: MakeSettings) -> None:
    settings = make_settings(**s3_variables(free_port()))
    old_files(settings.backup_dir, 2)
    app = PgconsoleApp(settings)
    async with app.run_test(size=(160, 45)) as pilot:
        await until_shown(pilot, "local ?", timeout=60)  # where else it is can't be said now
        await pilot.press("1")
        await until_shown(pilot, "2 S3 backups · ✗", timeout=60)
        await until_shown(pilot, "1 Local backups · 2")
        await until_shown(pilot, "Cause:")
        await until_shown(pilot, "Next:")
        assert "hidden-secret" not in shown(app.screen)
        await pilot.press("j")
        assert app.screen.query_one("#local-table").cursor == 1  # type: ignore[attr-defined]


async def test_missing_bucket_and_wrong_key_say_so(
    make_settings: MakeSettings, s3: S3Server
) -> None:
    missing = make_settings(**s3.environment("no-such-bucket"))
    app = PgconsoleApp(missing)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2")
        await until_shown(pilot, "no-such-bucket", timeout=60)
        await until_shown(pilot, "[2 S3 · ✗]", timeout=60)
    wrong = make_settings(
        **s3.environment("no-such-bucket") | {"AWS_SECRET_ACCESS_KEY": "not-the-key"}
    )
    app = PgconsoleApp(wrong)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2")
        await until_shown(pilot, "[2 S3 · ✗]", timeout=60)
        assert "not-the-key" not in shown(app.screen)


async def test_recovers_and_says_how_old_what_it_shows_is(
    make_settings: MakeSettings, s3: S3Server, s3_bucket: str
) -> None:
    settings = make_settings(**s3.environment(s3_bucket))
    directory = s3.buckets / s3_bucket / "backups" / "daily"
    directory.mkdir(parents=True)
    (directory / "postgres_daily_20260101_000000.sql.gz").write_bytes(b"x" * 30)
    app = PgconsoleApp(settings)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2")
        await until_shown(pilot, "· listed", timeout=60)
        s3.stop()
        try:
            await pilot.press("ctrl+r")
            await until_shown(pilot, "Below is what was there", timeout=60)
            assert "· listed" in shown(app.screen)
        finally:
            s3.start()
        await pilot.press("ctrl+r")
        await until_shown(pilot, "[2 S3 · 1]", timeout=60)


async def test_an_endpoint_that_never_answers_does_not_hold_up_quitting(
    make_settings: MakeSettings,
) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(8)  # accepts connections, says nothing
        app = PgconsoleApp(make_settings(**s3_variables(silent.getsockname()[1])))
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press("2")
            await until_shown(pilot, "no answer for")
            await pilot.press("1", "3", "4", "2")  # everything else goes on
            began = time.monotonic()
            await pilot.press("q")
        assert time.monotonic() - began < 1
