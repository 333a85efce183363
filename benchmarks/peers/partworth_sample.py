"""partworth on the electricity data: full covariance, its own defaults, draws to an npz file.

Usage: partworth_sample.py ROWS.npz DRAWS TUNE OUT.npz
"""

import sys
import time

import numpy as np
import pandas as pd
import partworth as pw


def main():
    rows = np.load(sys.argv[1])
    names = [str(name) for name in rows["names"]]
    frame = pd.DataFrame(rows["x"], columns=names).assign(
        person=rows["person"],
        situation=rows["situation"],
        alternative=rows["alternative"],
        chosen=rows["chosen"].astype(int),
    )
    begun = time.perf_counter()
    data = pw.ChoiceData.from_long(
        frame,
        attributes={name: pw.Linear() for name in names},
        respondent="person",
        task="situation",
        alternative="alternative",
        chosen="chosen",
    )
    result = pw.HierarchicalMNL(data).fit(
        draws=int(sys.argv[2]), tune=int(sys.argv[3]), random_seed=1
    )
    seconds = time.perf_counter() - begun
    posterior = result.idata["posterior"]
    mean = posterior["Delta"].isel(covariate=0).transpose("chain", "draw", ...)
    covariance = posterior["cov"].transpose("chain", "draw", ...)
    # In the units of the data: partworth divides linear attributes by their standard deviations.
    scale = rows["x"].std(axis=0)
    np.savez(
        sys.argv[4],
        mean=mean.to_numpy() / scale,
        covariance=covariance.to_numpy() / np.outer(scale, scale),
        seconds=seconds,
    )


if __name__ == "__main__":
    main()
