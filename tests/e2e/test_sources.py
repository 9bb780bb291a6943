"""What a run may name, and that it executes just that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from e2e_files import WAIT_FOR_FILE
from e2e_platform import PLACES, Platform, program_output, wait_for

from daftray.client import Client
from daftray.domain.run import Run
from daftray.domain.spec import GitSource, Source
from daftray.domain.status import FailureReason, RunPhase, RunStatus

pytestmark = pytest.mark.ray

Ended = Callable[[Run], Run]


def test_branch_tag_and_hashes_name_their_commits(platform: Platform, client: Client, ended: Ended) -> None:
    repo = platform.repo
    first = repo.commit({"src/say.py": "print('says one')\n"})
    repo.tag("say-one", at=first, annotated=True)
    repo.branch("say-two")
    second = repo.commit({"src/say.py": "print('says two')\n"})
    repo.branch("main", at="main")
    named = {
        "branch": (GitSource(ref="say-two"), second, "two"),
        "tag": (GitSource(ref="say-one"), first, "one"),
        "full hash": (GitSource(hash=first), first, "one"),
        "short hash": (GitSource(hash=second[:9]), second, "two"),
        "nothing: the default branch": (GitSource(), first, "one"),
    }
    runs = {
        name: client.runs.create("src/say.py", source=Source(git=git)) for name, (git, _, _) in named.items()
    }
    for name, (_, commit, said) in named.items():
        run = ended(runs[name])
        assert (name, run.status, run.commit) == (name, RunStatus.SUCCEEDED, commit)
        assert f"says {said}" in client.runs.logs(run).decode()


def test_an_unpushed_commit_comes_as_a_bundle_and_a_dirty_tree_as_a_patch(
    platform: Platform, client: Client, ended: Ended, tmp_path: Path
) -> None:
    pushed = platform.repo.commit({"src/local.py": "print('pushed')\n"})
    clone = platform.repo.clone(tmp_path / "clone")
    unpushed = clone.commit({"src/local.py": "print('unpushed')\n"})
    bundle = clone.bundle(f"{pushed}..HEAD")
    clone.write({"src/local.py": "print('dirty')\n", "src/new.txt": "new\n"})
    clone.git("add", "--all")
    by_bundle = client.runs.create("src/local.py", hash=unpushed, bundle=bundle)
    by_patch = client.runs.create("src/local.py", hash=unpushed, bundle=bundle, patch=clone.diff())
    for run, said in ((by_bundle, "unpushed"), (by_patch, "dirty")):
        last = ended(run)
        assert (last.status, last.commit) == (RunStatus.SUCCEEDED, unpushed)
        assert program_output(client.runs.logs(last)).decode() == f"{said}\n"
    again = ended(client.runs.rerun(by_patch))
    assert program_output(client.runs.logs(again)) == b"dirty\n"


def test_a_run_that_waited_executes_what_its_creator_saw(
    platform: Platform, client: Client, ended: Ended, tmp_path: Path
) -> None:
    repo = platform.repo
    repo.branch("moving")
    seen = repo.commit({"src/wait.py": WAIT_FOR_FILE, "src/moving.py": "print('as seen')\n"})
    gate = tmp_path / "gate"
    blockers = [client.runs.create("src/wait.py", args=[str(gate)], hash=seen) for _ in range(PLACES)]
    for blocker in blockers:
        wait_for(client, blocker, lambda run: run.phase is RunPhase.RUNNING)
    waiting = client.runs.create("src/moving.py", ref="moving")
    wait_for(client, waiting, lambda run: run.phase is RunPhase.QUEUED)
    repo.rewrite({"src/moving.py": "print('as rewritten')\n"})
    repo.branch("main", at="main")
    gate.touch()
    run = ended(waiting)
    assert (run.status, run.commit) == (RunStatus.SUCCEEDED, seen)
    assert program_output(client.runs.logs(run)) == b"as seen\n"
    again = ended(client.runs.rerun(run))
    assert (again.commit, again.rerun_of) == (seen, run.id)
    assert program_output(client.runs.logs(again)) == b"as seen\n"


def test_a_ref_that_is_not_there_is_named(client: Client, ended: Ended) -> None:
    run = ended(client.runs.create("main.py", ref="nowhere"))
    assert (run.status, run.reason) == (RunStatus.FAILED, FailureReason.SOURCE_NOT_FOUND)
    assert "nowhere" in (run.reason_detail or "")
