"""What a result depends on, as short hashes: data, model, settings, and the code that made it."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from bayesmix.identity import digest, package_identity
from bayesmix.study.data import data_path
from bayesmix.study.demand_checks import shares_path
from bayesmix.study.schema import Study
from bayesmix.study.store import files_hash

LATER = (
    "labels", "codes", "separator", "decimal", "encoding", "table", "wide", "population_shares",
    "store",
)  # fmt: skip
"""Keys that are no part of the hash where they are not given, as in builds without them."""


def subject_key(study: Study) -> str:
    """Identifies what is estimated: the content of the data, the utility, the laws."""
    laws = [asdict(law) for law in study.random]
    held = (study.fixed, asdict(study.constraints))
    further: list[Any] = [held] if study.fixed or any(held[1].values()) else []
    if study.endogeneity is not None:
        further.append({"endogeneity": asdict(study.endogeneity)})
    if study.nests is not None:
        further.append({"nests": list(study.nests.items())})
    return digest(_data_content(study), asdict(study.utility), laws, *further)


def step_keys(study: Study, subject: str) -> dict[str, str]:
    """By step, what identifies all that its result depends on; ``subject`` from `subject_key`."""
    estimate = asdict(study.estimate)
    classical = {key: estimate[key] for key in ("seed", "starts", "optimizer")}
    base = [subject, asdict(study.grid), package_identity(), classical]
    sampling = {key: estimate[key] for key in ("likelihood", "draws", "tune", "chains")}
    # Draws of chains in segments are others than of chains at once.
    segments = [{"checkpoint": True}] if study.estimate.checkpoint else []
    scores = {key: estimate[key] for key in ("scores", "accepted", "candidates")}
    cluster = [study.estimate.cluster] if study.estimate.cluster else []
    priors = [study.priors] if study.priors else []
    keys = {"msle": digest("msle", *base, *cluster), "msm": digest("msm", *base)}
    return (
        keys
        | {
            "mss": digest("mss", *base, scores),
        }
        | {
            name: digest(name, *base, sampling, "msle" in study.estimate.methods, *priors, *own)
            for name, own in (("nuts", segments), ("importance", []))
        }
    )


def report_key(results: Mapping[str, str]) -> str:
    """Identifies tables and plots by the content of the results that they show, by step."""
    return digest("report", package_identity(), list(results.items()))


def demand_key(study: Study, results: Mapping[str, str]) -> str:
    """Identifies what follows from results by their content, by step, and what is asked of them."""
    asked = [study.demand, study.market, study.firms, *study.scenario]
    tables = [None if one is None else asdict(one) for one in asked]
    shares = []
    if study.market is not None:
        shares = [hashlib.sha256(shares_path(study).read_bytes()).hexdigest()]
    seed = study.estimate.seed
    return digest("demand", package_identity(), list(results.items()), tables, shares, seed)


def _data_content(study: Study) -> dict[str, Any]:
    content = {key: value for key, value in asdict(study.data).items() if key not in LATER or value}
    # Where a store stands does not matter; what it is made of does.
    if content.pop("store", None):
        return content | {"file": files_hash(study.path.parent, study.data)}
    if study.data.file is not None:
        with data_path(study.path, study.data).open("rb") as stream:
            content["file"] = hashlib.file_digest(stream, "sha256").hexdigest()
    return content
