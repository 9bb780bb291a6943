"""Credentials that come several in one secret are masked one by one."""

from __future__ import annotations

import base64
import json

import pytest

from daftray.logs.masking import Mask
from daftray.logs.secret_parts import MOST_PARTS, parts_of

AWS = {"access_key_id": "AKIA0000000000000001", "secret_access_key": "wJalr/XUtn+FEMI", "region": "us-east-1"}


def test_the_keys_in_a_json_secret_are_masked_and_its_region_is_not() -> None:
    mask = Mask([json.dumps(AWS)])
    text = f"key {AWS['access_key_id']} secret {AWS['secret_access_key']} in {AWS['region']}"
    assert mask.text(text) == f"key {'*' * 20} secret {'*' * 15} in us-east-1"
    encoded = base64.b64encode(AWS["secret_access_key"].encode()).decode()
    assert encoded.rstrip("=") not in mask.text(encoded)


def test_the_password_of_an_address_is_masked_as_written_and_as_meant() -> None:
    mask = Mask(["postgresql://user:p%40ss-word@host:5432/orders"])
    assert mask.text("p%40ss-word and p@ss-word at host") == "*********** and ********* at host"


@pytest.mark.parametrize(
    ("secret", "parts"),
    [
        ("plain text of a token", []),
        ('{"broken": ', []),
        ('{"password": "short", "user": "short"}', ["short"]),
        ('{"a": {"b": ["nested-credential"]}}', ["nested-credential"]),
        ('{"url": "https://u:pass@h", "n": 5, "t": null}', ["pass", "pass", "https://u:pass@h"]),
        ('{"uri": "http://[::1"}', ["http://[::1"]),
        ("https://host/no-password", []),
        ("[" * 10_000, []),
    ],
)
def test_what_the_parts_of_a_secret_are(secret: str, parts: list[str]) -> None:
    assert list(parts_of(secret)) == parts


def test_a_secret_of_very_many_parts_has_an_end() -> None:
    assert len(list(parts_of(json.dumps([f"credential-{n}" for n in range(2000)])))) == MOST_PARTS
