"""What estimates beside one another are of, where the names of rows do not say it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayesmix.classical.estimates import Estimates
from bayesmix.reporting.implied_draws import model_of
from bayesmix.specification.model import MixedLogit
from bayesmix.specification.parameter_words import parameter_words


def units_in_words(results: Mapping[str, Any]) -> tuple[str, ...]:
    """Sentences on means and sds of logarithms, and on money; with labels where not all agree."""
    models = {str(label): _model(result) for label, result in results.items()}
    groups: dict[str, list[str]] = {}
    for label, model in models.items():
        for words in () if model is None else parameter_words(model):
            groups.setdefault(words, []).append(label)
    return tuple(
        words if len(labels) == len(models) else f"{', '.join(labels)}: {words}"
        for words, labels in groups.items()
    )


def _model(result: Any) -> MixedLogit | None:
    return result.model if isinstance(result, Estimates) else model_of(result)
