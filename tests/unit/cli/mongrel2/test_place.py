"""Which of the servers in a configuration is meant."""

from dataclasses import replace
from pathlib import Path

import pytest

from wsgid.cli.complaints import CannotDo
from wsgid.cli.mongrel2.place import server
from wsgid.mongrel2_config.values import Configuration

FILE = Path("/srv/mysite/mongrel2/config.sqlite")


@pytest.fixture
def several(made: Configuration) -> Configuration:
    [first] = made.servers
    return replace(made, servers=(replace(first, uuid="one"), replace(first, uuid="two")))


def test_the_only_one_need_not_be_named(made: Configuration) -> None:
    assert server(made, FILE, None) == made.servers[0]


def test_one_of_several(several: Configuration) -> None:
    assert server(several, FILE, "two").uuid == "two"
    with pytest.raises(CannotDo, match=r"config\.sqlite has several servers, name one by --server: one, two$"):
        server(several, FILE, None)


def test_none_of_that_name(several: Configuration) -> None:
    with pytest.raises(CannotDo, match=r"config\.sqlite has no server three; there is: one, two$"):
        server(several, FILE, "three")
