"""A line for each step of a run, on standard error; estimators draw their own bars in between."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter

from rich.console import Console


@dataclass(frozen=True)
class StepLines:
    """Announces `total` steps; silent where `show` is False."""

    total: int
    show: bool = True

    def reused(self, number: int, title: str) -> None:
        self._print(f"{number}/{self.total} {title}: finished earlier, used again")

    @contextmanager
    def running(self, number: int, title: str) -> Iterator[Callable[[], float]]:
        """Yields a clock: seconds so far."""
        start = perf_counter()
        self._print(f"{number}/{self.total} {title} ...")
        yield lambda: round(perf_counter() - start, 2)
        self._print(f"{number}/{self.total} {title}: {perf_counter() - start:.1f} s")

    def problem(self, text: str) -> None:
        """What people must know, shown even where progress is not."""
        Console(stderr=True, highlight=False).print(f"note: {text}", markup=False, soft_wrap=True)

    def _print(self, text: str) -> None:
        if self.show:
            Console(stderr=True, highlight=False).print(text)
