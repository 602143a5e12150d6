"""Durations for settings and options: those of the core, under the name that settings know."""

from orchestrator.core.durations import FORMS, LONGEST_S, parse_duration

__all__ = ["FORMS", "LONGEST_S", "parse_duration"]
