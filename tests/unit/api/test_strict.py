from __future__ import annotations

import msgspec
import pytest

from daftray.api.strict import refuse_unknown
from daftray.domain.errors import InvalidInputError
from daftray.domain.project import ProjectRequest
from daftray.domain.spec import RunRequest


def refused(body: object, kind: type[msgspec.Struct]) -> list[str]:
    text = msgspec.json.encode(body)
    with pytest.raises(InvalidInputError) as error:
        refuse_unknown(text, msgspec.json.decode(text, type=kind))
    return [issue.path for issue in error.value.issues]


def test_every_unknown_field_is_named_with_its_path() -> None:
    body = {
        "entrypoint": {"file": {"file_path": "a.py", "args": ["x"]}},
        "source": {"git": {"hash": "abc", "brunch": "main"}},
        "gpus": 3,
    }
    assert refused(body, RunRequest) == ["entrypoint.file.args", "source.git.brunch", "gpus"]


def test_free_form_parts_take_any_key() -> None:
    body = msgspec.json.encode(
        {
            "entrypoint": {"function": {"module": "a", "symbol": "b", "kwargs": {"anything": {"deep": 1}}}},
            "labels": {"team": "search"},
            "environment": {"environment_variables": {"NAME": "value"}},
        }
    )
    refuse_unknown(body, msgspec.json.decode(body, type=RunRequest))


def test_both_tags_of_a_source_are_known() -> None:
    assert refused({"name": "p", "source": {"github": {"remote": "r", "token": "t"}}}, ProjectRequest) == [
        "source.github.token"
    ]
