import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgid.loaders import LoadError
from wsgid.loaders.target import Call, Target, parse_target

NO_ARGUMENTS = Call((), {})

SPELLINGS = {
    "package.module.object": Target("", ("package", "module", "object"), None),
    "module.object": Target("", ("module", "object"), None),
    "package.module:object": Target("package.module", ("object",), None),
    "module:object.attribute.inner": Target("module", ("object", "attribute", "inner"), None),
    "module:factory()": Target("module", ("factory",), NO_ARGUMENTS),
    "package.module.factory()": Target("", ("package", "module", "factory"), NO_ARGUMENTS),
    'module:factory("prod", 8, debug=True)': Target("module", ("factory",), Call(("prod", 8), {"debug": True})),
    "module:Factory.make([1, -2], {'a': (None,)})": Target(
        "module", ("Factory", "make"), Call(([1, -2], {"a": (None,)}), {})
    ),
    # A colon in the arguments is none of ours.
    "package.module.factory('sqlite:///x', {1: 2})": Target(
        "", ("package", "module", "factory"), Call(("sqlite:///x", {1: 2}), {})
    ),
    " module : object ".replace(" :", ":"): Target("module", ("object",), None),
    # importlib finds such a module, though no import statement can.
    "my-site.wsgi:application": Target("my-site.wsgi", ("application",), None),
}

MISSPELLINGS = {
    "": "cannot be read",
    "module": "a module and an object in it are needed",
    "factory()": "a module and an object in it are needed",
    "module:": "cannot be read",
    ":object": "no module before the colon",
    ".module:object": "no module before the colon",
    "package..module:object": "no module before the colon",
    "module:object:other": "cannot be read",
    "module:(": "cannot be read",
    "module:object\0": "cannot be read",
    "module:object[0]": "only names",
    "module:factory()()": "only names",
    "module:factory().app": "only names",
    "module:'object'": "only names",
    "module:a + b": "only names",
    "module:factory(name)": "must be literals",
    "module:factory(other())": "must be literals",
    "module:factory(*[1])": "must be literals",
    "module:factory(**{'a': 1})": "must be literals",
    "module:factory({[]: 1})": "must be literals",
    "my-site.wsgi.application": "only names",
    f"module:{'(' * 300}": "cannot be read",
    f"module:{'-' * 100_000}1": "cannot be read",
    f"module:a{'.b' * 100_000}": "cannot be read",
}


@pytest.mark.parametrize(("text", "target"), SPELLINGS.items(), ids=list(SPELLINGS))
def test_right_spellings(text: str, target: Target) -> None:
    assert parse_target(text) == target


@pytest.mark.parametrize(("text", "why"), MISSPELLINGS.items(), ids=map(repr, range(len(MISSPELLINGS))))
def test_a_wrong_spelling_says_why_and_how_to_write_it(text: str, why: str) -> None:
    with pytest.raises(LoadError, match=why) as caught:
        parse_target(text)
    assert str(caught.value).startswith(f"--wsgi-app={text}: ")
    assert "package.module:object, package.module.object or package.module:factory()" in str(caught.value)


@given(st.text(alphabet=st.sampled_from("ab.:()'\"[]{}*=,0 \n\\\0éª\udc80"), max_size=30))
def test_any_text_is_a_target_or_the_one_error(text: str) -> None:
    try:
        target = parse_target(text)
    except LoadError:
        return
    assert target.names
    assert target.module or len(target.names) > 1
    assert all(name.isidentifier() for name in target.names)
