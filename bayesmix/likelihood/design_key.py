"""A digest of what is simulated and fitted on: attributes and choice sets, without the choices."""

from __future__ import annotations

import hashlib

import numpy as np

from bayesmix.likelihood.problem import Problem


def design_key(problem: Problem) -> str:
    """Digest of the columns, the sets and the order of persons, as results on disk are known by."""
    data, sources, nests = problem.data, problem.design.sources, problem.design.nests
    found = hashlib.sha256(f"{data.outside_option} {list(map(str, data.alternatives))}".encode())
    arrays = [problem.x, problem.x_fixed, problem.z, data.person_start, data.situation_start]
    arrays += [data.alternative_code, data.weights]
    arrays += [] if problem.offset is None else [problem.offset]
    arrays += [] if sources is None else [sources.code]
    arrays += [] if nests is None else [nests.start, nests.nest, nests.log_part]
    arrays += [] if data.stage is None else [np.asarray(data.stage)]
    for values in arrays:
        found.update(f"{values.shape} {values.dtype}".encode())
        found.update(np.ascontiguousarray(values).tobytes())
    return found.hexdigest()[:16]
