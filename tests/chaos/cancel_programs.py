"""The runs of the cancel matrix: each says when there is something to remove, then stays, or ends at once."""

from __future__ import annotations

_STAY = """\
import sys
import time


def stay(how):
    print("there", flush=True)
    if how == "stay":
        time.sleep(300)
"""

_FILE = """\
import sys

from stay import stay

stay(sys.argv[1])
"""

_FUNCTION = """\
from stay import stay


def work(how: str):
    stay(how)
"""

_DAFT = """\
import sys
import time

import daft

how = sys.argv[1]


@daft.func(return_dtype=daft.DataType.int64())
def slowly(value: int) -> int:
    print("there", flush=True)
    if how == "stay":
        time.sleep(300)
    return value


frame = daft.from_pydict({"value": [1, 2, 3]}).select(slowly(daft.col("value")))
print(frame.to_pydict(), flush=True)
"""

_STUBBORN = """\
import signal
import subprocess
import sys

from stay import stay

signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGINT, signal.SIG_IGN)
if sys.argv[1] == "stay":
    # A child in a session of its own, as deaf as its parent: it inherits what is ignored.
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"], start_new_session=True)
stay(sys.argv[1])
"""

_DETACHED = """\
import sys

import ray
from ray.util.placement_group import placement_group

from stay import stay

ray.init()


@ray.remote(num_cpus=0)
class Left:
    def there(self):
        return True


left = [Left.options(name=f"left-{number}", lifetime="detached").remote() for number in range(2)]
ray.get([actor.there.remote() for actor in left])
group = placement_group([{"CPU": 0.1}], name="left", lifetime="detached")
ray.get(group.ready())
stay(sys.argv[1])
"""

FILES = {
    "stay.py": _STAY,
    "file.py": _FILE,
    "function.py": _FUNCTION,
    "on_daft.py": _DAFT,
    "stubborn.py": _STUBBORN,
    "detached.py": _DETACHED,
}


KINDS = {
    "file": "file.py",
    "function": "function.py:work",
    "daft": "on_daft.py",
    "stubborn": "stubborn.py",
    "detached": "detached.py",
}
"""The entrypoint of each kind of run."""
