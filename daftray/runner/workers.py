"""What the driver hands to the run's worker processes, and what they do with it.

Nothing of it is secret: it travels in Ray's runtime environment, for all to read who can use the cluster.
"""

from __future__ import annotations

import json
import os
import sys

from daftray.runner.alias import Alias
from daftray.runner.say import say
from daftray.runner.settings import ALIAS, HAS_SECRETS, IMPORT_FROM, PROCESS, WORKER
from daftray.runner.shapes import json_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from daftray.runner.settings import RunSettings

JOB_CONFIG = "RAY_JOB_CONFIG_JSON_ENV_VAR"
"""Where ``ray.init`` finds the job's runtime environment (ray/_private/runtime_env/constants.py)."""
SECRETS_TIMEOUT_S = 15.0
"""Well below the 60 s that Ray gives a worker to register."""


def mark(
    environ: MutableMapping[str, str], *, has_secrets: bool, import_from: str | None, alias: Alias | None
) -> None:
    """Tell the workers of this job that they are, by what ``ray.init`` will pass on to Ray.

    A job configuration of another shape is left alone: workers then report nothing, and run as ever.
    """
    try:
        config = json.loads(environ[JOB_CONFIG])
        variables = config.setdefault("runtime_env", {}).setdefault("env_vars", {})
        variables[PROCESS] = WORKER
        if has_secrets:
            variables[HAS_SECRETS] = "1"
        if import_from:
            variables[IMPORT_FROM] = import_from
        if alias is not None:
            variables[ALIAS] = str(alias)
        environ[JOB_CONFIG] = json.dumps(config)
    except (KeyError, ValueError, AttributeError, TypeError):
        return


def follow(environ: Mapping[str, str]) -> None:
    """Import from where the driver imports from."""
    folder = environ.get(IMPORT_FROM)
    if folder:
        # At the end: a module of the user's that is called like one of Python's must not break Ray itself.
        sys.path.append(os.path.join(os.getcwd(), folder))
    alias = environ.get(ALIAS)
    if alias:
        Alias.read(alias).install()


def fetch_secrets(environ: MutableMapping[str, str], settings: RunSettings) -> None:
    """Put the run's secrets, where it has any, into this process's environment; its children inherit them."""
    if not environ.get(HAS_SECRETS):
        return
    from daftray.runner.control import ControlPlane, ControlPlaneError

    try:
        secrets = ControlPlane(settings).secrets(give_up_after_s=SECRETS_TIMEOUT_S)
    except ControlPlaneError as error:
        say(f"this worker runs without the run's secrets: {error}")
        return
    environ.update(json_object(secrets) or {})
