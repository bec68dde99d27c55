"""Memory and time of an import as the file grows: `python benchmarks/imports.py [--records 2000]`.

Writes two files of made-up InterMT records, the second ten times the first, imports each into a
fresh SQLite database in a process of its own, and beside it loads the same file whole with the
standard library's `json`, in a process of its own too. Prints peak memory, time and the ratios:
the importer's memory should hardly grow, the loader's grows with the file.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TURNS = 4
TEXT = "The steps are named in order, and each picture shows one of them. " * 8


def write_records(file: Path, count: int) -> int:
    """Write `count` records as the crucial-step file has them; return the bytes."""
    with file.open("w") as out:
        out.write("[")
        for number in range(count):
            turns = [
                {
                    "round": turn,
                    "prompt": f"Question {number}.{turn}? {TEXT[:160]}",
                    "prompt_images": [""],
                    "prompt_uuid": str(uuid.uuid4()),
                    "response": f"Answer {number}.{turn}. {TEXT}\n<Image, step {turn}>",
                    "response_images": [f"images/{uuid.uuid4()}.png"],
                    "response_uuid": str(uuid.uuid4()),
                }
                for turn in range(1, TURNS + 1)
            ]
            record = {
                "id": number,
                "conversations": turns,
                "annotation": {
                    "crucial_step_recognition": number % 4,
                    "reason_crucial_step_recognition": "From step 1 to step 4 all is there.",
                },
            }
            out.write(("," if number else "") + json.dumps(record))
        out.write("]")
    return file.stat().st_size


def measured(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Run the command; return its seconds and the peak memory of its process in MB."""
    began = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{command} failed")
    return time.perf_counter() - began, usage.ru_maxrss / 1024


def main() -> None:
    """Measure both sizes and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=500, help="records of the smaller file")
    count = parser.parse_args().records
    print(f"{'records':>8} {'file MB':>8} {'import s':>9} {'import MB':>10} {'json.load MB':>13}")
    peaks = []
    for records in (count, 10 * count):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "records.json"
            size = write_records(file, records) / 1e6
            environment = {**os.environ, "DATABASE_URL": "", "VAR_DIR": f"{folder}/var"}
            manage = [sys.executable, str(ROOT / "manage.py")]
            for prepare in (["migrate", "-v", "0"], ["load_rubric"]):
                measured([*manage, *prepare], environment)
            seconds, memory = measured([*manage, "import_dialogues", str(file)], environment)
            load = f"import json; json.load(open({str(file)!r}))"
            _, whole = measured([sys.executable, "-c", load], environment)
            print(f"{records:8} {size:8.1f} {seconds:9.1f} {memory:10.0f} {whole:13.0f}")
            peaks.append((memory, whole))
    (small, small_whole), (large, large_whole) = peaks
    print(
        f"ten times the file: the import's peak x {large / small:.2f}, "
        f"loading it whole x {large_whole / small_whole:.2f}"
    )


if __name__ == "__main__":
    main()
