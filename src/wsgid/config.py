from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Config:
    """Placeholder until options.py exists."""

    app_path: Path
