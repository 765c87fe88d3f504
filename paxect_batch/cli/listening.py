"""Listen where the settings say, for as long as a run or `serve` lasts."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address

from paxect_batch.cli import console, kinds
from paxect_batch.cli.arguments import Arguments
from paxect_batch.cli.lookers import Lookers, viewer
from paxect_batch.cli.opened import Opened
from paxect_batch.cli.settings import Settings
from paxect_batch.cli.wiring import World
from paxect_batch.model.errors import ConfigError, NotReady
from paxect_batch.model.run import Standing
from paxect_batch.serve.answers import Answers
from paxect_batch.serve.board import Board
from paxect_batch.serve.counted import CountedExecutor
from paxect_batch.serve.exposition import MISSING, is_available
from paxect_batch.serve.listener import Listener
from paxect_batch.world.keys import secret_in
from paxect_batch.world.threads import start_thread

DEFAULT_ADDRESS = "127.0.0.1:8081"
TOKEN_BYTES_MIN = 16


@contextmanager
def listening(
    settings: Settings, arguments: Arguments, *, own_run: bool = True
) -> Iterator[Board | None]:
    """Give the board that is shown; None if nobody asked for a listener."""
    words = settings.listen or (None if own_run else DEFAULT_ADDRESS)
    if words is None:
        yield None
        return
    token = _token(settings, words)
    board = Board(viewer(settings), has_run=own_run)
    answers = Answers(board, token=token)
    listener = _listener(words, answers)
    try:
        start_thread(listener.start, "to listen")
        if not settings.quiet:
            console.complain(f"listening on {_url(listener.address)}")
        if not is_available():
            console.complain(f"warning: {MISSING}")
        share = arguments.operands[0] if arguments.operands else None
        lookers = Lookers(
            board,
            lambda: Opened(arguments, share=share),
            tries=True,
            own_events=own_run,
        )
        try:
            yield board
        finally:
            lookers.stop()
    finally:
        listener.stop()


def attach(board: Board, world: World, settings: Settings, *, watch: bool) -> None:
    """Have the run tell the board what it does; again when it begins anew."""
    board.begin_run(
        node=settings.node, run=world.run, mode=settings.direction, watch=watch
    )
    world.tell_events(
        lambda line, is_logged: board.note_event(line, is_shown=is_logged)
    )
    if not isinstance(world.executor, CountedExecutor):
        world.executor = CountedExecutor(world.executor, board.note_lot)


def showing(
    progress: Callable[[Standing], None], board: Board
) -> Callable[[Standing], None]:
    """Return what takes in how a run stands, for a terminal and for the board."""

    def show(standing: Standing) -> None:
        board.note_standing(standing)
        progress(standing)

    return show


def _listener(words: str, answers: Answers) -> Listener:
    address = kinds.address(words)
    assert address is not None, "an address that was checked is needed"
    try:
        return Listener(*address, answers.to, answers.refuse)
    except OSError as error:
        text = (
            f"listening on {words} gave {error.strerror or error}; nothing was "
            "touched; "
        )
        if error.errno == errno.EADDRINUSE:
            raise NotReady(f"{text}name another port with --listen") from error
        raise ConfigError(f"{text}name an address of this machine") from error


def _token(settings: Settings, words: str) -> bytes | None:
    address = kinds.address(words)
    assert address is not None, "an address that was checked is needed"
    is_loopback = ip_address(address[0]).is_loopback
    if settings.listen_anywhere is None:
        if is_loopback:
            return None
        raise ConfigError(
            f"{words} can be reached from other machines; nothing was touched; name "
            "an address such as 127.0.0.1:8081, or a file with a token by "
            "--listen-anywhere FILE"
        )
    token = secret_in(settings.listen_anywhere, "token")
    if len(token) < TOKEN_BYTES_MIN or not _is_plain(token):
        raise ConfigError(
            f"the token in {settings.listen_anywhere!r} is not of {TOKEN_BYTES_MIN} "
            "or more letters and digits; nothing was touched; make one with: "
            "openssl rand -hex 32"
        )
    if not is_loopback:
        console.complain(
            f"warning: {words} can be reached from other machines, and what is said "
            "there is not encrypted; see docs/monitoring.md"
        )
    return token


def _is_plain(token: bytes) -> bool:
    return all(0x21 <= letter <= 0x7E for letter in token)


def _url(address: tuple[str, int]) -> str:
    host, port = address
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
