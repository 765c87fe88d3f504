"""Lanes: threads that run jobs, so that one caller keeps several cores at work.

Results are taken by waiting for jobs in the order of their submission; which thread
ran a job, and when, shows nowhere. The bound on jobs in flight is the caller's.
"""

from __future__ import annotations

from paxect_core import errors, limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    import threading
    from _thread import LockType
    from collections.abc import Callable
    from queue import SimpleQueue


class Job:
    """One call given to a lane."""

    __slots__ = ("_call", "_done", "_error")

    def __init__(self, call: Callable[[], object], done: LockType | None) -> None:
        self._call = call
        self._done = done
        self._error: BaseException | None = None

    def run(self) -> None:
        """Make the call and note its error, if any."""
        try:
            self._call()
        except Exception as error:  # noqa: BLE001  it is raised by wait()
            self._error = error
        except BaseException as error:
            # In the caller's own thread that is a signal, which must not wait.
            if self._done is None:
                raise
            self._error = error
        if self._done is not None:
            self._done.release()

    def wait(self) -> None:
        """Return when the call was made; raise what it raised. Once for a job."""
        if self._done is not None:
            self._done.acquire()
        error, self._error = self._error, None
        if error is not None:
            # Its traceback refers to this frame and this job: no cycle may remain
            # that keeps the frames in flight until the garbage is collected.
            try:
                raise error
            finally:
                del error


class Lane:
    """Threads that share a queue of jobs; a single thread keeps their order.

    With no threads the caller makes each call itself. Threads start with the first
    job. As a context manager, leaving waits for the running calls and drops the rest.
    """

    __slots__ = ("_dropping", "_queue", "_started", "_threads")

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._started: list[threading.Thread] = []
        self._queue: SimpleQueue[Job | None] | None = None
        self._dropping = False

    def __enter__(self) -> Lane:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._dropping = True
        if self._queue is not None:
            for _ in self._started:
                self._queue.put(None)
        for thread in self._started:
            thread.join()

    def submit(self, call: Callable[[], object]) -> Job:
        """Have the call made by one of the lane's threads."""
        queue = self._queue or self._start()
        if queue is None:
            job = Job(call, None)
            job.run()
            return job
        from _thread import allocate_lock

        done = allocate_lock()
        done.acquire()
        job = Job(call, done)
        queue.put(job)
        return job

    def _start(self) -> SimpleQueue[Job | None] | None:
        if not self._threads:
            return None
        # Imported here because a small file never needs threads.
        import threading
        from queue import SimpleQueue

        queue: SimpleQueue[Job | None] = SimpleQueue()
        for _ in range(self._threads):
            thread = threading.Thread(target=self._serve, args=(queue,))
            thread.daemon = True
            try:
                thread.start()
            except RuntimeError:
                # No more threads to be had (ulimit, cgroup): fewer do, or none.
                break
            self._started.append(thread)
        if not self._started:
            self._threads = 0
            return None
        self._queue = queue
        return queue

    def _serve(self, queue: SimpleQueue[Job | None]) -> None:
        while (job := queue.get()) is not None and not self._dropping:
            job.run()


def check_threads(threads: int) -> None:
    """Raise `UsageError` unless that many threads can be meant."""
    if not 1 <= threads <= limits.THREADS_MAX:
        raise errors.UsageError(
            f"{threads} threads are impossible; use 1 to {limits.THREADS_MAX}"
        )


def keep_freed_memory() -> None:
    """Have the allocator keep the memory of past frames for the next ones.

    glibc returns freed blocks of a frame's size to the system and faults them in anew
    for each frame, which takes longer than some frames do. It stops doing so for blocks
    up to the largest one that was ever freed, so one is, untouched; where allocators
    work otherwise, nothing happens.
    """
    bytes(limits.WINDOW_BYTES)
