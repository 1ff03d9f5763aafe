import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.build.breaking import base_commit, compare, extract_contracts
from deploy.build.contracts import build_image

CONTRACT = 'syntax = "proto3";\npackage shop.v1;\nmessage Item {\n  string name = 1;\n  int64 count = 2;\n}\n'

Git = Callable[..., str]


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """Run git in a repository of its own, with one commit and no contract."""

    def run(*arguments: str) -> str:
        identity = ["-c", "user.name=Test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false"]
        command = ["git", *identity, *arguments]
        return subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout.strip()

    run("init", "--quiet", "--initial-branch=main")
    run("commit", "--quiet", "--allow-empty", "--message=first")
    return run


def commit(git: Git, repository: Path, text: str) -> str:
    contract = repository / "proto" / "shop" / "v1" / "shop.proto"
    contract.parent.mkdir(parents=True, exist_ok=True)
    contract.write_text(text, encoding="utf-8")
    git("add", "proto")
    git("commit", "--quiet", "--message=contract")
    return git("rev-parse", "HEAD")


def test_main_is_compared_with_its_parent(git: Git, tmp_path: Path) -> None:
    assert base_commit(tmp_path) is None
    first = git("rev-parse", "HEAD")
    commit(git, tmp_path, CONTRACT)
    assert base_commit(tmp_path) == first
    assert extract_contracts(tmp_path, first, tmp_path / "base") is None


def test_a_branch_is_compared_with_where_it_left_main(git: Git, tmp_path: Path) -> None:
    fork = commit(git, tmp_path, CONTRACT)
    git("switch", "--quiet", "--create", "change")
    commit(git, tmp_path, CONTRACT + "// one\n")
    commit(git, tmp_path, CONTRACT + "// two\n")
    assert base_commit(tmp_path) == fork


def test_a_folder_without_a_repository_has_no_base(tmp_path: Path) -> None:
    assert base_commit(tmp_path) is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (CONTRACT + "// a comment\n", ""),
        (CONTRACT.replace("count = 2", "amount = 2"), "amount"),
        (CONTRACT.replace("  int64 count = 2;\n", ""), "deleted"),
        (CONTRACT.replace("int64 count", "string count"), "type"),
    ],
)
def test_breaking_changes_are_found(git: Git, tmp_path: Path, text: str, complaint: str) -> None:
    before = commit(git, tmp_path, CONTRACT)
    base = extract_contracts(tmp_path, before, tmp_path / "base")
    assert base is not None
    build_image(base, tmp_path / "base.binpb")
    commit(git, tmp_path, text)
    build_image(tmp_path / "proto", tmp_path / "image.binpb")
    found = compare(tmp_path / "image.binpb", tmp_path / "base.binpb")
    assert complaint in found
    assert bool(found) == bool(complaint)
