"""``[nests]`` of a study: the argument of `MixedLogit`, and which methods know it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from bayesmix.data.choices import ChoiceData
from bayesmix.errors import SpecificationError
from bayesmix.specification.nests import Nests
from bayesmix.study.schema import Study


def nests_of(given: Mapping[str, Any], data: ChoiceData) -> Nests:
    """Nests of the data's alternatives, whose labels a file has as text.

    Raises
    ------
    SpecificationError
        If an alternative is in a nest and in parts that are not 1.
    """
    labels: dict[str, Hashable] = {str(label): label for label in data.alternatives}
    members: dict[str, Any] = {}
    for name, own in given.items():
        if isinstance(own, bool):
            continue
        if isinstance(own, Mapping):
            members[name] = {labels.get(str(key), key): part for key, part in own.items()}
        else:
            members[name] = [labels.get(str(key), key) for key in own]
    return Nests(members, bounded=given.get("bounded", True) is not False)


def check_nests_asked(study: Study) -> None:
    """Refuse methods that do not know nests, before anything is fitted.

    Raises
    ------
    SpecificationError
        Naming them, and the remedy.
    """
    if study.nests is None:
        return
    others = [name for name in study.estimate.methods if name != "msle"]
    if others:
        raise SpecificationError(
            f"{others[0]!r} does not know nests, whose models are estimated by maximum simulated "
            'likelihood: methods = ["msle"] in [estimate]'
        )
