"""`Struct` does what `typing.NamedTuple` does."""

import pickle
from typing import NamedTuple

import pytest

from paxect_core.results import FrameEntry
from paxect_core.structs import Struct
from paxect_core.wire import Footer, Settings


class Model(NamedTuple):
    level: int = 5
    channels: int = 1
    frame_bytes: int = 1 << 20
    mapping: str = "virtual"
    verify: bool = False


def test_struct_has_the_fields_and_defaults_of_its_body() -> None:
    assert Settings._fields == Model._fields
    assert Settings._field_defaults == Model._field_defaults
    assert Settings.__match_args__ == Model._fields
    assert tuple(Settings()) == tuple(Model())


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ((), {}),
        ((1, 2), {}),
        ((1,), {"verify": True}),
        ((), {"level": 7, "channels": 3}),
        ((1, 2, 3, "u16", True), {}),
    ],
)
def test_struct_is_made_like_a_named_tuple(
    values: tuple[object, ...], named: dict[str, object]
) -> None:
    struct, model = Settings(*values, **named), Model(*values, **named)
    assert struct == tuple(model)
    assert hash(struct) == hash(tuple(model))
    assert struct._asdict() == model._asdict()
    assert repr(struct) == repr(model).replace("Model", "Settings")
    assert (struct.level, struct.verify) == (model.level, model.verify)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ((1, 2, 3, "u16", True, 6), {}),
        ((), {"colour": 1}),
        ((1,), {"level": 1}),
    ],
)
def test_struct_with_values_it_has_no_place_for_is_a_type_error(
    values: tuple[object, ...], named: dict[str, object]
) -> None:
    with pytest.raises(TypeError):
        Model(*values, **named)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Settings(*values, **named)  # type: ignore[arg-type]


def test_struct_that_lacks_a_value_names_it() -> None:
    with pytest.raises(TypeError, match="Footer lacks 'frames'"):
        Footer(1, raw_sha256=b"")  # type: ignore[call-arg]


def test_struct_cannot_be_changed_and_is_replaced() -> None:
    settings = Settings()
    with pytest.raises(AttributeError):
        settings.level = 6  # type: ignore[misc]
    with pytest.raises(AttributeError):
        settings.colour = 6  # type: ignore[attr-defined]
    assert settings._replace(level=6) == Settings(level=6)
    with pytest.raises(TypeError):
        settings._replace(colour=6)  # type: ignore[call-arg]


def test_struct_survives_pickling_and_unpacking() -> None:
    entry = FrameEntry(1, 2, 3, 4, 5, 6, 7)
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        copy = pickle.loads(pickle.dumps(entry, protocol))
        assert type(copy) is FrameEntry
        assert copy == entry
    number, *_, crc32 = entry
    assert (number, crc32) == (1, 7)


def test_struct_keeps_methods_and_docstring() -> None:
    class Point(Struct):
        """A place."""

        x: int
        y: int = 0

        def sum(self) -> int:
            return self.x + self.y

    # Without the future import, annotations may be evaluated; the names count.
    assert Point(1, y=2).sum() == 3
    assert Point.__doc__ == "A place."
    match Point(4):
        case Point(x, y):
            assert (x, y) == (4, 0)
