"""What a run has found, as it is kept in bench/results: one JSON file for each scenario."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

FOLDER = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Sample:
    """One contender, one case, one round."""

    contender: str
    case: str
    round: int
    """From 1."""
    values: dict[str, float]
    """By the metrics' keys."""
    cpu: dict[str, float] = field(default_factory=dict)
    """Microseconds of a processor for each request, or what the scenario counts, by the processes' role."""
    stolen: float | None = None
    """The part of the processors' time that the host of a virtual machine gave to others, from 0 to 1; None: it was not
    looked at, in results of before it was."""


@dataclass(frozen=True)
class Conditions:
    date: str
    cores: int
    processor: str
    kernel: str
    load: float
    """Of the last minute before the run, as uptime(1) tells it: what else the machine had to do."""
    versions: dict[str, str]


@dataclass(frozen=True)
class Failure:
    contender: str
    reason: str


@dataclass(frozen=True)
class Results:
    scenario: str
    full: bool
    rounds: int
    seconds: float
    """Of each measurement."""
    conditions: Conditions
    differs: dict[str, str]
    """Each contender, in the order of the table, and what of it is not comparable."""
    samples: list[Sample]
    failures: list[Failure]

    def cases(self) -> list[str]:
        return list(dict.fromkeys(sample.case for sample in self.samples))

    def values(self, contender: str, case: str, metric: str) -> list[float]:
        """Of each round."""
        found = (each.values for each in self.samples if (each.contender, each.case) == (contender, case))
        return [values[metric] for values in found if metric in values]

    def median(self, contender: str, case: str, metric: str) -> float | None:
        """None when it was not measured."""
        values = self.values(contender, case, metric)
        return statistics.median(values) if values else None

    def most_stolen(self) -> float | None:
        return max((sample.stolen for sample in self.samples if sample.stolen is not None), default=None)

    def cpu(self, contender: str, case: str) -> Mapping[str, float]:
        """Medians by role, in microseconds for each request; a role that is missing in a round took nothing then."""
        found = [each.cpu for each in self.samples if (each.contender, each.case) == (contender, case)]
        roles = dict.fromkeys(role for each in found for role in each)
        return {role: statistics.median(each.get(role, 0.0) for each in found) for role in roles}


def write(results: Results, folder: Path = FOLDER) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{results.scenario}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n")
    return path


def read(scenario: str, folder: Path = FOLDER) -> Results | None:
    """None when the scenario was not measured. Raises msgspec.ValidationError when it is another one's file."""
    path = folder / f"{scenario}.json"
    return msgspec.json.decode(path.read_bytes(), type=Results) if path.exists() else None
