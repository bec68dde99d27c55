"""What agreement costs: `python benchmarks/agreement.py [--items N] [--database postgres://...]`.

1,000,000 items, three of 200 annotators each, scores 0 to 3. Times are medians; each measurement
of peak memory runs in a process of its own. The `krippendorff` package gets its fastest input
(counts of values) in the same run; one pass is a plain read of the ratings' bytes.

With `--database`, a database of its own is made on that server with a batch of 1,000,000 ratings on
nine dimensions and 400,000 preferences, overall and on each; each report is computed from it, and
it is dropped again. The server groups; `rows`
is how many travel, and the longest statement stands beside them: pages give up on one after 60 s.
On a busy machine look at the processor's seconds, of ours and of the server's.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from annotation.agreement.alpha import Level, alphas, krippendorff_alpha
from annotation.agreement.intervals import bootstrap_sums, cluster_sums, leave_out_sums
from annotation.agreement.patterns import (
    Patterns,
    Ratings,
    from_histogram,
    from_ratings,
    pack,
    split,
)
from annotation.agreement.reliability import short_report

SCALE = (0, 1, 2, 3)
ANNOTATORS, EACH = 200, 3


def made(items: int) -> Ratings:
    """Latent quality and noise; one rating in twenty is missing."""
    rng = np.random.default_rng(1)
    quality = rng.normal(size=items)[:, None] + rng.normal(scale=0.75, size=(items, EACH))
    scores = np.digitize(quality, [-0.2, 0.85, 1.9]).astype(np.int64)
    first = rng.integers(0, ANNOTATORS, size=(items, 1))
    people = (first + np.array([0, 67, 134])) % ANNOTATORS
    kept = (rng.random((items, EACH)) > 0.05).ravel()
    return Ratings(
        domain=SCALE,
        unit=np.repeat(np.arange(items), EACH)[kept],
        annotator=people.ravel()[kept],
        category=scores.ravel()[kept],
        units=items,
        annotators=ANNOTATORS,
    )


def one_alpha(ratings: Ratings) -> float | None:
    """Everything from the long arrays to the number."""
    counts, pattern = pack(ratings.unit, ratings.category, units=ratings.units, q=4)
    units = np.bincount(pattern, minlength=len(counts))
    return krippendorff_alpha(
        from_histogram(counts, domain=SCALE, units=units), level=Level.ORDINAL
    )


def packages_alpha(ratings: Ratings) -> float:
    """The package's ordinal alpha from counts of values, counting included."""
    import krippendorff

    counts = np.bincount(ratings.unit * 4 + ratings.category, minlength=4 * ratings.units)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(
            krippendorff.alpha(
                value_counts=counts.reshape(-1, 4),
                value_domain=list(SCALE),
                level_of_measurement="ordinal",
            )
        )


def bootstrap(patterns: Patterns) -> np.ndarray:
    """1,000 replicates of ordinal alpha."""
    sums = bootstrap_sums(*cluster_sums(patterns), replicates=1000, seed=1)
    return alphas(split(sums, 4), level=Level.ORDINAL, domain=SCALE)


def jackknife(patterns: Patterns) -> np.ndarray:
    """Ordinal alpha without each annotator."""
    return alphas(split(leave_out_sums(patterns), 4), level=Level.ORDINAL, domain=SCALE)


def in_dialogues(ratings: Ratings) -> Ratings:
    """The same in dialogues of five items."""
    return Ratings(
        ratings.domain,
        ratings.unit,
        ratings.annotator,
        ratings.category,
        ratings.units,
        ratings.annotators,
        cluster=np.arange(ratings.units) // 5,
    )


WORK: dict[str, Callable[[Ratings], object]] = {
    "one pass over the ratings": lambda r: int(r.unit.sum() + r.category.sum()),
    "one alpha": one_alpha,
    "one alpha, krippendorff package": packages_alpha,
    "count patterns with annotators": from_ratings,
    "1,000 bootstrap replicates, counting included": lambda r: bootstrap(from_ratings(r)),
    "jackknife of 200 annotators, counting included": lambda r: jackknife(from_ratings(r)),
    "report with intervals, items apart": lambda r: short_report(from_ratings(r)),
    "report with intervals, dialogues of five": lambda r: short_report(
        from_ratings(in_dialogues(r))
    ),
    "nine reports (nine dimensions), items apart": lambda r: [
        short_report(from_ratings(r)) for _ in range(9)
    ],
}


def timed(work: Callable[[], object], *, runs: int) -> float:
    """Return the median time of one run in seconds."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return median(times)


def peak_of(name: str, data: Path) -> float:
    """Return the peak memory above the data's own, MB, measured in a process of its own."""
    command = [sys.executable, __file__, "--peak-of", name, "--data", str(data)]
    return float(json.loads(subprocess.run(command, capture_output=True, check=True).stdout))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--database", metavar="URL", help="PostgreSQL server to measure reports on")
    parser.add_argument(
        "--database-items", type=int, default=13_334, help="conversations; 75 ratings each"
    )
    parser.add_argument("--peak-of", choices=list(WORK), help=argparse.SUPPRESS)
    parser.add_argument("--data", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak_of:
        ratings = loaded(options.data)
        if "package" in options.peak_of:
            packages_alpha(made(100))  # the import is not the work
        before = peak_memory()
        WORK[options.peak_of](ratings)
        print(peak_memory() - before)
        return

    if options.database:
        from_database(options.database, items=options.database_items)
        return
    ratings = made(options.items)
    with TemporaryDirectory() as folder:
        data = Path(folder) / "ratings.npy"
        np.save(data, np.stack([ratings.unit, ratings.annotator, ratings.category]))
        compare(ratings, data)


def from_database(url: str, *, items: int) -> None:
    """Print what each report of a batch costs from PostgreSQL."""
    sys.path.insert(0, str(Path(__file__).parent))
    from rated_world import PER_ITEM, own_database, rated_batch

    with own_database(url):
        start = time.perf_counter()
        batch = rated_batch(items=items, kind="conversation_pair")
        print(f"{items * PER_ITEM:,} ratings made in {time.perf_counter() - start:.0f} s")
        from django.db import connection

        from annotation.reports.figures import REPORTS

        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            server = cursor.fetchone()[0]
        one_pass = read(server, "SELECT COUNT(*), SUM(score) FROM annotation_rating")
        every = read(
            server, "SELECT judgment_id, response_id, dimension_id, score FROM annotation_rating"
        )
        print(
            f"one pass in the server {one_pass:.2f} s, all rows fetched {every:.2f} s (processors)"
        )
        for kind, report in REPORTS.items():
            told = Told()
            before = time.perf_counter(), time.process_time(), server_seconds(server)
            with connection.execute_wrapper(told):
                report(batch)
            wall = time.perf_counter() - before[0]
            ours, theirs = time.process_time() - before[1], server_seconds(server) - before[2]
            print(
                f"{kind:14} {wall:6.1f} s on the clock; processor: {ours:5.1f} s here, "
                f"{theirs:5.1f} s in the server; {(ours + theirs) / every:.1f} times all rows, "
                f"{(ours + theirs) / one_pass:.0f} passes; "
                f"{told.rows:,} rows, longest statement {told.longest:.1f} s"
            )
        print(f"peak memory of this process: {peak_memory():.0f} MB")


class Told:
    """Notes how many rows the statements of a report return, and the seconds of the longest."""

    def __init__(self) -> None:
        self.rows, self.longest = 0, 0.0

    def __call__(self, execute, sql, params, many, context):
        start = time.perf_counter()
        found = execute(sql, params, many, context)
        self.longest = max(self.longest, time.perf_counter() - start)
        self.rows += max(context["cursor"].rowcount, 0)
        return found


def read(server: int, query: str) -> float:
    """Return the processor seconds, ours and the server's, that the rows of a query take."""
    from django.db import connection

    before = time.process_time() + server_seconds(server)
    with connection.cursor() as cursor:
        cursor.execute(query)
        cursor.fetchall()
    return max(time.process_time() + server_seconds(server) - before, 0.01)


def server_seconds(pid: int) -> float:
    """Return the processor seconds of a server's process on this machine; 0 where unknown."""
    status = Path(f"/proc/{pid}/stat")
    if not status.exists():
        return 0.0
    fields = status.read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def peak_memory() -> float:
    """Return this process's peak so far, MB (Linux; elsewhere what getrusage knows)."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def loaded(data: Path) -> Ratings:
    """The ratings as `main` wrote them, without the memory it took to make them."""
    unit, annotator, category = np.load(data)
    return Ratings(SCALE, unit, annotator, category, int(unit.max()) + 1, ANNOTATORS)


def compare(ratings: Ratings, data: Path) -> None:
    """Print times, peaks and ratios."""
    print(f"{ratings.units:,} items, {len(ratings.unit):,} ratings, {ANNOTATORS} annotators")
    ours, theirs = one_alpha(ratings), packages_alpha(ratings)
    print(f"ordinal alpha: ours {ours:.12f}, the package's {theirs:.12f}")
    seconds = {}
    for name, work in WORK.items():
        runs = 3 if "nine" in name else 7
        seconds[name] = timed(lambda work=work: work(ratings), runs=runs)
        print(f"{name:48} {1000 * seconds[name]:10.1f} ms {peak_of(name, data):8.0f} MB")
    one, package = seconds["one alpha"], seconds["one alpha, krippendorff package"]
    drawn = seconds["1,000 bootstrap replicates, counting included"]
    print(f"alpha: {package / one:.0f} times as fast as the package")
    print(f"alpha: {one / seconds['one pass over the ratings']:.0f} passes over the ratings")
    print(f"bootstrap: {1000 * package / drawn:.0f} times as fast as the package 1,000 times")


if __name__ == "__main__":
    main()
