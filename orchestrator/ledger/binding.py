"""Refuses a ledger that is another endpoint's, before anything is sent, or another account's."""

from __future__ import annotations

from pathlib import Path

from orchestrator.core.reasons import Reason
from orchestrator.core.schedule.register import Register
from orchestrator.errors import LedgerForeign
from orchestrator.settings.endpoints import endpoint_name


def refuse_foreign(path: Path, known: str, endpoint: str) -> None:
    """Raise LedgerForeign when the earlier runs talked to another endpoint; an empty `known` is any."""
    now = endpoint_name(endpoint)
    if known and known != now:
        raise LedgerForeign(
            f"The ledger {path} belongs to the endpoint {known}, and VM_ENDPOINT is {now}, "
            f"so nothing was sent. Set STATE_DIR to a folder of its own for {now}, or put VM_ENDPOINT back."
        )


def foreign_account(path: Path, register: Register) -> LedgerForeign | None:
    """Make the error of a run that stopped because the cloud showed another account's images."""
    if register.stop is not Reason.OTHER_ACCOUNT:
        return None
    return LedgerForeign(
        f"The ledger {path} belongs to the account {register.account}, and these credentials are those of "
        f"{register.other_account}, so nothing was copied. Set STATE_DIR to a folder of its own for "
        f"{register.other_account}, or use the credentials of {register.account}."
    )
