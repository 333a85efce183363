"""Bad and odd input: what becomes of it, counted by kind.

Every argument of every public function is given values of other kinds and shapes, and frames,
formulas, files, studies, stored fits, posteriors and run folders faults that were met in the field,
beside odd ones that are right. Each is one of

- refused: an exception of ours, whose text names what is wrong and a remedy;
- right: a value that was compared with the right one (and a warning, where one is due);
- obscure: a refusal that names neither, or of what is right;
- foreign: an exception of another library, or a traceback;
- silent: what is wrong is accepted;
- slow: more than ten seconds.

    python benchmarks/bad_input.py            # prints counts, writes results/bad_input.csv
    python benchmarks/bad_input.py --only formula

The exit code is 1 where anything is not refused or right.
"""

import argparse
import csv
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import redirect_stderr
from functools import partial
from io import StringIO
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import matplotlib  # noqa: E402
from _bad_case import Case, Seen, tried  # noqa: E402
from _bad_files import file_cases  # noqa: E402
from _bad_formulas import formula_cases  # noqa: E402
from _bad_studies import stored_cases, study_cases  # noqa: E402
from _bad_tables import table_cases  # noqa: E402
from matplotlib import pyplot  # noqa: E402

from tests.arguments.calls import calls  # noqa: E402
from tests.arguments.test_every_argument import WRONG, allowed, invoke, names  # noqa: E402
from tests.arguments.things import made  # noqa: E402

RESULTS = HERE / "results" / "bad_input.csv"
COLUMNS = ("area", "name", "verdict", "text")
GOOD = ("refused", "right")


def argument_cases(have) -> Iterator[Case]:
    for name, call in calls(have).items():
        for argument in call.arguments:
            for kind, value in WRONG.items():
                if not allowed(name, call, argument, kind):
                    yield Case(
                        "argument",
                        f"{name}({argument}={kind})",
                        partial(invoke, call, {**call.arguments, argument: value}),
                        named=partial(names, argument=argument, value=value, function=name),
                    )


def every_case() -> Iterator[Case]:
    have = made()
    yield from table_cases()
    yield from formula_cases()
    yield from file_cases()
    yield from study_cases()
    yield from stored_cases(have)
    yield from argument_cases(have)


def table(seen: list[Seen]) -> Iterator[tuple[str, ...]]:
    """A row a case; of arguments one a function and verdict, for they are thousands."""
    temporary = re.compile(re.escape(tempfile.gettempdir()) + r"/[^/ ']+")
    for one in seen:
        if one.area != "argument":
            yield one.area, one.name, one.verdict, temporary.sub("FOLDER", one.text)
    of_arguments = [one for one in seen if one.area == "argument"]
    counts = Counter((one.name.split("(")[0], one.verdict) for one in of_arguments)
    for (function, verdict), count in counts.items():
        yield "argument", function, verdict, f"{count} cases"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", help="cases of one area, such as formula")
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args()
    matplotlib.use("Agg")
    seen: list[Seen] = []
    for case in every_case():
        if given.only in (None, case.area):
            with redirect_stderr(StringIO()):
                seen.append(tried(case))
            pyplot.close("all")
            if seen[-1].verdict not in GOOD:
                print(*seen[-1], sep=" | ")
    if given.only is None:
        with given.results.open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows([COLUMNS, *table(seen)])
    areas = dict.fromkeys(one.area for one in seen)
    kinds = (*GOOD, "obscure", "foreign", "silent", "slow")
    for area in [*areas, None]:
        count = Counter(one.verdict for one in seen if area in (None, one.area))
        print(f"{area or 'all':12}", *(f"{kind} {count[kind]:5}" for kind in kinds), sep="  ")
    print(f"{len(seen)} cases, the longest took {max(one.seconds for one in seen):.1f} s")
    return int(any(one.verdict not in GOOD for one in seen))


if __name__ == "__main__":
    sys.exit(main())
