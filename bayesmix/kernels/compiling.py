"""How everything in this folder is compiled, and when compiled code may be used again.

`compiled` is for what Python calls, `part` for what only compiled functions call: a part is brought
into the code of those that call it, is optimised there alone, and has no machine code of its own.

A compiled function holds the code of those that it calls, in whichever file they stand, and numba's
own cache watches the file of the function alone. So what is kept is stamped with all files of this
folder at once: a change in any of them, another numba or another version of the package, and
everything is compiled anew. Functions of other files (mixing laws, each in its own) have the stamp
of their file beside it, and call nothing but kernels and what stands with them.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, cached_property
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import (
    CompileResultCacheImpl,
    FunctionCache,
    InTreeCacheLocator,
    NullCache,
    UserProvidedCacheLocator,
    UserWideCacheLocator,
)
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler, CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import LoweringPass, register_pass
from numba.core.registry import CPUDispatcher
from numba.core.typed_passes import AnnotateTypes

FOLDER = Path(__file__).parent


def kernels_digest(*more: Path) -> str:
    """SHA-256 of every file of this folder, of ``more``, and of numba's and our version.

    What is in ``more``, such as a user's law, is read at every call: it may be edited and loaded
    anew in one process.
    """
    whole = sha256(_folder_digest().encode())
    for path in more:
        whole.update(path.name.encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()


@cache
def _folder_digest() -> str:
    try:
        own = version("bayesmix")
    except PackageNotFoundError:  # a copy of the sources that is not installed
        own = ""
    whole = sha256(f"{numba.__version__} {own}".encode())
    for path in sorted(FOLDER.glob("*.py")):
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

    @property
    def filename_base(self) -> str:
        """With the stamp in it: who reads while another version writes reads nothing of that.

        And numba's version before it: what one has written another does not take for old.
        """
        numbas = numba.__version__.replace(".", "_")
        return f"{super().filename_base}.{numbas}.{self.locator.get_source_stamp()[:16]}"


class _Cache(FunctionCache):
    _impl_class = _Files

    def has(self, sig: Any, target_context: Any) -> bool:
        """Whether code for a signature and this processor is kept."""
        target_context.refresh()
        return self._index_key(sig, target_context.codegen()) in self._cache_file._load_index()

    def _save_overload(self, sig: Any, data: Any) -> None:
        super()._save_overload(sig, data)
        base = Path(self.cache_path) / self._impl.filename_base
        for old in base.parent.glob(f"{base.stem}.*.nb?"):
            if not old.name.startswith(base.name):
                old.unlink(missing_ok=True)


def stamped_cache(function: Callable[..., Any]) -> Any:
    """The cache on disk of a function, stamped with the kernels and the function's own file.

    One that keeps nothing for functions without a file, or where no folder can be written to.
    """
    if Path(function.__code__.co_filename).is_file():
        with suppress(RuntimeError):  # numba finds no folder
            return _Cache(function)
    return NullCache()


@contextmanager
def _without_collection() -> Iterator[None]:
    """Compilers make millions of objects, and few cycles: looking for these is a tenth of it."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


class Kernel(CPUDispatcher):
    """A compiled function that Python calls; its code is kept on disk."""

    kept: Any = None
    """The cache, which is looked for when there is something to compile, not at import."""

    def compile(self, sig: Any) -> Any:
        self.look_for_code()
        with _without_collection():
            return super().compile(sig)

    def look_for_code(self) -> Any:
        if self.kept is None:
            self.kept = self._cache = stamped_cache(self.py_func)
        return self.kept

    def is_ready(self, sig: Any) -> bool:
        """Whether nothing is to be compiled for arguments of these types."""
        if sig in self.overloads:
            return True
        kept = self.look_for_code()
        return isinstance(kept, _Cache) and kept.has(sig, self.targetctx)


class _NoEnvironments:
    """A code generator for what has no globals in memory, as it is not loaded."""

    def __init__(self, codegen: Any) -> None:
        self._codegen = codegen

    def set_env(self, env_name: str, env: Any) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        return getattr(self._codegen, name)


class _Unfinished(JITCodeLibrary):
    """Code to be linked into that of callers, as it was written: neither optimised nor loaded.

    numba optimises what is called, and makes machine code of it, by itself and again in every
    caller on every level above: with trees of small functions that is most of its time.
    """

    @property
    def codegen(self) -> Any:
        return _NoEnvironments(self._codegen)

    def finalize(self) -> None:
        self._raise_if_finalized()
        for library in dict.fromkeys(self._linking_libraries):
            self._reload_init.update(library._reload_init)
            self._final_module.link_in(library._get_module_for_linking(), preserve=True)
        self._finalize_dynamic_globals()
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        self._ensure_finalized()
        return 0


@register_pass(mutates_CFG=False, analysis_only=True)
class _KeepUnfinished(LoweringPass):
    _name = "keep_unfinished"

    def __init__(self) -> None:
        LoweringPass.__init__(self)

    def run_pass(self, state: Any) -> bool:
        state.library = _Unfinished(state.targetctx.codegen(), state.func_id.func_qualname)
        return True


class _PartCompiler(CompilerBase):
    def define_pipelines(self) -> list[Any]:
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.add_pass_after(_KeepUnfinished, AnnotateTypes)
        passes.finalize()
        return [passes]


class Part(CPUDispatcher):
    """A function that only compiled functions call; called from Python, it becomes one of its own.

    That is compiled at every start: it is for tests and for looking at parts.
    """

    def __call__(self, *args: Any) -> Any:
        return self._whole(*args)

    @cached_property
    def _whole(self) -> Any:
        part = self
        return numba.njit(lambda *args: part(*args))


def part[**P, R](**options: Any) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Compile a function that compiled functions of this package call, and nothing else does.

    Parameters
    ----------
    **options
        Of `numba.njit`.

    Examples
    --------
    >>> @part(error_model="numpy")
    ... def half(x):
    ...     return 0.5 * x
    >>> @compiled(error_model="numpy")
    ... def quarter(x):
    ...     return 0.5 * half(x)
    >>> quarter(84.0), half(42.0)
    (21.0, 21.0)
    """
    return _decorator(Part, _PartCompiler, {"no_cpython_wrapper": True, **options})


def _decorator(
    kind: type[CPUDispatcher], compiler: type[CompilerBase], options: dict[str, Any]
) -> Callable[[Callable[..., Any]], Any]:
    # No function is called through numba's wrapper for C.
    options = {"nopython": True, "boundscheck": None, "no_cfunc_wrapper": True, **options}

    def decorate(function: Callable[..., Any]) -> Any:
        if numba.config.DISABLE_JIT:
            return function
        return kind(function, {}, options, compiler)

    return decorate


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
    return _decorator(Kernel, Compiler, options)
