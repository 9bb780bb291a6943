"""How long until the first line of a user's program, by daftray and by Ray's own job API, side by side.

Both run the same script on the same cluster, in turn. The script prints the time at which it starts, so that
nothing that happens to its log afterwards is counted. daftray's share holds everything between the call and
that line: the answer, the commit, the queue, the package, the submission, the runner. Ray's share holds the
submission alone: its package lies on the cluster already.

    python bench/first_line.py [PAIRS]
"""

from __future__ import annotations

import io
import statistics
import sys
import tempfile
import time
import uuid
import zipfile
from pathlib import Path

import httpx

from daftray.adapters.gitrepo.seed import repository_of
from daftray.client import Client
from daftray.server.child import child_server
from daftray.server.ray_process import HeadRecord

SCRIPT = "import time\nprint('first line at', repr(time.time()), flush=True)\n"
PAIRS = 10
POLL_S = 0.1
END_TIMEOUT_S = 120


def started_at(log: str) -> float:
    return float(log.split("first line at ")[1].split(maxsplit=1)[0])


def by_daftray(client: Client) -> float:
    asked = time.time()
    run = client.runs.wait(client.runs.create("main.py"), timeout_s=END_TIMEOUT_S)
    return started_at(client.runs.logs(run).decode()) - asked


class RawRay:
    """Ray's job API, as `ray job submit` uses it."""

    def __init__(self, url: str, token: str) -> None:
        self._http = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=END_TIMEOUT_S
        )
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w") as archive:
            archive.writestr("main.py", SCRIPT)
        self._package = f"bench-{uuid.uuid4().hex}.zip"
        self._bytes = package.getvalue()

    def upload(self) -> None:
        """Bring the package to the cluster, and pin it there for the next job."""
        path = f"/api/packages/gcs/{self._package}"
        if not self._http.get(path).is_success:
            self._http.put(path, content=self._bytes).raise_for_status()

    def run(self) -> float:
        """Run the script once; return the seconds from the call to its first line."""
        self.upload()
        body = {
            "entrypoint": "python main.py",
            "submission_id": f"bench-{uuid.uuid4().hex}",
            "runtime_env": {"working_dir": f"gcs://{self._package}"},
        }
        asked = time.time()
        self._http.post("/api/jobs/", json=body).raise_for_status()
        path = f"/api/jobs/{body['submission_id']}"
        deadline = asked + END_TIMEOUT_S
        while self._http.get(path).json()["status"] not in {"SUCCEEDED", "FAILED"} and time.time() < deadline:
            time.sleep(POLL_S)
        return started_at(self._http.get(f"{path}/logs").json()["logs"]) - asked


def main(pairs: int) -> None:
    with tempfile.TemporaryDirectory(prefix="daftray-bench-") as folder:
        place = Path(folder)
        (place / "src").mkdir()
        (place / "src" / "main.py").write_text(SCRIPT)
        repository_of(place / "src", place / "repo")
        with child_server(place / "data", options=["--allow-local-remotes"]) as server:
            record = HeadRecord.load(place / "data" / "ray" / "head.json")
            assert record is not None
            token = (place / "data" / "ray" / "token").read_text().strip()
            raw = RawRay(f"http://127.0.0.1:{record.dashboard_port}", token)
            with Client(server.url, server.api_key) as everything:
                everything.projects.create("bench", str(place / "repo"))
                measure(everything.in_project("bench"), raw, pairs)


def measure(client: Client, raw: RawRay, pairs: int) -> None:
    by_daftray(client)  # the first of each warms caches that both have
    raw.run()
    ours: list[float] = []
    theirs: list[float] = []
    for number in range(pairs):
        both = [lambda: ours.append(by_daftray(client)), lambda: theirs.append(raw.run())]
        for one in both if number % 2 else reversed(both):
            one()
        ratio = ours[-1] / theirs[-1]
        print(f"pair {number + 1}: daftray {ours[-1]:.3f} s, Ray {theirs[-1]:.3f} s, ratio {ratio:.3f}")
    ratios = [our / their for our, their in zip(ours, theirs, strict=True)]
    print(f"median: daftray {statistics.median(ours):.3f} s, Ray {statistics.median(theirs):.3f} s")
    print(f"ratio:  median {statistics.median(ratios):.3f}, from {min(ratios):.3f} to {max(ratios):.3f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else PAIRS)
