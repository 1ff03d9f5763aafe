"""Find changes of the contracts that break their users: `python -m deploy.build.breaking IMAGE`.

The contracts are compared with those at the merge-base with main, on main itself with those of the parent.
"""

import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from deploy.build.contracts import ROOT, ProtocError, build_image, proto_files

MAIN_BRANCHES = ("main", "origin/main")
BUF = str(Path(sys.executable).with_name("buf"))


def base_commit(repository: Path) -> str | None:
    """Name the commit to compare with; None without a repository or a parent, as in a shallow clone."""
    head = _commit(repository, "HEAD")
    main = next((commit for name in MAIN_BRANCHES if (commit := _commit(repository, name))), None)
    if head is None or main is None:
        return None
    fork = _git(repository, "merge-base", "HEAD", main)
    return fork if fork != head else _commit(repository, "HEAD^")


def extract_contracts(repository: Path, commit: str, target: Path) -> Path | None:
    """Write the contracts of `commit` below `target` and return their folder; None when it has none."""
    listed = _git(repository, "ls-tree", "-r", "--name-only", commit, "proto")
    if not any(name.endswith(".proto") for name in (listed or "").splitlines()):
        return None
    command = ["git", "archive", "--format=zip", commit, "proto"]
    archive = subprocess.run(command, cwd=repository, capture_output=True, check=True)
    with zipfile.ZipFile(io.BytesIO(archive.stdout)) as files:
        files.extractall(target)
    return target / "proto"


def compare(image: Path, base: Path) -> str:
    """Return buf's list of what breaks between two images, empty when nothing does."""
    command = [BUF, "breaking", str(image), "--against", str(base), "--config", "buf.yaml"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return (result.stdout + result.stderr) if result.returncode else ""


def _commit(repository: Path, name: str) -> str | None:
    return _git(repository, "rev-parse", "--verify", "--quiet", name)


def _git(repository: Path, *arguments: str) -> str | None:
    result = subprocess.run(["git", *arguments], cwd=repository, capture_output=True, text=True, check=False)
    return result.stdout.strip() or None if result.returncode == 0 else None


def main() -> int:
    """Compare the image named on the command line; return the exit status."""
    image = Path(sys.argv[1]).resolve()
    commit = base_commit(ROOT)
    if commit is None:
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        contracts = extract_contracts(ROOT, commit, Path(scratch))
        if contracts is None or not proto_files(contracts):
            return 0
        base = Path(scratch) / "base.binpb"
        try:
            build_image(contracts, base)
        except ProtocError as error:
            # Contracts that do not compile serve nobody, and the change that mends them must be able to land.
            sys.stderr.write(f"not compared: the contracts at {commit[:12]} do not compile\n{error}\n")
            return 0
        breaks = compare(image, base)
    if breaks:
        sys.stderr.write(f"breaks users of the contracts at {commit[:12]}:\n{breaks}")
    return 1 if breaks else 0


if __name__ == "__main__":
    sys.exit(main())
