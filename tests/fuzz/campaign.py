"""One target for a while, under atheris: what it finds is written to files, what it learns into the corpus."""

import hashlib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.targets import Target

ROOT = Path(__file__).resolve().parents[2]

MOST_FILES = 100
"""In the corpus of a target: all of it is run in each gate, and each change of it looked at."""

LONGEST_TIME = 30
"""Seconds that one input may take, stretched by instrumentation as it is: what takes longer hangs."""

LOOK = 0.5
"""Seconds between two looks at how far it is."""

EXECUTIONS = re.compile(r"^stat::number_of_executed_units:\s*(\d+)", re.MULTILINE)
TOLD = re.compile(r"^ === Uncaught Python exception: ===\n(.*?)^==\d+==", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Result:
    target: Target
    executions: int
    seconds: float
    findings: list[Path]
    """The inputs, one at most: with it libFuzzer ends."""
    told: str
    """What went wrong with the finding, or with libFuzzer itself; ``""`` when nothing did."""
    corpus: list[int]
    """The sizes of what it keeps, in bytes."""


def fuzz(target: Target, seconds: float, findings: Path, tell: Callable[[float], object]) -> Result:
    """Runs it for so long, or until it finds something, whose input goes to the folder ``findings``; ``tell`` hears now
    and then for how long it has been running."""
    findings.mkdir(exist_ok=True)
    before = set(findings.glob(f"{target.name}-*"))
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        seeds, found = Path(name, "seeds"), Path(name, "found")
        write(seeds, target.seeds())
        write(found, [])
        target.corpus.mkdir(parents=True, exist_ok=True)
        limits = (f"-max_total_time={max(1, round(seconds))}", f"-artifact_prefix={findings}/{target.name}-")
        begun = time.monotonic()
        code, log = _run(target, limits, [found, seeds, target.corpus], tell)
        lasted = time.monotonic() - begun
        executions, told = EXECUTIONS.search(log), TOLD.search(log)
        corpus = learn(target, found) if executions else read(target.corpus)
    return Result(
        target,
        int(executions[1]) if executions else 0,
        lasted,
        sorted(set(findings.glob(f"{target.name}-*")) - before),
        told[1] if told else log if code else "",
        [len(data) for data in corpus],
    )


def learn(target: Target, found: Path) -> list[bytes]:
    """What reaches code that the seeds do not becomes the corpus of the target: of what is there and in the folder
    ``found`` as few and as small inputs as will do, and at most MOST_FILES."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        kept = Path(name)
        seeds = target.seeds()
        write(kept, seeds)
        # By edges alone: how often each is passed would let in several times as many.
        code, log = _run(target, ["-merge=1", "-use_counters=0"], [kept, target.corpus, found], lambda _: None)
        assert code == 0, log
        corpus = [data for data in read(kept) if data not in seeds][:MOST_FILES]
    for file in target.corpus.glob("*"):
        file.unlink()
    write(target.corpus, corpus)
    return corpus


def command(target: Target, options: Iterable[str], folders: Iterable[Path]) -> list[str]:
    always = (f"-max_len={target.longest}", f"-timeout={LONGEST_TIME}", "-print_final_stats=1")
    return [sys.executable, "-m", "tests.fuzz.one", target.name, *always, *options, *map(str, folders)]


def environment() -> dict[str, str]:
    """The order of sets is the same in each run."""
    return {**os.environ, "PYTHONHASHSEED": "0"}


def _run(
    target: Target, options: Iterable[str], folders: Iterable[Path], tell: Callable[[float], object]
) -> tuple[int, str]:
    """Exit code and output."""
    begun = time.monotonic()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command(target, options, folders),
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            while (code := _ended(process)) is None:
                tell(time.monotonic() - begun)
        finally:
            process.kill()
            process.wait()
        output.seek(0)
        return code, output.read().decode(errors="replace")


def _ended(process: "subprocess.Popen[bytes]") -> int | None:
    try:
        return process.wait(LOOK)
    except subprocess.TimeoutExpired:
        return None


def write(folder: Path, inputs: Iterable[bytes]) -> None:
    """Each to a file that has its digest for a name, as libFuzzer names them."""
    folder.mkdir(parents=True, exist_ok=True)
    for data in inputs:
        (folder / hashlib.sha1(data, usedforsecurity=False).hexdigest()).write_bytes(data)


def read(folder: Path) -> list[bytes]:
    """Smaller ones first."""
    return sorted((file.read_bytes() for file in folder.glob("*")), key=lambda data: (len(data), data))
