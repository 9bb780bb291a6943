from __future__ import annotations

import pytest
from factories import a_frame, a_problem, a_problem_report, an_exception, at

from daftray.domain import problem as problem_module
from daftray.domain.problem import OTHERS, compare, fingerprint, gravest, over_attempts, within_bound
from daftray.domain.weblink import web_link

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_how_deep_a_recursion_was_makes_no_other_problem() -> None:
    deep = [a_frame(function="walk")] * 50
    some, more = (
        an_exception(frames=[a_frame(function="main"), *deep[:depth], a_frame(function="leaf")])
        for depth in (2, 50)
    )
    assert fingerprint(some) == fingerprint(more)
    assert fingerprint(some) != fingerprint(an_exception(frames=[a_frame(function="main")]))


def test_half_a_surrogate_pair_in_a_name_makes_no_error() -> None:
    assert len(fingerprint(an_exception(type="\ud800"))) == 16


def test_new_seen_and_gone_are_told_apart_over_all_attempts() -> None:
    here = [
        a_problem(fingerprint="a", attempt=1, count=2, message="first", last_seen=at(1)),
        a_problem(fingerprint="a", attempt=2, count=3, message="then", first_seen=at(5), last_seen=at(9)),
        a_problem(fingerprint="b", attempt=2),
    ]
    there = [a_problem(fingerprint="b"), a_problem(fingerprint="c")]
    found = compare(here, "run_0", there)
    assert found.run == "run_0"
    (new,) = found.new
    assert new == a_problem(fingerprint="a", attempt=2, count=5, message="then", last_seen=at(9))
    assert [one.fingerprint for one in found.seen] == ["b"]
    assert [one.fingerprint for one in found.gone] == ["c"]


def test_the_gravest_of_attempts_is_told() -> None:
    problems = [
        a_problem(handled="ignore"),
        a_problem(handled="log", attempt=2),
        a_problem(handled="retry", attempt=3),
    ]
    assert over_attempts(problems)["f" * 16].handled == "log"
    assert gravest(["retry", "raise", "log"]) == "raise"


def test_beyond_the_bound_counts_stay_and_words_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(problem_module, "MOST_PROBLEMS", 1)
    known = a_problem_report(fingerprint="a")
    other = a_problem_report(fingerprint="b", count=7, udf="embed", stacktrace="text")
    kept, folded = within_bound([known, other], [])
    assert kept == known
    assert (folded.fingerprint, folded.count, folded.udf, folded.stacktrace) == (OTHERS, 7, None, None)
    assert folded.exception.type == "daftray.OtherProblems"


@pytest.mark.parametrize(
    ("remote", "link"),
    [
        ("https://github.com/acme/score.git", f"https://github.com/acme/score/blob/{COMMIT}/lib/a%20b.py#L7"),
        ("git@github.com:acme/score.git", f"https://github.com/acme/score/blob/{COMMIT}/lib/a%20b.py#L7"),
        (
            "https://user:token@gitlab.example.com/g/sub/score",
            f"https://gitlab.example.com/g/sub/score/-/blob/{COMMIT}/lib/a%20b.py#L7",
        ),
        (
            "ssh://git@gitlab.example.com:2222/g/score.git",
            f"https://gitlab.example.com/g/score/-/blob/{COMMIT}/lib/a%20b.py#L7",
        ),
        ("https://bitbucket.org/a/b.git", f"https://bitbucket.org/a/b/src/{COMMIT}/lib/a%20b.py#lines-7"),
        ("https://git.example.com/a/b.git", None),
        ("/srv/git/github.com/a", None),
        ("file:///srv/github.com/a", None),
        ("https://github.com", None),
    ],
)
def test_a_line_has_an_address_where_the_hosts_pages_are_known(remote: str, link: str | None) -> None:
    assert web_link(remote, COMMIT, "lib/a b.py", 7) == link
