"""The public interface is what `__all__` says, and its errors travel."""

import importlib
import inspect
import pickle

import pytest
from samples import python

import paxect_core
from paxect_core import errors


def test_every_public_name_resolves_to_its_home() -> None:
    assert sorted(paxect_core.__all__) == sorted(set(paxect_core.__all__))
    homes = {
        name: module
        for module, names in paxect_core._HOMES.items()
        for name in names.split()
    }
    assert set(homes) == set(paxect_core.__all__)
    for name, module in homes.items():
        home = importlib.import_module(f"paxect_core.{module}")
        assert getattr(paxect_core, name) is getattr(home, name)


def test_dir_lists_every_public_name() -> None:
    assert set(paxect_core.__all__) <= set(dir(paxect_core))
    assert "__version__" in dir(paxect_core)


def test_unknown_name_is_an_attribute_error_that_names_it() -> None:
    with pytest.raises(AttributeError, match="'paxect_core' has no attribute 'colour'"):
        _ = paxect_core.colour
    assert not hasattr(paxect_core, "limits_of_all")


def test_star_import_gives_the_public_names() -> None:
    done = python(
        "from paxect_core import *\n"
        "import paxect_core\n"
        "assert all(name in globals() for name in paxect_core.__all__)\n"
        "assert decode_bytes(encode_bytes(b'abc')) == b'abc'\n"
    )
    assert done.returncode == 0, done.stderr.decode()


def test_import_alone_loads_nothing_heavy() -> None:
    done = python(
        "import sys\n"
        "before = set(sys.modules)\n"  # a process that is measured has more
        "import paxect_core\n"
        "loaded = set(sys.modules) - before\n"
        "assert not {'zstandard', 'hashlib', 'threading'} & loaded, loaded\n"
    )
    assert done.returncode == 0, done.stderr.decode()


ALL_ERRORS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, errors.PaxectError)
]


def test_every_failure_class_has_its_own_code() -> None:
    # ContainerError is never raised itself: it is always structure or verification.
    codes = [kind.code for kind in ALL_ERRORS if kind is not errors.ContainerError]
    assert len(codes) == len(set(codes))
    assert {kind.exit_code for kind in ALL_ERRORS} == {2, 3, 4, 64, 70, 130}


@pytest.mark.parametrize("kind", ALL_ERRORS)
def test_every_error_survives_the_way_between_processes(
    kind: type[errors.PaxectError],
) -> None:
    if issubclass(kind, errors.ContainerError):
        error: errors.PaxectError = kind("what", offset=7, frame=3)
        error.raw_bytes_passed = 9  # type: ignore[attr-defined]
    else:
        error = kind("what")
    error.message = "what; nothing was written"
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        copy = pickle.loads(pickle.dumps(error, protocol))
        assert type(copy) is kind
        assert vars(copy) == vars(error)
        assert str(copy) == str(error)
        assert copy.args == error.args
