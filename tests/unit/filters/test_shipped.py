"""The filters that come with wsgid."""

import logging
import os
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from wsgid.core import Message, Plugin
from wsgid.filters import SHIPPED, import_shipped, shipped_filter
from wsgid.filters.elapsed_time import Start, Stop, _began
from wsgid.filters.log_headers import LogHeaders, masked
from wsgid.filters.worker_pid import WorkerPid
from wsgid.interfaces.filters import IPostRequestFilter, IPreRequestFilter
from wsgid.plugins import isolated
from wsgid.testing import run_filters


def failing(environ: dict[str, Any], start_response: Any) -> Any:
    raise ValueError


def test_their_names_are_checked() -> None:
    assert shipped_filter("worker-pid", Path()) == "worker-pid"
    with pytest.raises(ValueError, match="there is no filter 'worker', did you mean worker-pid"):
        shipped_filter("worker", Path())


def test_each_name_is_a_module_with_plug_ins() -> None:
    import_shipped(tuple(SHIPPED))
    known = [*IPreRequestFilter.implementors(), *IPostRequestFilter.implementors()]
    for module in SHIPPED.values():
        assert any(type(each).__module__ == import_module(module).__name__ for each in known)


def test_no_body_is_held_back_for_them() -> None:
    import_shipped(tuple(SHIPPED))
    ours = [each for each in IPostRequestFilter.implementors() if type(each).__module__.startswith("wsgid.filters.")]
    assert [each.needs_body for each in ours] == [False, False]


class TestWorkerPid:
    def test_is_in_the_answer(self) -> None:
        assert run_filters(WorkerPid()).header("X-Worker") == str(os.getpid())

    def test_an_application_that_fails_gets_none(self) -> None:
        assert run_filters(WorkerPid(), application=failing).header("X-Worker") is None


class TestElapsedTime:
    def test_is_in_the_answer_and_in_the_log(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO)
        elapsed = str(run_filters(Start(), Stop()).header("X-Elapsed-Time"))
        assert re.fullmatch(r"\d+\.\d{6}", elapsed)
        assert caplog.messages == [f"request test: the application took {elapsed} s: 200 OK"]

    def test_of_a_failure_is_in_the_log(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO, "wsgid")
        run_filters(Start(), Stop(), application=failing)
        assert re.search(r"request test: the application took \d+\.\d{6} s: ValueError", caplog.text)

    def test_a_request_that_never_reached_the_application_is_none_of_its_business(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        with isolated():

            class Leaves(Plugin, IPreRequestFilter):
                def process(self, m2message: Message, environ: dict[str, Any]) -> None:
                    raise SystemExit

        caplog.set_level(logging.INFO, "wsgid.filters")
        assert run_filters(Leaves(), Start(), Stop()).status == "500 Internal Server Error"
        assert "the application took" not in caplog.text

    def test_nothing_is_kept(self) -> None:
        run_filters(Start(), Stop())
        run_filters(Start())
        assert not _began

    def test_is_the_applications_alone(self) -> None:
        others = [0, 10, -10]
        assert all(Start.order > each > Stop.order for each in others)


class TestLogHeaders:
    def test_writes_them_without_what_is_secret(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO, "wsgid")
        headers = {"Accept": "text/html", "Authorization": "Basic c2VjcmV0", "Cookie": "session=1"}
        run_filters(LogHeaders(), path="/a", query="key=value", headers=headers)
        assert caplog.messages == [
            "request test: GET /a with host: 'localhost', accept: 'text/html', authorization: '***', cookie: '***'"
        ]

    @pytest.mark.parametrize(
        "name",
        [
            "authorization",
            "proxy-authorization",
            "cookie",
            "x-api-key",
            "x-auth-token",
            "x-csrftoken",
            "x-amz-signature",
        ],
    )
    def test_secrets(self, name: str) -> None:
        assert masked(name, "hidden") == "***"

    def test_what_looks_like_a_query_is_masked(self) -> None:
        assert masked("referer", "http://localhost/a?token=hidden") == "http://localhost/a?***"
        assert masked("user-agent", "Mozilla/5.0") == "Mozilla/5.0"
