"""Where rendering is done: on threads, on processes, or on a cluster of Dask or Ray.

An engine opens executors: a fresh one each time the last one broke. None repeats work by itself
where that can be had: the driver in :mod:`.pool` does, and knows what died how often.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import connection
from typing import TYPE_CHECKING, Any, TypeVar

from .. import __version__
from ..errors import BatchError, InputError, MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

_START_S = 60  # how long workers may take until they answer
_CONNECT_S = 10  # and a scheduler


class Engine:
    """How to get an executor whose workers are seen to work.

    Attributes
    ----------
    title : str
        What to call it.
    workers : int
        How many tasks run at a time; of a cluster, once it was opened.
    apart : bool
        Whether tasks run in processes whose loss is none, so that HEIC may be decoded there.
    deaths : int
        How many workers die before a task counts as failed: more than one where the engine itself
        tries again.
    """

    def __init__(
        self,
        title: str,
        make: Callable[[], Executor],
        workers: int = 1,
        *,
        apart: bool = True,
        deaths: int = 1,
    ) -> None:
        self.title, self.workers, self.apart, self.deaths = title, workers, apart, deaths
        self._make = make

    def __repr__(self) -> str:
        return f"<Engine {self.title}>"

    def open(self) -> Executor:
        """A fresh executor. Raises BatchError, code ``"engine"``, if its workers do not answer."""
        with _engine_errors(self.title):
            executor = self._make()
            try:
                self.workers = getattr(executor, "workers", self.workers)
                there = executor.submit(_version).result(_START_S)
            except BaseException:
                executor.shutdown(wait=False, cancel_futures=True)
                raise
        if there != __version__:
            executor.shutdown(wait=False, cancel_futures=True)
            raise _unusable(self.title, f"it has runmask {there}, and here is {__version__}")
        return executor


def threads(workers: int | None = None) -> Engine:
    """Threads of this process. The heavy work holds no lock, and needs no copies."""
    count = _count(workers)
    return Engine(f"{count} threads", lambda: ThreadPoolExecutor(count), count, apart=False)


def processes(workers: int | None = None) -> Engine:
    """Processes of this machine, which end with this one however it ends.

    They are spawned: a script that asks for them needs ``if __name__ == "__main__":``.
    """
    count = _count(workers)

    def make() -> Executor:
        return _Processes(count, multiprocessing.get_context("spawn"), _begin)

    return Engine(f"{count} processes", make, count)


def dask(address: str) -> Engine:
    """The workers of a Dask cluster, by its scheduler's address (``tcp://...``).

    They and the scheduler need this library, and the folders of images and outputs at the same
    paths.
    """
    # Its scheduler's allowed-failures is 3, and can be set there only.
    return Engine(f"Dask at {address}", lambda: _Dask(address), deaths=4)


def ray(address: str | None = None) -> Engine:
    """The workers of a Ray cluster; None starts one on this machine. Folders as for Dask."""
    return Engine(f"Ray at {address or 'this machine'}", lambda: _Ray(address))


def engine_of(executor: Engine | Executor | None) -> Engine:
    """An engine of whatever a caller gives; None: processes, one for each core.

    An executor of one's own is used as it is, and not shut down. If it breaks there is no other:
    what was not rendered by then stays to be rendered.
    """
    if executor is None:
        return processes()
    if isinstance(executor, Engine):
        return executor
    if not isinstance(executor, Executor):
        raise InputError(f"executor {type(executor).__name__}: not an Executor or an Engine")
    workers = getattr(executor, "_max_workers", None)
    apart = not isinstance(executor, ThreadPoolExecutor)
    given = iter([_Lent(executor)])

    def make() -> Executor:
        try:
            return next(given)
        except StopIteration:
            raise _unusable("the executor", "it broke, and there is no other") from None

    count = workers if isinstance(workers, int) else _count(None)
    return Engine(type(executor).__name__, make, count, apart=apart)


# -- what runs in workers


def _version() -> str:
    from . import rendering  # what takes time to load is loaded before there is work

    return __version__ if rendering else ""


def _begin() -> None:
    """In a new process, where nobody reads warnings."""
    warnings.simplefilter("ignore")
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for work for ever: it holds the pipe open."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


# -- executors


class _Lent(Executor):
    """A caller's executor, which stays open."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        return self._executor.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        pass


class _Processes(ProcessPoolExecutor):
    """Processes that Ctrl-C, which a terminal sends to all of them, does not reach."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            return super().submit(fn, *args, **kwargs)  # may start one, which inherits this
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Dask(Executor):
    """Dask's own executor, with a client that is closed along with it.

    Not ``pure``: a call with equal arguments would be answered by the result of the last one.
    """

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client
        except ImportError as error:
            raise MissingDependencyError.of(error.name, "dask", "a Dask cluster") from error
        self._client = Client(address, timeout=_CONNECT_S, set_as_default=False)
        self._client.wait_for_workers(1, timeout=_START_S)
        self.workers = sum(self._client.nthreads().values())
        self._executor = self._client.get_executor(pure=False, retries=0)

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future: Future[T] = self._executor.submit(fn, *args, **kwargs)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._executor.shutdown(wait=wait and not cancel_futures)
        self._client.close()


class _Ray(Executor):
    """Ray's tasks as an executor; Ray has none of its own."""

    def __init__(self, address: str | None) -> None:
        try:
            import ray
        except ImportError as error:
            raise MissingDependencyError.of(error.name, "ray", "a Ray cluster") from error
        self._ours = not ray.is_initialized()
        if self._ours:
            ray.init(address=address or "local", log_to_driver=False, logging_level=logging.ERROR)
        self.workers = int(ray.cluster_resources().get("CPU", 1))
        self._task = ray.remote(num_cpus=1, max_retries=0)(_called)

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future: Future[T] = self._task.remote(fn, args, kwargs).future()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        import ray

        if self._ours:
            ray.shutdown()


def _called(fn: Callable[..., T], args: Sequence[Any], kwargs: dict[str, Any]) -> T:
    return fn(*args, **kwargs)


# -- refusals


@contextmanager
def _engine_errors(title: str) -> Iterator[None]:
    try:
        yield
    except (BatchError, MissingDependencyError):
        raise
    except TimeoutError as error:
        raise _unusable(title, f"no worker answered within {_START_S} s") from error
    except Exception as error:  # each engine has its own
        raise _unusable(title, f"{type(error).__name__}: {error}"[:500]) from error


def _unusable(title: str, why: str) -> BatchError:
    return BatchError(f"{title}: {why}", code="engine")


def _count(workers: int | None) -> int:
    if workers is None:
        return len(os.sched_getaffinity(0))
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
        raise InputError(f"workers {workers!r}: not a number from 1")
    return workers
