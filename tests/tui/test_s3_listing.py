"""A hundred thousand objects in the bucket: shown as they come, in bounded memory, to an end."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import MakeSettings
from tests.tui.driving import shown, until_shown
from tests.tui.listing_server import listing_server
from tests.tui.test_s3_states import s3_variables

from pgconsole.app import PgconsoleApp
from pgconsole.widgets.backup_table import BackupTable

ROOT = Path(__file__).parents[2]

# A console of its own process: its memory is measured. It prints what its tab said on the way.
CONSOLE = """
import asyncio, json, re
from pathlib import Path
from pgconsole.app import PgconsoleApp
from pgconsole.settings import load_settings
from pgconsole.widgets.backup_pane import BackupPane

async def main():
    app = PgconsoleApp(load_settings())
    seen = []
    async with app.run_test(size=(160, 45)) as pilot:
        pane = app.screen.query_one("#s3", BackupPane)
        while not re.search(r"· [\\d,]+$", pane.tab_text):
            if found := re.search(r"([\\d,]+) so far", pane.tab_text):
                seen.append(int(found[1].replace(",", "")))
            await asyncio.sleep(0.02)
        seen = list(dict.fromkeys(seen))
        end = pane.tab_text
        await pilot.press("2", "G")
        last = pane.table.selected.name.filename
    # Not ru_maxrss, which begins with the size of the process that started this one.
    peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())
    print(json.dumps({"seen": seen, "end": end, "last": last, "mib": int(peak[1]) / 1024}))

asyncio.run(main())
"""


@pytest.mark.slow
def test_a_hundred_thousand_objects(tmp_path: Path) -> None:
    with listing_server(100_000) as server:
        done = subprocess.run(
            [sys.executable, "-c", CONSOLE],
            env={"BACKUP_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"}
            | s3_variables(server.server_address[1]),
            cwd=tmp_path, capture_output=True, text=True, timeout=110, check=True,
        )  # fmt: skip
        assert server.pages >= 102  # a hundred of the daily ones, one each of the other classes
    found = json.loads(done.stdout)
    assert found["end"] == "2 S3 · 100,000"
    assert found["last"] == "thinktank_daily_20150101_000000.sql.gz"
    assert found["seen"] == sorted(found["seen"])
    assert len(found["seen"]) >= 5
    # Measured: 223 MiB, and 88 MiB with a thousand: 1.4 KiB an object, in the lists of its place
    # and of both. Keeping the answers of the store as well would cost far more.
    assert found["mib"] < 300


async def test_half_a_list_can_be_used_and_is_never_judged(make_settings: MakeSettings) -> None:
    with listing_server(5_000) as server:
        server.held_at = 3_000
        settings = make_settings(None, "thinktank", **s3_variables(server.server_address[1]))
        app = PgconsoleApp(settings)
        async with app.run_test(size=(80, 24)) as pilot:
            await until_shown(pilot, "no local backup; S3")
            await pilot.press("2")
            table = app.screen.query_one("#s3-table", BackupTable)
            await until_shown(pilot, "so far …")
            await until_shown(pilot, "still reading: this is not all")
            assert "S3 is still being read" in shown(app.screen)
            await pilot.press("j", "j")
            selected = table.selected.path
            server.go_on.set()
            await until_shown(pilot, "[2 S3 · 5,000]")
            await until_shown(pilot, "the newest in S3, of")
            assert table.selected.path == selected
