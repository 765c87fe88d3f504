"""Each short option means what its long one does, and takes what that takes."""

import pytest

from paxect_core import options

SHORT = [
    (name, option)
    for name, command in options.COMMANDS.items()
    for option in command.options
    if option.short
]


@pytest.mark.parametrize(("name", "option"), SHORT)
def test_short_option_is_read_as_its_long_one(
    name: str, option: options.Option
) -> None:
    rest = ["value"] if option.takes else []
    short = options.parse([name, f"-{option.short}", *rest])
    long = options.parse([name, f"--{option.name}", *rest])
    assert short == long
