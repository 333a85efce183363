"""Studies: a TOML file in, a run folder out.

`read_study` parses the file, `check_study` builds its data and model without fitting, `run_study`
fits and writes the folder. `inspect_file` looks at a data file, `new_study` writes a first
study of it.
"""

from bayesmix.study.build import check_study
from bayesmix.study.inspect import inspect_file
from bayesmix.study.new import new_study
from bayesmix.study.parse import read_study
from bayesmix.study.run import run_study
from bayesmix.study.schema import Study

__all__ = ["Study", "check_study", "inspect_file", "new_study", "read_study", "run_study"]
