"""A password reaches no byte of a job's directory and no command line."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.support import wait_until

from pgconsole import jobs
from pgconsole.jobs import JobStatus, audit
from pgconsole.jobs.texts import MAX_MESSAGE, one_line
from pgconsole.redact import Redactor

NASTY = "p@ss#w:o/r\\d'\"% ünïcödé密"
FORMS = {
    NASTY.encode(),
    json.dumps(NASTY)[1:-1].encode(),
    json.dumps(NASTY, ensure_ascii=False)[1:-1].encode(),
    repr(NASTY)[1:-1].encode(),
    quote(NASTY, safe="").encode(),
    NASTY[6:].encode(),  # nor its greater part
}


def _assert_clean(directory: Path) -> None:
    files = [path for path in directory.rglob("*") if path.is_file()]
    assert files
    for path in files:
        content = path.read_bytes()
        assert not any(form in content for form in FORMS), path
        assert b"\x1b" not in content, path


@pytest.mark.parametrize("how", ["done", "error", "bug"])
def test_a_nasty_password_is_nowhere(make_jobs, how):
    started = make_jobs(PGPASSWORD=NASTY)
    job_id = started.start("leak", until=str(started.go), how=how)
    job = started.when(
        job_id, lambda job: (job.directory / "output.log").read_bytes().count(b"\n") >= 3
    )
    command_lines = [_read(path) for path in Path("/proc").glob("[0-9]*/cmdline")]
    assert any(job_id.encode() in line for line in command_lines)
    assert not any(form in line for form in FORMS for line in command_lines)
    _assert_clean(started.settings.state_dir)

    started.go.touch()
    job = jobs.wait(started.settings, job_id)
    assert job.status is (JobStatus.DONE if how == "done" else JobStatus.FAILED)
    wait_until(lambda: (started.settings.state_dir / "audit.log").read_text().count("\n") == 2)
    _assert_clean(started.settings.state_dir)

    messages = started.messages(job)
    assert messages[0] == "connecting with *** to the server"
    assert messages[1] == "*** next line"
    output = (job.directory / "output.log").read_text()
    assert "on stdout: ***\n" in output
    assert "on stderr: '***'\n" in output
    assert "half a line, then ***\n" in output
    assert "tool: ***\n" in output
    if how == "done":
        assert job.result is None
    elif how == "error":
        assert (job.problem, job.cause, job.fix) == ("no ***", "cause ***", "fix ***")
    else:
        assert job.cause == "RuntimeError: ***"
        assert "RuntimeError: ***" in output


def test_the_audit_log_is_one_clean_line_an_action(make_settings):
    settings = make_settings(PGPASSWORD=NASTY)
    audit(
        settings, "eve\nroot did it", f"delete {NASTY}", "a\x1b[2J\x9b\u202eb", "refused\u2028\x7f"
    )
    audit(settings, "alice", "verify", "ünïcode", "done")
    path = settings.state_dir / "audit.log"
    assert path.stat().st_mode & 0o777 == 0o600
    content = path.read_text()
    assert content.count("\n") == 2
    assert not any(char in content for char in "\x1b\x9b\u202e\u2028\x7f")
    first, second = map(json.loads, content.splitlines())
    assert first["actor"] == "eve\nroot did it"
    assert first["action"] == "delete ***"
    assert first["subject"] == "a\x1b[2J\x9b\u202eb"
    assert "ünïcode" in content
    assert second["result"] == "done"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\r\nb\tc\n", "a b c"),
        ("\x1b[1;31mred\x1b[0m \x1b]0;title\x07x", "red x"),
        ("\x1b]0;unended", ""),
        ("bell\x07 nul\x00 c1\x9b turn\u202e", "bell nul c1 turn"),
        ("äöü 密 \u00a0:", "äöü 密 \u00a0:"),
        ("half \udc80 a byte", "half  a byte"),
    ],
)
def test_text_from_outside_is_one_printable_line(text, expected):
    assert one_line(text, Redactor([])) == expected


def test_a_secret_that_control_characters_split_or_hold(make_settings):
    assert one_line("x se\x00cr\x1b[0met x", Redactor(["secret"])) == "x *** x"
    assert one_line("x a\nb x", Redactor(["a\nb"])) == "x *** x"


def test_an_endless_message_is_cut():
    text = one_line("x" * (MAX_MESSAGE + 1000), Redactor([]))
    assert text.endswith("(1,000 characters more)")
    assert len(text) < MAX_MESSAGE + 50


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
