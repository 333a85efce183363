#!/usr/bin/env bash
# rdata 1.1.0: of two columns of one name a data frame keeps the later, and nothing is said.
#
# R's data frames may have columns of the same name (`check.names = FALSE`, `cbind`, merges). The
# file here is R's own ASCII format with two columns, both called "a": 1, 2 and 3, 4. What
# is returned has one column, 3 and 4, without a warning. The attribute "names" has both, so that a
# constructor of data frames of one's own can tell.
#
# Exits with 1 when the behaviour is another.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
    rdata==1.1.0 pandas==3.1.1 numpy==2.5.5 xarray==2026.9.0
FILE="$work/two.rds" "$work/venv/bin/python" -W error - <<'PYTHON'
import os
from importlib.metadata import version

import rdata


def text(word: str) -> str:
    return f"262153\n{len(word)}\n{word}\n"


def vector(first: int, second: int) -> str:
    return f"14\n2\n{first}\n{second}\n"


path = os.environ["FILE"]
with open(path, "w") as file:
    file.write(
        f"A\n2\n197888\n131840\n787\n2\n{vector(1, 2)}{vector(3, 4)}"
        f"1026\n1\n{text('names')}16\n2\n{text('a')}{text('a')}"
        f"1026\n1\n{text('class')}16\n1\n{text('data.frame')}"
        f"1026\n1\n{text('row.names')}13\n2\nNA\n-2\n254\n"
    )
print("rdata", version("rdata"))
names = []


def constructor(columns, attributes):
    names.extend(attributes["names"])
    return columns


rdata.read_rds(path, constructor_dict={"data.frame": constructor})
print("names in the file:", [str(name) for name in names])
assert [str(name) for name in names] == ["a", "a"]
frame = rdata.read_rds(path)
print("columns that are returned:", frame.to_dict("list"))
assert frame.to_dict("list") == {"a": [3.0, 4.0]}
print("as described")
PYTHON
