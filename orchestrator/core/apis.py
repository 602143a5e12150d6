"""Which API of the cloud an action calls: what the report counts by, and what the gateway limits by.

The names are those of the official API pages. Knows no paths and sends nothing.
"""

from __future__ import annotations

from typing import assert_never

from orchestrator.core.messages import Action, Check, Inspect, List, Look, Submit, Survey
from orchestrator.core.model import Resource

COPY_IMAGES = "copyImages"
DESCRIBE_IMAGES = "describeImages"
DESCRIBE_IMAGE = "describeImage"
DESCRIBE_QUOTAS = "describeQuotas"
DESCRIBE_QUOTA = "describeQuota"

APIS_OF_READ: dict[str, tuple[str, ...]] = {
    "inspect": (DESCRIBE_IMAGES,),
    "list": (DESCRIBE_IMAGES,),
    "look": (DESCRIBE_IMAGES,),
    "check": (DESCRIBE_IMAGE,),
    "survey": (DESCRIBE_QUOTAS, DESCRIBE_QUOTA),
}
"""Kind of a read, as `Unanswered.read` names it -> the APIs that may have been asked."""


def api_of(action: Action) -> str:
    """Name the API that an action calls."""
    match action:
        case Submit():
            return COPY_IMAGES
        case Inspect() | List() | Look():
            return DESCRIBE_IMAGES
        case Check():
            return DESCRIBE_IMAGE
        case Survey():
            return quota_api(action.resource)
        case _:
            assert_never(action)


def quota_api(resource: Resource) -> str:
    """Name the API that tells a quota: images belong to the VM service, snapshots to the disk service."""
    return DESCRIBE_QUOTAS if resource is Resource.IMAGE else DESCRIBE_QUOTA
