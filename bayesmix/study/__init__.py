"""Studies: a TOML file in, a run folder out.

`read_study` parses the file, `check_study` builds its data and model without fitting, `run_study`
fits and writes the folder.
"""

from bayesmix.study.build import check_study
from bayesmix.study.parse import read_study
from bayesmix.study.run import run_study
from bayesmix.study.schema import Study

__all__ = ["Study", "check_study", "read_study", "run_study"]
