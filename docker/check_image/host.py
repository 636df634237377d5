"""What the image's build needs of this machine: mounts, the archive, the package index."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from pathlib import Path

_IN_CHROOT = """
set -e
mount -t proc proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
bind() {
    mkdir -p "$(dirname "$2")"
    if [ -d "$1" ]; then mkdir -p "$2"; else touch "$2"; fi
    mount --rbind "$1" "$2"
}
for path in /etc/resolv.conf /etc/hosts; do bind "$path" "$ROOT$path"; done
for path in $PIP_PATHS; do bind "$path" "$ROOT/run/this-machine$path"; done
cd "$ROOT"
exec chroot "$ROOT" setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups \
    env -i -C "$WORKDIR" "$@"
"""
_APT = ("Acquire::http::Proxy", "Acquire::https::Proxy", "Acquire::Check-Valid-Until",
        "Acquire::Check-Date")  # fmt: skip


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)


def require(condition: bool, problem: str) -> None:
    """End the check with this problem unless the condition holds."""
    if not condition:
        raise SystemExit(f"image-check: {problem}")


def output_of(*argv: str) -> str:
    """What a command prints."""
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def overlay(lower: list[Path], directory: Path) -> Path:
    """A directory that begins as the lower ones (the first on top) and takes all changes."""
    paths = {name: directory / name for name in ("upper", "work", "root")}
    for path in paths.values():
        path.mkdir(parents=True)
    layers = ":".join(map(str, lower))
    options = f"lowerdir={layers},upperdir={paths['upper']},workdir={paths['work']}"
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, paths["root"]], check=True)
    return paths["root"]


def run_in(
    root: Path, argv: list[str], environment: dict[str, str], *, user: int = 0, workdir: str = "/"
) -> None:
    """Run a build step in a root of its own, with this machine's network and package index.

    Raises:
        SystemExit: It failed.
    """
    # Mounted, and set, for the step only: nothing of this machine stays in the image.
    pip, paths = _pip()
    variables = {
        "PATH": os.environ["PATH"], "ROOT": str(root), "USER_ID": str(user), "WORKDIR": workdir,
        "PIP_PATHS": " ".join(paths),
    }  # fmt: skip
    inside = [f"{name}={value}" for name, value in (environment | pip).items()]
    done = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "--propagation", "private",
         "sh", "-c", _IN_CHROOT, "sh", *inside, *argv],
        env=variables, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    require(done.returncode == 0, f"{shlex.join(argv)} failed:\n{done.stdout[-3000:]}")


def _pip() -> tuple[dict[str, str], list[str]]:
    """This machine's settings of pip as variables, and the directories of local files."""
    paths = set()

    def moved(word: str) -> str:
        path = word.removeprefix("file://")
        if not (path.startswith("/") and Path(path).exists()):
            return word
        paths.add(str(Path(path).parent))  # an index names files beside it
        return word.replace(path, f"/run/this-machine{path}")

    settings = {}
    for line in output_of("pip", "config", "list").splitlines():
        key, _, value = line.partition("=")
        section, _, name = key.rpartition(".")
        if section in {"global", "install", ":env:"}:
            words = value.strip("'\"").split()
            settings[f"PIP_{name.upper().replace('-', '_')}"] = " ".join(map(moved, words))
    return settings, sorted(paths)


def debian(cache: Path) -> Path:
    """A minimal Debian bookworm, made once by debootstrap from the archive that apt uses here."""
    root = cache / "bookworm"
    if root.exists():
        return root
    sources = _sources()
    mirror = next(site for site, suite in sources if suite == "bookworm")
    say("  debootstrap bookworm (once; it is kept)")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as made:
        output_of("debootstrap", "--variant=minbase", "bookworm", made, mirror)
        apt = Path(made, "etc/apt")
        (apt / "sources.list").write_text(
            "".join(f"deb {site} {suite} main\n" for site, suite in sources)
        )
        (apt / "apt.conf.d/this-machine").write_text(
            "".join(output_of("apt-config", "dump", "--no-empty", name) for name in _APT)
        )
        Path(made).chmod(0o755)
        Path(made).rename(root)
        Path(made).mkdir()
    return root


def _sources() -> list[tuple[str, str]]:
    """Debian's archives in this machine's apt: address and suite."""
    lines = output_of(
        "apt-get", "indextargets", "--format", "$(ORIGIN) $(COMPONENT) $(SITE) $(RELEASE)",
        "Created-By: Packages",
    ).splitlines()  # fmt: skip
    found = [line.split() for line in dict.fromkeys(lines)]
    sources = [(words[2], words[3]) for words in found if words[:2] == ["Debian", "main"]]
    require(
        any(suite == "bookworm" for _, suite in sources),
        "apt has no index of Debian bookworm: apt-get update",
    )
    return sources
