"""Whatever Mongrel2, its clients and we do, in any order: a request ends once, and no file is left."""

import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.unit.dispatcher.edges.upload_store import Store
from tests.unit.dispatcher.requests import a_head, a_request
from wsgid.dispatcher.edges.client import PendingBody
from wsgid.dispatcher.edges.file_uploads import FileUploads
from wsgid.dispatcher.question import Judged, Question
from wsgid.protocol.http_request import Refused
from wsgid.protocol.mongrel2_messages import UploadDone, UploadStarted
from wsgid.protocol.values import Request

MOST = 100
"""Bytes of a body."""

CLIENTS = st.integers(1, 3)


class Owner:
    """An edge on which every request is served at once."""

    def __init__(self) -> None:
        self.ends: Counter[str] = Counter()
        self.questions: list[Question] = []
        self.asks = False

    def ask(self, request: Request, judged: Judged) -> Question | None:
        if not self.asks:
            return None
        self.questions.append(Question(request, judged, self, 0.0))
        return self.questions[-1]

    def unasked(self, question: Question) -> None:
        self.questions.remove(question)

    def upload_refused(self) -> None: ...

    def check_size(self, request: Request) -> None:
        if (request.content_length or 0) > MOST:
            raise Refused(413, "too long")

    def file_done(self, request: Request, file: PendingBody) -> None:
        self.ends[request.id] += 1
        file.close()

    def file_refused(self, request: Request, refused: Refused) -> None:
        self.ends[request.id] += 1

    def file_left(self, request: Request) -> None:
        self.ends[request.id] += 1

    def ask_after(self, server_id: str, client_id: str) -> None:
        raise AssertionError("nothing here takes so long")


class AnyOrder(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()  # until teardown
        self.store, self.owner = Store(Path(self.folder.name)), Owner()
        self.uploads = FileUploads(self.owner, "", self.store.journal, self.store.disk, shared=False)
        self.uploading: dict[int, UploadStarted] = {}
        """What Mongrel2 is at, by client."""
        self.gone: set[int] = set()
        """Clients whose connection we have closed, which Mongrel2 may not have heard of yet."""
        self.begun: set[str] = set()

    @rule(client=CLIENTS, length=st.sampled_from([MOST, MOST + 1]))
    def start(self, client: int, length: int) -> None:
        """Every second one is asked about."""
        if client in self.uploading or client in self.gone:
            return
        self.owner.asks = not self.owner.asks
        name = str(len(self.begun))
        request = a_request(id=name, server_id="srv", client_id=str(client), content_length=length)
        self.uploading[client] = UploadStarted(request, credits=0, path=self.store.make(name))
        self.begun.add(name)
        self.uploads.started(self.uploading[client])
        if length > MOST:
            self.close(client)

    @rule(client=CLIENTS)
    def done(self, client: int) -> None:
        """Also of one that we have refused at that very moment."""
        if started := self.uploading.pop(client, None):
            self.uploads.done(UploadDone(started.request, path=started.path))

    @rule(client=CLIENTS)
    def leave(self, client: int) -> None:
        started = self.uploading.pop(client, None)
        if started is not None and client not in self.gone:
            Path(started.path.decode()).unlink(missing_ok=True)
            self.uploads.left("srv", str(client))

    @rule(client=CLIENTS)
    def close(self, client: int) -> None:
        self.uploads.closed("srv", str(client))
        self.gone.add(client)

    @rule(client=CLIENTS)
    def hear_of_the_close(self, client: int) -> None:
        """Mongrel2 gives up what it is at for this client, and says nothing. The next has another number, here the
        same once more: the ids are as good as new."""
        if client in self.gone:
            self.gone.discard(client)
            if started := self.uploading.pop(client, None):
                Path(started.path.decode()).unlink(missing_ok=True)

    @precondition(lambda self: self.owner.questions)
    @rule(data=st.data(), admitted=st.booleans())
    def judge(self, data: st.DataObject, admitted: bool) -> None:
        question = data.draw(st.sampled_from(self.owner.questions))
        if admitted:
            question.admit()
        else:
            question.answer(a_head("403 Forbidden"), b"")
            self.close(int(question.request.client_id))

    @rule()
    def lose_mongrel2(self) -> None:
        self.uploading.clear()
        self.gone.clear()
        self.uploads.lost()

    @rule()
    def miss_the_beginning(self) -> None:
        """It went to a dispatcher that has been killed."""
        name = str(len(self.begun))
        self.begun.add(name)
        request = a_request(id=name, client_id="99")
        self.uploads.done(UploadDone(request, path=self.store.make(name)))

    @invariant()
    def ends_once(self) -> None:
        open_ones = {started.request.id for started in self.uploading.values()}
        assert all(count == 1 for count in self.owner.ends.values()), self.owner.ends
        assert self.begun - self.owner.ends.keys() <= open_ones
        assert {each.request.id for each in self.owner.questions} <= self.begun - self.owner.ends.keys()

    def teardown(self) -> None:
        try:
            self.uploads.refuse_all(Refused(503, "stopping"))
            self.ends_once()
            assert self.owner.ends.keys() == self.begun
            assert (self.store.left(), self.store.noted()) == ([], 0)
        finally:
            self.store.close()
            self.folder.cleanup()


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=100, stateful_step_count=20, deadline=None)
