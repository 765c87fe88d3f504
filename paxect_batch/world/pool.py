"""Worker processes, each doing one lot at a time; see `seams.Executor`.

Our own rather than the standard library's: there, the death of one worker fails every
task in flight and the pool is unusable from then on. Here each worker has a thread of
the coordinator that speaks with it; when the worker dies, its lot fails with
`WorkerDied`, and the thread starts another one for the next lot.

Workers are fresh interpreters, so it makes no difference which start method the
platform likes. They start when there is work, keep out of the terminal's signals, and
end with the coordinator (see `worker_loop`).
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import IO

import msgspec

from paxect_batch.model.errors import NotReady, NoWorkers
from paxect_batch.model.places import Root
from paxect_batch.model.transfer import Lot, Outcome
from paxect_batch.seams import WorkerDied
from paxect_batch.world.messages import (
    Done,
    FromWorker,
    Greeting,
    Ready,
    Work,
    Working,
    from_worker,
    receive,
    send,
)
from paxect_batch.world.threads import start_thread
from paxect_core import CODEC_VERSION

START_TRIES_MAX = 3
"""How often a worker may die before it is ready, until the pool says it cannot work."""
STOP_SECONDS_MAX = 5.0
"""How long to wait for killed workers; one that hangs in a mount may take for ever."""

WORKER_COMMAND = (sys.executable, "-P", "-m", "paxect_batch.cli.worker")

_Job = tuple[Lot, "Future[tuple[Outcome, ...]]"]


class WorkerPool:
    """See `seams.Executor`. Lots are started in the order in which they came.

    The exception of a lot is `WorkerDied`, or `NotReady` if no worker can be had,
    which is nobody's fault but the machine's: no lot was touched then.
    """

    def __init__(
        self,
        roots: Mapping[Root, str | bytes],
        workers: int,
        *,
        command: Sequence[str] = WORKER_COMMAND,
    ) -> None:
        assert workers > 0
        greeting = Greeting(
            {
                str(root): os.path.abspath(os.fsencode(path))
                for root, path in roots.items()
            },
            os.getpid(),
        )
        self._start = lambda: _Worker(command, greeting)
        self._workers_max = workers
        self._lock = threading.Lock()
        self._crew: _Crew | None = None

    def submit(self, lot: Lot) -> Future[tuple[Outcome, ...]]:
        """See `seams.Executor`. Never waits."""
        with self._lock:
            if self._crew is None:
                self._crew = _Crew(self._start, self._workers_max)
            return self._crew.submit(lot)

    def stop(self) -> None:
        """See `seams.Executor`."""
        with self._lock:
            crew, self._crew = self._crew, None
        if crew is not None:
            crew.stop()

    def pids(self) -> list[int]:
        """Return the process ids of the workers that live."""
        with self._lock:
            return self._crew.pids() if self._crew is not None else []

    def worked_bytes(self) -> int:
        """Return the raw bytes that were worked on, of the lots that are not done."""
        with self._lock:
            return self._crew.worked_bytes() if self._crew is not None else 0


class _Crew:
    """The workers between two stops. One thread at a time submits."""

    def __init__(self, start: Callable[[], _Worker], workers_max: int) -> None:
        self._start = start
        self._workers_max = workers_max
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._attendants: list[_Attendant] = []
        self._idle = threading.Semaphore(0)

    def submit(self, lot: Lot) -> Future[tuple[Outcome, ...]]:
        future: Future[tuple[Outcome, ...]] = Future()
        if (
            not self._idle.acquire(blocking=False)
            and len(self._attendants) < self._workers_max
        ):
            try:
                self._hire()
            except NoWorkers as error:
                # Those that are there do it in their time.
                if not self._attendants:
                    future.set_exception(error)
                    return future
        self._jobs.put((lot, future))
        return future

    def _hire(self) -> None:
        attendant = _Attendant(self._start, self._jobs, self._idle)
        start_thread(attendant.start, "to speak with a worker")
        self._attendants.append(attendant)

    def stop(self) -> None:
        with contextlib.suppress(queue.Empty):
            while job := self._jobs.get_nowait():
                _, future = job
                if future.set_running_or_notify_cancel():
                    future.set_exception(WorkerDied("the pool was stopped"))
        for attendant in self._attendants:
            attendant.kill()
        for _ in self._attendants:
            self._jobs.put(None)
        for attendant in self._attendants:
            attendant.join(STOP_SECONDS_MAX)

    def pids(self) -> list[int]:
        pids = [attendant.pid for attendant in self._attendants]
        return [pid for pid in pids if pid is not None]

    def worked_bytes(self) -> int:
        return sum(attendant.worked_bytes for attendant in self._attendants)


class _Attendant(threading.Thread):
    """A thread of the coordinator, and the worker it speaks with."""

    def __init__(
        self,
        start: Callable[[], _Worker],
        jobs: queue.SimpleQueue[_Job | None],
        idle: threading.Semaphore,
    ) -> None:
        super().__init__(name="attend-worker", daemon=True)
        self._start_worker = start
        self._jobs = jobs
        self._idle = idle
        self._lock = threading.Lock()
        self._worker: _Worker | None = None
        self._killed = False
        self.worked_bytes = 0
        """Raw bytes of the lot that the worker has, as far as it told."""

    @property
    def pid(self) -> int | None:
        """The worker's process id, if there is one."""
        worker = self._worker
        return worker.pid if worker is not None else None

    def run(self) -> None:
        """Have lots done until there are no more."""
        while (job := self._jobs.get()) is not None:
            lot, future = job
            if future.set_running_or_notify_cancel():
                self._settle(lot, future)
            else:
                self._idle.release()
        self._end_worker()

    def _settle(self, lot: Lot, future: Future[tuple[Outcome, ...]]) -> None:
        # Idle before the future tells: whoever waits for it may submit the next lot,
        # which needs no other worker.
        try:
            outcomes = self._do(lot)
        except Exception as error:  # noqa: BLE001  the future's owner decides
            self._idle.release()
            future.set_exception(error)
        else:
            self._idle.release()
            future.set_result(outcomes)

    def kill(self) -> None:
        """End the worker at once, and start no other."""
        with self._lock:
            self._killed = True
            if self._worker is not None:
                self._worker.kill()

    def _do(self, lot: Lot) -> tuple[Outcome, ...]:
        worker = self._ready_worker()
        try:
            return worker.do(lot, self._hear)
        except (OSError, EOFError, msgspec.DecodeError) as error:
            status = self._end_worker()
            raise WorkerDied(
                f"worker {worker.pid} {status} while it had lot {lot.number} "
                f"of {len(lot.tasks)} items"
            ) from error
        finally:
            self.worked_bytes = 0

    def _hear(self, worked_bytes: int) -> None:
        self.worked_bytes = worked_bytes

    def _ready_worker(self) -> _Worker:
        if self._worker is not None and self._worker.lives:
            return self._worker
        # One that died while it had nothing to do is no reason to blame the next lot.
        self._end_worker()
        said = ""
        for _ in range(START_TRIES_MAX):
            try:
                with self._lock:
                    if self._killed:
                        raise WorkerDied("the pool was stopped")
                    self._worker = self._start_worker()
                codec = self._worker.wait_ready()
            except (OSError, EOFError, msgspec.DecodeError) as error:
                said = self._end_worker() or str(error)
            else:
                if codec == CODEC_VERSION:
                    return self._worker
                self._end_worker()
                raise NotReady(
                    f"the program was replaced while it ran: it works with "
                    f"{CODEC_VERSION}, and its new workers with {codec}; what they "
                    "were to do waits; start it again"
                )
        raise NoWorkers(
            f"no worker process comes up: it {said}; what it was to do waits; "
            "what it said is on standard error"
        )

    def _end_worker(self) -> str:
        with self._lock:
            worker, self._worker = self._worker, None
        return worker.end() if worker is not None else ""


class _Worker:
    """One worker process and the pipes to it."""

    def __init__(self, command: Sequence[str], greeting: Greeting) -> None:
        # The same modules as here, wherever they came from; but never from the folder
        # that the relay happens to be run in.
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry),
        }
        new_group = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            start_new_session=True,
            creationflags=new_group,
        )
        self.pid = self._process.pid
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input: IO[bytes] = self._process.stdin
        self._output: IO[bytes] = self._process.stdout
        self._greeting = greeting

    def wait_ready(self) -> str:
        """Greet; return its codec. `EOFError` or `OSError` if it died."""
        send(self._input, self._greeting)
        ready: FromWorker | None = receive(self._output, from_worker)
        if not isinstance(ready, Ready):
            raise EOFError
        return ready.codec

    def do(self, lot: Lot, hear: Callable[[int], None]) -> tuple[Outcome, ...]:
        """Have the lot done; `EOFError` or `OSError` if it died."""
        send(self._input, Work(lot))
        done: FromWorker | None = receive(self._output, from_worker)
        while isinstance(done, Working):
            hear(done.worked_bytes)
            done = receive(self._output, from_worker)
        if not isinstance(done, Done) or done.number != lot.number:
            raise EOFError
        return done.outcomes

    @property
    def lives(self) -> bool:
        """Whether the process is not known to have ended."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End it, whatever it does."""
        self._process.kill()

    def end(self) -> str:
        """End it, give back what it held, and tell how it ended."""
        status = self._how_it_ended()
        for pipe in (self._input, self._output):
            with contextlib.suppress(OSError):
                pipe.close()
        return status

    def _how_it_ended(self) -> str:
        process = self._process
        # It may have closed its pipe without having ended.
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_ENDING_SECONDS_MAX)
        if process.poll() is None:
            process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS_MAX)
        code = process.returncode
        if code is None:
            return "hangs"
        return f"ended by {_signal_name(-code)}" if code < 0 else f"ended with {code}"


_ENDING_SECONDS_MAX = 0.5


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
