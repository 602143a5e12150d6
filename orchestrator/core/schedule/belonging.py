"""Whose ledger this is: the endpoint and the account of its runs, learned from the events themselves."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.core.messages import Inspected
from orchestrator.core.model import Sighting
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule.register import Register

_OWN = ("private", "self")
"""`imageSource` of an account's own images; those shared with it belong to somebody else."""


def belongs(register: Register, event: Inspected) -> bool:
    """Tell whether the images shown are this ledger's account's; if not, the run stops.

    The first inspection that shows the account's own images, all of one owner, says whose the ledger is.
    """
    owners = {image.owner for image in event.images if image.owner and image.image_source in _OWN}
    if not register.account and len(owners) == 1:
        register.account = owners.pop()
    if not register.account or not owners - {register.account}:
        return True
    register.other_account = min(owners - {register.account})
    register.stop = Reason.OTHER_ACCOUNT
    return False


def disowned(sighting: Sighting) -> Sighting:
    """Leave out of a destination's image what only its source needs to tell: whose, and of which time."""
    told = sighting.owner or sighting.created
    return replace(sighting, owner="", created="") if told else sighting
