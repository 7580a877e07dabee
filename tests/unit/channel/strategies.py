"""Values as they travel on the channel."""

from hypothesis import strategies as st

from wsgid.channel.frames import Answer, Hello, Role
from wsgid.protocol.values import Request, WrittenHead

text = st.text(st.characters(max_codepoint=0xFF), max_size=20)
"""Bytes in str, as PEP 3333 has them."""

bodies = st.binary(max_size=50)
headers = st.lists(st.tuples(text, text), max_size=5)

requests = st.builds(
    Request,
    key=text,
    id=text,
    method=text,
    target=text,
    script_name=text,
    path=text,
    query=text,
    version=text,
    headers=headers,
    scheme=text,
    server_name=text,
    server_port=text,
    remote_addr=text,
    remote_port=text,
    server_id=text,
    client_id=text,
    content_length=st.none() | st.integers(0, 2**63 - 1),
    body=bodies,
    body_in_file=st.booleans(),
)

heads = st.builds(
    WrittenHead,
    code=st.integers(100, 599),
    lines=bodies,
    content_length=st.none() | st.integers(0, 2**63 - 1),
    gave=st.integers(0, 7),
)

answers = st.builds(Answer, head=heads, body=bodies, done=st.booleans())

threads = st.integers(0, 1000)
hellos = st.builds(Hello, pid=st.integers(1, 2**22), role=st.sampled_from(Role), thread=threads, threads=threads)
