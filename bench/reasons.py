"""Why a target is missed, by scenario and target: shown beside the figure, and only while it is missed."""

from collections.abc import Mapping

REASONS: Mapping[str, str] = {}
