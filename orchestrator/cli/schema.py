"""`orchestrator schema`: the JSON Schema of a plan, for editors and other programs."""

from __future__ import annotations

import json

import click


@click.command()
def schema() -> None:
    """Print the JSON Schema of a plan file; config/schema/plan.schema.json is this text."""
    from orchestrator.core.plan.schema import plan_schema

    click.echo(json.dumps(plan_schema(), indent=2, ensure_ascii=False))
