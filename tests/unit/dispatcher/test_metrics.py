import re

import msgspec
import pytest

from tests.unit.channel.counted import NOTHING
from wsgid.channel.commands import Report, WorkerReport, WorkerState
from wsgid.channel.counts import BOUNDS, EdgeCounts, Histogram
from wsgid.channel.orders import Sizes
from wsgid.dispatcher.exposition import text
from wsgid.dispatcher.metrics import METRICS, Facts

WORKERS = [
    WorkerReport(1, WorkerState.READY, 2, 0, 7, []),
    WorkerReport(2, WorkerState.BUSY, 2, 1, 7, []),
    WorkerReport(3, WorkerState.LEAVING, 2, 1, 7, []),
]
SIZES = Sizes(1000, 2000, {1: 10, 2: 30, 3: 20, 4: 5})

SAMPLE = re.compile(r"(?P<name>[a-z0-9_]+)(?:\{(?P<labels>[^}]*)\})? (?P<value>\S+)")


def facts(sizes: Sizes | None = SIZES, **counted: object) -> Facts:
    counts = msgspec.structs.replace(NOTHING, **counted)
    report = Report(4242, [], False, 5, 2, 2, WORKERS, 0, 1.5, counts)
    return Facts(report, sizes, queue_size=1024, daemon_since=1795305289.25, dispatcher_deaths=2)


def samples(told: Facts) -> dict[str, str]:
    """``name{labels}`` to the number, as they stand there."""
    return dict(line.rsplit(" ", 1) for line in text(METRICS, told).splitlines() if not line.startswith("#"))


def test_each_has_a_name_by_the_rules_and_a_help_text() -> None:
    for metric in METRICS:
        assert re.fullmatch("wsgid_[a-z0-9_]+", metric.name)
        assert (metric.kind == "counter") is metric.name.endswith("_total")
        assert metric.help[0].isupper() or metric.help[0].isdigit()
        assert metric.help.endswith(".")
        assert "\n" not in metric.help
    assert len({metric.name for metric in METRICS}) == len(METRICS)


def test_what_goes_on() -> None:
    found = samples(facts())
    assert found["wsgid_start_time_seconds"] == "1795305289.25"
    assert found["wsgid_dispatcher_deaths_total"] == "2"
    assert found["wsgid_draining"] == "0"
    assert found["wsgid_requests_in_progress"] == "5"
    assert found["wsgid_queue_length"] == "2"
    assert found["wsgid_queue_limit"] == "1024"
    assert found["wsgid_queue_oldest_wait_seconds"] == "1.5"


def test_workers_that_load_the_application_are_known_to_the_master_alone() -> None:
    found = samples(facts())
    states = {state: found[f'wsgid_workers{{state="{state}"}}'] for state in WorkerState}
    assert states == {"starting": "1", "ready": "1", "busy": "1", "leaving": "1", "hung": "0"}
    assert samples(facts(None))['wsgid_workers{state="starting"}'] == "0"


def test_idle_are_only_those_that_would_take_a_request() -> None:
    found = samples(facts())
    assert found['wsgid_worker_threads{state="busy"}'] == "2"
    assert found['wsgid_worker_threads{state="idle"}'] == "3"


def test_memory() -> None:
    found = samples(facts())
    assert found['wsgid_resident_memory_bytes{process="master"}'] == "1000"
    assert found['wsgid_resident_memory_bytes{process="dispatcher"}'] == "2000"
    assert found['wsgid_resident_memory_bytes{process="workers"}'] == "65"
    assert found["wsgid_worker_resident_memory_max_bytes"] == "30"


def test_without_the_master_nothing_is_said_of_memory() -> None:
    assert not [name for name in samples(facts(None)) if "memory" in name]


def test_a_histogram_counts_upwards() -> None:
    counts = [0] * (len(BOUNDS) + 1)
    counts[0], counts[2], counts[-1] = 3, 4, 1
    found = samples(facts(wait=Histogram(counts, 250.5)))
    buckets = {name: value for name, value in found.items() if name.startswith("wsgid_request_wait_seconds_bucket")}
    assert [*buckets.values()] == ["3", "3", *["7"] * (len(BOUNDS) - 2), "8"]
    assert [*buckets][:2] == [
        'wsgid_request_wait_seconds_bucket{le="0.0001"}',
        'wsgid_request_wait_seconds_bucket{le="0.00015"}',
    ]
    assert [*buckets][-1] == 'wsgid_request_wait_seconds_bucket{le="+Inf"}'
    assert found["wsgid_request_wait_seconds_sum"] == "250.5"
    assert found["wsgid_request_wait_seconds_count"] == "8"


def test_of_mongrel2_it_is_not_told_what_it_keeps_to_itself() -> None:
    edges = [EdgeCounts("http", 3, 5, 1), EdgeCounts("mongrel2 tcp://a tcp://b", 2, None, None, True)]
    found = {name: value for name, value in samples(facts(edges=edges)).items() if "connect" in name}
    assert found == {
        'wsgid_connections{edge="http"}': "3",
        'wsgid_connections{edge="mongrel2 tcp://a tcp://b"}': "2",
        'wsgid_connections_accepted_total{edge="http"}': "5",
        'wsgid_connections_turned_away_total{edge="http"}': "1",
        'wsgid_mongrel2_connected{edge="mongrel2 tcp://a tcp://b"}': "1",
    }


def test_two_labels() -> None:
    found = samples(facts(requests={"GET": {"2xx": 7}}))
    assert found['wsgid_requests_total{method="GET",status="2xx"}'] == "7"


@pytest.mark.parametrize(("value", "written"), [('a"b', 'a\\"b'), ("a\\b", "a\\\\b"), ("a\nb", "a\\nb")])
def test_a_label_may_have_any_character(value: str, written: str) -> None:
    assert f'wsgid_connections{{edge="{written}"}} 1' in text(METRICS, facts(edges=[EdgeCounts(value, 1, None, None)]))


def test_every_line_is_one() -> None:
    for line in text(METRICS, facts()).splitlines():
        assert line.startswith(("# HELP wsgid_", "# TYPE wsgid_")) or SAMPLE.fullmatch(line), line
    assert text(METRICS, facts()).endswith("\n")


def test_which_labels_there_are_is_said() -> None:
    for metric in METRICS:
        for values, _ in metric.samples(facts(edges=[EdgeCounts("http", 1, 1, 1)])):
            assert len(values) == len(metric.labels), metric.name
