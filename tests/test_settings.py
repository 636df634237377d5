"""Settings: every variable of the guide, from the environment and `.env`; clear refusals."""

from pathlib import Path

import pytest
from pyrage import x25519

from pgconsole.errors import ConfigurationError, ExitCode
from pgconsole.settings import describe, load_settings

GUIDE_DEFAULTS = {
    "BACKUP_SCHEDULE": "0 2 * * *",
    "PGHOST": "postgres",
    "PGPORT": "5432",
    "PGUSER": "thinktank",
    "PGPASSWORD": "",
    "PGDATABASE": "thinktank",
    "S3_BACKUP_BUCKET": "",
    "S3_BACKUP_PREFIX": "backups/",
    "S3_ENDPOINT_URL": "",
    "AWS_ACCESS_KEY_ID": "",
    "AWS_SECRET_ACCESS_KEY": "",
    "AWS_DEFAULT_REGION": "us-east-1",
    "RETENTION_DAILY": "7",
    "RETENTION_WEEKLY": "4",
    "RETENTION_MONTHLY": "3",
    "BACKUP_DIR": "/backups",
    "BACKUP_TIMEZONE": "UTC",
}


def test_defaults_are_the_guides():
    environment = load_settings().environment()
    assert {name: environment[name] for name in GUIDE_DEFAULTS} == GUIDE_DEFAULTS


@pytest.mark.parametrize("variable", GUIDE_DEFAULTS)
def test_each_variable_is_read_from_environment_and_from_dotenv(
    variable: str, monkeypatch: pytest.MonkeyPatch
):
    values = {
        "BACKUP_SCHEDULE": "*/5 1 * * 1-5", "PGPORT": "6543", "S3_BACKUP_PREFIX": "pre/",
        "S3_ENDPOINT_URL": "http://minio:9000", "RETENTION_DAILY": "9", "RETENTION_WEEKLY": "9",
        "RETENTION_MONTHLY": "9", "BACKUP_DIR": "/elsewhere", "BACKUP_TIMEZONE": "Asia/Tokyo",
    }  # fmt: skip
    value = values.get(variable, "some-value")
    Path(".env").write_text(f"{variable}={value}\n")
    assert load_settings().environment()[variable] == value
    Path(".env").write_text(f"{variable}=\n")
    monkeypatch.setenv(variable, value)
    assert load_settings().environment()[variable] == value


def test_environment_beats_dotenv(monkeypatch: pytest.MonkeyPatch):
    Path(".env").write_text("PGHOST=from-file\nUNKNOWN=ignored\n")
    monkeypatch.setenv("PGHOST", "from-environment")
    assert load_settings().pghost == "from-environment"


def test_both_spellings_of_bucket_and_prefix(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("S3_BUCKET", "short")
    monkeypatch.setenv("S3_PREFIX", "p")
    settings = load_settings()
    assert (settings.s3_bucket, settings.s3_prefix) == ("short", "p/")
    monkeypatch.setenv("S3_BACKUP_BUCKET", "long")
    monkeypatch.setenv("S3_BACKUP_PREFIX", "q/")
    settings = load_settings()
    assert (settings.s3_bucket, settings.s3_prefix) == ("long", "q/")


def test_empty_long_spelling_does_not_hide_the_short_one(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("S3_BACKUP_BUCKET", "")
    monkeypatch.setenv("S3_BUCKET", "short")
    assert load_settings().s3_bucket == "short"


def test_the_guides_db_password_works(monkeypatch: pytest.MonkeyPatch):
    Path(".env").write_text("DB_PASSWORD='p@#: \\\\/%é'\n")
    assert load_settings().pgpassword.get_secret_value() == "p@#: \\/%é"


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("PGPORT", "54x", "integer"),
        ("PGPORT", "70000", "65535"),
        ("BACKUP_TIMEZONE", "Mars/Olympus", "time zone"),
        ("BACKUP_TIMEZONE", "../../etc/passwd", "time zone"),
        ("BACKUP_DIR", "relative/path", "absolute"),
        ("RETENTION_DAILY", "-1", "greater than or equal to 0"),
        ("RETENTION_WEEKLY", "many", "integer"),
        ("S3_ENDPOINT_URL", "minio:9000", "https://"),
        ("S3_SSE", "aes", "'AES256'"),
        ("AWS_CA_BUNDLE", "ca.pem", "absolute path"),
        ("AWS_CA_BUNDLE", "/nowhere/ca.pem", "can read"),
        ("BACKUP_SCHEDULE", "0 25 * * *", "field 2 (hour) is '25'"),
        ("BACKUP_SCHEDULE", "@daily", "five fields"),
        ("BACKUP_SCHEDULE", "0 0 2 * * *", "this has 6"),
    ],
)
def test_a_wrong_value_is_named_with_reason_and_example(
    variable: str, value: str, says: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    text = str(caught.value)
    assert variable in text
    assert repr(value) in text
    assert says in text
    assert "a right value" in text
    assert caught.value.exit_code == ExitCode.USAGE


def test_a_kms_key_without_kms_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("S3_SSE_KMS_KEY_ID", "alias/backups")
    with pytest.raises(ConfigurationError, match="S3_SSE is not aws:kms"):
        load_settings()
    monkeypatch.setenv("S3_SSE", "aws:kms")
    assert load_settings().s3_sse_kms_key_id == "alias/backups"


def test_all_wrong_values_in_one_report(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PGPORT", "x")
    monkeypatch.setenv("RETENTION_DAILY", "y")
    with pytest.raises(ConfigurationError, match=r"PGPORT.*RETENTION_DAILY"):
        load_settings()


def test_a_named_env_file_that_is_missing_is_an_error(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PGCONSOLE_ENV_FILE", "/nowhere/pgconsole.env")
    with pytest.raises(ConfigurationError, match="no such file"):
        load_settings()


def test_describe_names_each_source_and_hides_secrets(monkeypatch: pytest.MonkeyPatch):
    Path(".env").write_text("PGUSER=alice\nS3_BUCKET=short\n")
    monkeypatch.setenv("PGPASSWORD", "s3cret-value")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "other-secret")
    rows = {variable: (value, source) for variable, value, source in describe(load_settings())}
    assert rows["PGPASSWORD"] == ("***", "environment")
    assert rows["AWS_SECRET_ACCESS_KEY"] == ("***", "environment")
    assert rows["PGUSER"] == ("alice", str(Path(".env").resolve()))
    assert rows["S3_BUCKET"] == ("short", str(Path(".env").resolve()))
    assert rows["PGHOST"] == ("postgres", "default")


def test_environment_round_trips(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PGPASSWORD", "p@ #:/\\'\"%é")
    monkeypatch.setenv("BACKUP_TIMEZONE", "America/New_York")
    settings = load_settings()
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    assert load_settings() == settings


def test_keys_round_trip_however_they_are_separated(monkeypatch: pytest.MonkeyPatch):
    first, second = (str(x25519.Identity.generate().to_public()) for _ in range(2))
    trusted = "A" * 43 + "="
    for name, value in {
        "BACKUP_AGE_RECIPIENTS": f" {first},\t{second} ",
        "BACKUP_AGE_IDENTITY_FILE": "/run/secrets/identity",
        "BACKUP_TRUSTED_KEYS": trusted,
        "BACKUP_REQUIRE_SIGNATURE": "true",
    }.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert settings.age_recipients == (first, second)
    assert settings.trusted_keys == (trusted,)
    assert settings.signing_key_file is None
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    assert load_settings() == settings
    rows = {variable: value for variable, value, _ in describe(settings)}
    assert rows["BACKUP_AGE_RECIPIENTS"] == f"{first} {second}"
    assert rows["BACKUP_SIGNING_KEY_FILE"] == ""


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("BACKUP_AGE_RECIPIENTS", "age1qqqq", "recipient 1 is no public key"),
        ("BACKUP_AGE_RECIPIENTS", "ssh-ed25519 AAAA", "recipient 1 is no public key"),
        ("BACKUP_TRUSTED_KEYS", "AAAA", "key 1 is no public key"),
        ("BACKUP_TRUSTED_KEYS", "!" * 44, "key 1 is no public key"),
        ("BACKUP_REQUIRE_SIGNATURE", "true", "it needs BACKUP_TRUSTED_KEYS"),
        ("BACKUP_SIGNING_KEY_FILE", "key", "absolute"),
    ],
)
def test_a_wrong_key_is_named(
    variable: str, value: str, says: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=says) as caught:
        load_settings()
    assert variable in str(caught.value)


def test_a_private_key_in_the_wrong_place_is_masked(monkeypatch: pytest.MonkeyPatch):
    secret = str(x25519.Identity.generate())
    for variable in ("BACKUP_AGE_RECIPIENTS", "PGPORT", "BACKUP_TRUSTED_KEYS"):
        monkeypatch.setenv(variable, f"x {secret}")
        with pytest.raises(ConfigurationError) as caught:
            load_settings()
        assert secret[16:] not in str(caught.value)
        monkeypatch.delenv(variable)


def test_an_empty_prefix_arrives_as_empty(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("S3_BACKUP_PREFIX", "/")
    settings = load_settings()
    assert settings.s3_prefix == ""
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    assert load_settings() == settings
