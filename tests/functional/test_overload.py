"""More than the workers can serve: what is beyond the queue is refused at once, what waits too long is refused, what
nobody waits for any more is not run."""

import re
import statistics
from pathlib import Path

from tests.deadlines import wait_for
from tests.functional.clients import Connection
from tests.functional.conftest import MakeDaemon, MakeSite
from tests.functional.gate import Gates
from tests.functional.ledger import Ledger
from tests.functional.load import Load, Record, complaints, other_than, same

CROWD = 200

WORK = 50
"""Milliseconds of a request."""

APART = 0.004
"""Seconds from one client to the next: six times as many as can be served. When all ask in the same instant, the last
of them waits until the clients' own process and the dispatcher are through with the others, and nobody can tell from
outside what it has waited for."""

SERVICE = re.compile(r" 200 .* service=(?P<service>[0-9.]+)ms")


def test_served_and_refused_make_up_what_was_sent(site: MakeSite, ledger: Ledger) -> None:
    served = site("ledger", "--queue-size", "20", workers=2, env=ledger.env)
    with Load(served.address, same("POST", f"ms={WORK}"), clients=CROWD, limit=CROWD) as load:
        load.join()
    refused = refused_of(load, ledger)
    assert 22 <= CROWD - len(refused) < CROWD, "two are served and twenty wait at a time"
    assert len(served.daemon.wait_for_access(CROWD)) == CROWD


def test_who_is_refused_is_refused_at_once(site: MakeSite, ledger: Ledger) -> None:
    # A busy machine delays a refusal, and an application that sleeps not at all: so that one sleeps for longer here.
    served = site("ledger", "--queue-size", "20", workers=2, env=ledger.env)
    with Load(served.address, same("POST", f"ms={4 * WORK}"), clients=CROWD, limit=CROWD, apart=APART) as load:
        load.join()
    times = sorted(each.took for each in refused_of(load, ledger))
    # Within this very run, so that a slow machine is slow at both.
    lines = served.daemon.wait_for_access(CROWD)
    service = statistics.median(float(found["service"]) / 1000 for line in lines if (found := SERVICE.search(line)))
    assert statistics.median(times) < service / 4
    assert times[len(times) * 95 // 100] < service


def refused_of(load: Load, ledger: Ledger) -> list[Record]:
    """Each of the others has been served, and run, once."""
    assert complaints(load) == []
    refused = other_than(200, load.records)
    assert {each.status for each in refused} == {503}
    assert len(load.records) == CROWD
    assert ledger.runs() == {str(each.number): 1 for each in load.records if each.status == 200}
    assert all(each.retry_after.isdecimal() for each in refused)
    return refused


def test_one_that_has_waited_too_long_is_refused_unserved(site: MakeSite, ledger: Ledger, gates: Gates) -> None:
    served = site("ledger", "--queue-timeout", "0.3", workers=1, env={**ledger.env, **gates.env})
    with served.connect() as held, served.connect() as waiting:
        held.ask(f"/1?gate={gates.make('held')}")
        gates.wait_until_held("held")
        waiting.ask("/2")
        answer = waiting.answer()
        assert answer.status == 503
        assert answer.header("retry-after") is not None
        gates.release("held")
        assert held.answer().status == 200
        waiting.ask("/3")
        assert waiting.answer().status == 200
    assert ledger.runs() == {"1": 1, "3": 1}


def test_those_that_leave_while_they_wait_are_not_run(site: MakeSite, ledger: Ledger, gates: Gates) -> None:
    served = site("ledger", workers=1, env={**ledger.env, **gates.env})
    with served.connect() as held, served.connect() as stayer:
        held.ask(f"/1?gate={gates.make('held')}")
        gates.wait_until_held("held")
        rude, polite = served.connect(), served.connect()
        rude.ask("/2", "POST", body=b"a body")
        polite.ask("/3")
        stayer.ask("/4")
        rude.reset()
        polite.close()
        lines = "\n".join(served.daemon.wait_for_access(2))
        assert '"POST /2 HTTP/1.1" 499 ' in lines
        assert '"GET /3 HTTP/1.1" 499 ' in lines
        gates.release("held")
        assert held.answer().status == 200
        assert stayer.answer().status == 200
    assert ledger.runs() == {"1": 1, "4": 1}


def test_the_application_can_ask_whether_its_client_is_gone(site: MakeSite, ledger: Ledger) -> None:
    served = site("ledger", workers=1, env=ledger.env)
    leaver = served.connect()
    leaver.ask("/1?gone=1")
    wait_for(ledger.running, "the request to have begun")
    leaver.close()
    wait_for(ledger.departures, "the application to hear of it")
    assert served.request("/2").status == 200


def test_a_client_that_has_only_finished_sending_still_gets_its_answer(serve: MakeDaemon, ledger: Ledger) -> None:
    """To the server it looks like one that has left; Mongrel2 takes it for one, so this is of our own edge."""
    daemon = serve("ledger", "--bind", "127.0.0.1:0", env=ledger.env)
    with Connection(daemon.address) as client:
        client.ask("/1?gone=1")
        wait_for(ledger.running, "the request to have begun")
        client.finish_sending()
        assert client.answer().text.startswith("GET 1 ")


def test_a_streamed_body_is_closed_when_its_client_leaves(site: MakeSite, tmp_path: Path) -> None:
    served = site("plain", workers=1)
    noted = tmp_path / "closed"
    leaver = served.connect()
    leaver.ask(f"/endless?path={noted}")
    assert leaver.receive()
    leaver.close()
    wait_for(noted.exists, "the body to be closed")
    assert served.request("/").status == 200
