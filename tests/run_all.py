"""The whole suite, on PostgreSQL + Redis and on the embedded default: `python -m tests.run_all`.

What is missing on this machine is not run, and the closing lines say so and why. Arguments are
handed to pytest.
"""

import os
import re
import subprocess
import sys
import tempfile
import time

from tests.services import POSTGRESQL_URL, REDIS_URL, answers, chromium

SUMMARY = re.compile(r"(\d+) (passed|failed|error|errors|skipped|xfailed)")


def run(title: str, environment: dict[str, str], arguments: list[str]) -> tuple[int, str]:
    """Run pytest once, showing its output; return its exit code and its last line."""
    sys.stdout.write(f"\n=== {title}\n")
    sys.stdout.flush()
    with tempfile.TemporaryDirectory(prefix="annotate-tests-") as var_dir:
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadfile", "-rfEs", *arguments],
            env={**os.environ, **environment, "VAR_DIR": var_dir},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        last = ""
        for line in process.stdout or []:
            sys.stdout.write(line)
            sys.stdout.flush()
            last = line.strip() or last
        return process.wait(), last


def main(arguments: list[str]) -> int:
    """Run what can be run; return 0 only if all of it passed."""
    missing = []
    results: list[tuple[str, int, str, float]] = []
    if not chromium():
        missing.append("browser tests: there is no Chromium (apt-get install chromium)")
    if not answers(REDIS_URL):
        missing.append(f"the worker on Redis: nothing answers at {REDIS_URL}")
    redis = {"TEST_REDIS_URL": REDIS_URL} if answers(REDIS_URL) else {}
    suites = [("the embedded default: SQLite, queue in files", {"DATABASE_URL": ""})]
    if answers(POSTGRESQL_URL):
        suites.insert(0, ("PostgreSQL and Redis", {"DATABASE_URL": POSTGRESQL_URL, **redis}))
    else:
        missing.append(f"the suite on PostgreSQL: nothing answers at {POSTGRESQL_URL}")
    for title, environment in suites:
        began = time.monotonic()
        code, last = run(title, {"REDIS_URL": "", **environment}, arguments)
        results.append((title, code, last, time.monotonic() - began))
    sys.stdout.write("\n")
    for line in missing:
        sys.stdout.write(f"Not run: {line}\n")
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for title, code, last, seconds in results:
        sys.stdout.write(f"{title}: {last.strip('= ')} [{seconds:.0f} s, exit {code}]\n")
        for number, word in SUMMARY.findall(last):
            kind = "failed" if word.startswith("error") else word
            counts[kind] = counts.get(kind, 0) + int(number)
    sys.stdout.write(
        f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped\n"
    )
    return max(code for _, code, _, _ in results)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
