"""Studies: a TOML file in, a run folder out.

`read_study` parses the file, `check_study` builds its data and model without fitting, `run_study`
fits and writes the folder, `open_run` reads it. `inspect_file` looks at a data file, `new_study`
writes a first study of it.
"""

from bayesmix.study.build import check_study
from bayesmix.study.inspect import inspect_file
from bayesmix.study.new import new_study
from bayesmix.study.open import open_run
from bayesmix.study.parse import read_study
from bayesmix.study.run import run_study
from bayesmix.study.schema import Study

__all__ = [
    "Study",
    "check_study",
    "inspect_file",
    "new_study",
    "open_run",
    "read_study",
    "run_study",
]
