"""Two processes side by side: they take turns, call by call, so that a race does the same in every run."""

from __future__ import annotations

from collections.abc import Callable
from threading import Semaphore, Thread, current_thread


class Twin:
    """Work that one process does while another one waits at its calls, and the other way round.

    The first process calls `go_on` after each of its calls, and `finish` at its end; the work calls `pause` after
    each of its own.
    """

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._may_work = Semaphore(0)
        self._may_return = Semaphore(0)
        self._is_over = False
        self._raised: BaseException | None = None
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def is_at_work(self) -> bool:
        """The caller is the work itself."""
        return current_thread() is self._thread

    def go_on(self) -> None:
        """Let the work make its next call, or come to its end."""
        if not self._is_over:
            self._may_work.release()
            self._may_return.acquire()

    def pause(self) -> None:
        """Let the first process make its next call."""
        self._may_return.release()
        self._may_work.acquire()

    def finish(self) -> None:
        """Let the work come to its end, and raise what it raised."""
        while not self._is_over:
            self.go_on()
        self._thread.join()
        if self._raised:
            raise self._raised

    def _run(self) -> None:
        self._may_work.acquire()
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            self._raised = error
        finally:
            self._is_over = True
            self._may_return.release()
