from tests.unit.dispatcher.requests import a_request
from wsgid.dispatcher.edges.closed_connections import REMEMBERED, ClosedConnections


def test_those_that_were_closed_are_known() -> None:
    closed = ClosedConnections()
    request = a_request()
    assert not closed.have(request)
    closed.add(request.server_id, request.client_id)
    assert closed.have(request)
    assert not closed.have(a_request(client_id="another"))
    assert not closed.have(a_request(server_id="another"))


def test_no_more_than_so_many_are_remembered() -> None:
    closed = ClosedConnections()
    for number in range(REMEMBERED + 1):
        closed.add("srv", str(number))
    assert not closed.have(a_request(server_id="srv", client_id="0"))
    assert closed.have(a_request(server_id="srv", client_id="1"))
    assert closed.have(a_request(server_id="srv", client_id=str(REMEMBERED)))
