"""Kernels are compiled before they are first used: once, and on several processors.

Who needs kernels asks for them by `prepare`. Those that are not kept on disk are compiled, in this
process and in others that take from the other end of the list, and say nothing and end when there
is none left. A kernel is claimed by a lock on a byte of a file beside the cache: several first
starts at once share the work, whichever processes they are, and one that dies lets go of its claim.
"""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import IO, Any, NamedTuple

from numba import types

from bayesmix.kernels.adaptive_quadrature import Rule
from bayesmix.kernels.integrals import Derivatives
from bayesmix.kernels.logit import Panel
from bayesmix.kernels.mixture import Mixture
from bayesmix.kernels.modes import Modes
from bayesmix.kernels.person_nodes import Components
from bayesmix.kernels.posterior_moments import PosteriorMoments
from bayesmix.kernels.share_curves import Raised
from bayesmix.kernels.substitution import Change, Flows, Offer, Sets
from bayesmix.kernels.threads import JIT

try:
    import fcntl
except ImportError:  # Windows: nothing is shared, and each process compiles what it needs
    fcntl = None  # type: ignore[assignment]

_PREPARED: list[Sequence[Wanted]] = []
HELPER = """
import json, sys
paths, wanted, turn = json.loads(sys.argv[1])
sys.path[:] = paths
from bayesmix.kernels.first_use import Wanted, compile_missing
compile_missing([Wanted(*each) for each in wanted], turn)
"""


class Wanted(NamedTuple):
    """A kernel, by the names of its file and its function, and what it is called with.

    ``types`` are words for its arguments, see `_types`.
    """

    file: str
    name: str
    types: str

    def kernel(self) -> Any:
        return getattr(import_module(f"bayesmix.kernels.{self.file}"), self.name)

    def signature(self) -> tuple[Any, ...]:
        known = _types()
        return tuple(known[word] for word in self.types.split())

    def is_ready(self) -> bool:
        return bool(self.kernel().is_ready(self.signature()))

    def compile(self) -> None:
        self.kernel().compile(self.signature())


FITS = (
    Wanted("modes", "_find_modes", "n panel v mixture modes"),
    Wanted("laws", "law_tables", "nn vv vv vv"),
    Wanted("sequences", "_sobol", "n key i words vvv"),
    Wanted("person_nodes", "_place", "n vvv components vv"),
    Wanted("integrals", "_node_log_probabilities", "n panel v mixture vv"),
    Wanted("posterior_moments", "_posterior_moments", "n panel v mixture posteriormoments"),
    Wanted("integrals", "_integrate", "n panel v mixture derivatives"),
)
"""What fits need, in the order in which they do; long ones stand at the ends."""
SAMPLING = (
    *FITS[:4],
    Wanted("frozen_nodes", "frozen_moments", "vv vv f vvv vv bb"),
    Wanted("frozen_nodes", "frozen_log_integrals", "vvv vvv v vvv vv bb"),
    Wanted("partial_correlations", "factor_at", "v n n n"),
    Wanted("partial_correlations", "factor_slopes", "v v v nnn"),
    *FITS[4:],
)
"""What marginal posteriors need."""
QUADRATURE = (Wanted("adaptive_quadrature", "_moved", "n rule vv vvv vvv vv"),)
"""What fits with one to three random coefficients need besides."""
DEMAND = (
    Wanted("substitution", "_substitution", "n offer change mixture flows"),
    Wanted("substitution", "_marginal", "n offer change mixture v rows"),
    Wanted("integrals", "_coefficients_everywhere", "n mixture vvv"),
    Wanted("share_curves", "_own_shares", "n offer i raised mixture vv"),
    Wanted("logsums", "_money_logsums", "n offer change mixture v"),
    Wanted("shares", "_row_shares", "n panel v mixture v"),
)
"""What measures of demand need besides."""


@cache
def _types() -> dict[str, Any]:
    """Types of arguments: v, vv, ... are arrays of numbers, n, nn of integers, b, bb of flags."""
    known = {
        "v": types.float64[::1],
        "vv": types.float64[:, ::1],
        "vvv": types.float64[:, :, ::1],
        "vvvv": types.float64[:, :, :, ::1],
        "n": types.int64[::1],
        "nn": types.int64[:, ::1],
        "b": types.boolean[::1],
        "bb": types.boolean[:, ::1],
        "i": types.int64,
        "f": types.float64,
        "key": types.uint64,
        "nnn": types.UniTuple(types.int64[::1], 3),
        "rows": types.Tuple((types.float64[::1], types.float64[:, ::1])),
        "words": types.Array(types.uint64, 2, "C", readonly=True),
    }
    n, b, v, vv, vvv, vvvv = (known[word] for word in ("n", "b", "v", "vv", "vvv", "vvvv"))
    records = {
        Panel: (vv, n, n, n, types.boolean),
        Mixture: (vv, vv, known["nn"], vvv, vv, types.int64, vv, vv),
        Sets: (n, n, n, v),
        Change: (types.int64, vv, v),
        PosteriorMoments: (v, vv, vvv, vv, vvv, v),
        Components: (n, vvv, vvvv, vvvv),
        Derivatives: (v, vv, vvv, v),
        Flows: (vvvv, vvv),
        Modes: (vv, vvv, b),
        Raised: (vvv, vv),
        Rule: (vv, v),
    }
    found = {kind.__name__.lower(): types.NamedTuple(of, kind) for kind, of in records.items()}
    offer = types.NamedTuple((found["panel"], found["sets"], v), Offer)
    return known | found | {"offer": offer}


def prepare(wanted: Sequence[Wanted]) -> None:
    """Have kernels compiled, by two processes, and say so: the first time on a machine, once."""
    if not JIT or wanted in _PREPARED:
        return
    _PREPARED.append(wanted)
    missing = [each for each in wanted if not each.is_ready()]
    if missing:
        print("bayesmix: compiling (once)", file=sys.stderr, flush=True)
        compile_together(missing, processes=2)


def compile_together(
    wanted: Sequence[Wanted],
    *,
    processes: int,
    tell: Callable[[int], None] = lambda done: None,
) -> None:
    """Compile kernels in this process and in others; ``tell`` hears how many are ready."""
    others = range(1, min(processes, processors(), len(wanted)) if _shares() else 1)
    helpers = [_helper(wanted, turn) for turn in others]
    try:
        compile_missing(wanted, tell=tell)
    finally:
        for helper in helpers:
            if helper is None:
                continue
            helper.kill()  # there is nothing left for it to do
            helper.wait()


def compile_missing(
    wanted: Sequence[Wanted], turn: int = 0, tell: Callable[[int], None] = lambda done: None
) -> None:
    """Compile what nobody else does, then wait for the others' work.

    Every other process, by ``turn``, begins at the other end.
    """
    ours = list(reversed(wanted)) if turn % 2 else list(wanted)
    with _claims() as claim:
        theirs = []
        for each in ours:
            if claim(each, False):
                each.compile()
            else:
                theirs.append(each)
            tell(sum(other.is_ready() for other in wanted))
        for each in theirs:
            claim(each, True)
            each.compile()  # or read what was compiled meanwhile
            tell(sum(other.is_ready() for other in wanted))


@contextmanager
def _claims() -> Iterator[Callable[[Wanted, bool], bool]]:
    """A function that claims a kernel for this process, and can wait for it; until the end."""
    file = _lock_file() if fcntl is not None else None
    if file is None:
        yield lambda each, wait: True
        return

    def claim(each: Wanted, wait: bool) -> bool:
        place = int.from_bytes(sha256(repr(each).encode()).digest()[:4])
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB), 1, place)
        except OSError as error:
            return error.errno not in (errno.EACCES, errno.EAGAIN)
        return True

    with file:
        yield claim


def _shares() -> bool:
    """Whether processes can share the work: where nothing is kept each would do all of it."""
    file = _lock_file() if fcntl is not None else None
    if file is not None:
        file.close()
    return file is not None


def _lock_file() -> IO[bytes] | None:
    """Beside the code that is kept; None where none is."""
    folder = getattr(FITS[0].kernel().look_for_code(), "cache_path", None)
    if folder is None:
        return None
    with suppress(OSError):
        Path(folder).mkdir(parents=True, exist_ok=True)
        return (Path(folder) / "compiling.lock").open("ab")
    return None


def _helper(wanted: Sequence[Wanted], turn: int) -> subprocess.Popen[bytes] | None:
    """A process that compiles, too; None where none can be started: it only helps."""
    if not sys.executable:
        return None
    # Not one of multiprocessing, which runs the user's script again.
    paths = [path for path in sys.path if isinstance(path, str)]
    asked = json.dumps([paths, [list(each) for each in wanted], turn])
    with suppress(OSError):
        return subprocess.Popen(
            [sys.executable, "-c", HELPER, asked],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    return None


def processors() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
