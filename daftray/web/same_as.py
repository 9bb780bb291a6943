"""The same as a form asks for: as a command, as code for the SDK, and as a call over HTTP.

Values of secrets are in none of them: each says where its value is to be put.
"""

from __future__ import annotations

import shlex
from urllib.parse import quote

import msgspec

from daftray.web.same_call import Call, Text
from daftray.web.same_code import code_of
from daftray.web.same_command import command_of


class SameAs(msgspec.Struct, frozen=True, kw_only=True):
    """One thing in three ways."""

    command: Text
    code: Text
    http: Text


def same_as(call: Call) -> SameAs:
    """Return what does the same as a form."""
    return SameAs(command=command_of(call), code=code_of(call), http=http_of(call))


def http_of(call: Call) -> Text:
    """Return a command that makes the call over HTTP."""
    body = dict(call.fields)
    if call.secrets:
        body["secrets"] = {name: f"<the value of {name}>" for name in call.secrets}
    parts = ("v1/workspaces", call.workspace, "projects", call.project)
    place = "/".join([parts[0], *(quote(part, safe="") for part in parts[1:])])
    target = quote(call.target, safe="")
    path = {"create": "runs", "rerun": f"runs/{target}/rerun", "start": f"tasks/{target}/runs"}[call.kind]
    lines = [
        f"curl --fail-with-body {shlex.quote(f'{call.server}/{place}/{path}')}",
        '  --header "Authorization: Bearer $DAFTRAY_API_KEY"',
        "  --header 'Content-Type: application/json'",
        f"  --data {shlex.quote(msgspec.json.format(msgspec.json.encode(body)).decode())}",
    ]
    return Text(text=" \\\n".join(lines))
