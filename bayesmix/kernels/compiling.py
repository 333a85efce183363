"""How everything in this folder is compiled, and when compiled code may be used again.

A compiled function holds the code of those that it calls, in whichever file they stand, and numba's
own cache watches the file of the function alone. So what is kept is stamped with all files of this
folder at once: a change in any of them, another numba or another version of the package, and
everything is compiled anew. Functions of other files (mixing laws, each in its own) have the stamp
of their file beside it, and call nothing but kernels and what stands with them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba.core.caching import (
    CompileResultCacheImpl,
    FunctionCache,
    InTreeCacheLocator,
    UserProvidedCacheLocator,
    UserWideCacheLocator,
)

FOLDER = Path(__file__).parent

signed: Any = np.int64
"""Makes an index of what ``prange`` counts, which is unsigned."""


@cache
def kernels_digest(*more: Path) -> str:
    """SHA-256 of every file of this folder, of ``more``, and of numba's and our version."""
    try:
        own = version("bayesmix")
    except PackageNotFoundError:  # a copy of the sources that is not installed
        own = ""
    whole = sha256(f"{numba.__version__} {own}".encode())
    for path in (*sorted(FOLDER.glob("*.py")), *more):
        whole.update(path.name.encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()


class _Stamped:
    _py_file: str

    def get_source_stamp(self) -> str:
        own = Path(self._py_file)
        return kernels_digest() if own.parent == FOLDER else kernels_digest(own)


class _Provided(_Stamped, UserProvidedCacheLocator):
    """In the folder of NUMBA_CACHE_DIR."""


class _InTree(_Stamped, InTreeCacheLocator):
    """Beside the sources."""


class _UserWide(_Stamped, UserWideCacheLocator):
    """In the user's own folder of caches, where that of the sources cannot be written."""


class _Files(CompileResultCacheImpl):
    _locator_classes = (_Provided, _InTree, _UserWide)


class _Cache(FunctionCache):
    _impl_class = _Files


def stamped_cache(function: Callable[..., Any]) -> Any:
    """The cache on disk of a function, stamped with the kernels and the function's own file."""
    return _Cache(function)


def compiled[**P, R](**options: Any) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """`numba.njit` with a cache on disk that no change of a kernel outlives.

    Parameters
    ----------
    **options
        Of `numba.njit`, but for ``cache``.

    Examples
    --------
    >>> @compiled(error_model="numpy")
    ... def twice(x):
    ...     return 2 * x
    >>> twice(21)
    42
    """

    def decorate(function: Callable[P, R]) -> Any:
        dispatcher = numba.njit(**options)(function)
        if not numba.config.DISABLE_JIT and Path(function.__code__.co_filename).is_file():
            dispatcher._cache = stamped_cache(function)
        return dispatcher

    return decorate
