"""What the simulated cloud writes: images, quotas and envelopes in JSON. It decides nothing.

The shapes are those of the official API pages and of the official SDK's models.
"""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.simulator.books import Pairs
from orchestrator.simulator.refusals import Refusal
from orchestrator.simulator.things import OS_TYPE, Image, Snapshot, Store, created_text

Json = dict[str, object]


def success(request: str, result: Json | None) -> Json:
    """Wrap a result; calls without one answer with the request id alone."""
    return {"requestId": request} if result is None else {"requestId": request, "result": result}


def failure(request: str, refusal: Refusal, *, suffix: str = "") -> Json:
    """Wrap an error; without a request id where a fault took it away."""
    error: Json = {
        "status": refusal.status,
        "code": refusal.http,
        "message": refusal.message + suffix,
    }
    if refusal.details:
        error["details"] = [{"reason": refusal.details}]
    return {"requestId": request, "error": error} if request else {"error": error}


def copied(pairs: Pairs) -> Json:
    """Write the answer of copyImages."""
    return {"copyImages": [{"destinationImageId": image, "sourceImageId": source} for source, image in pairs]}


def listing(store: Store, images: Sequence[Image], total: int, at: float, *, null: bool) -> Json:
    """Write one page of images; `null` where nothing was found and the world is so inclined."""
    shown = [image_json(store, image, at) for image in images]
    return {"images": None if null and not shown else shown, "totalCount": total}


def image_json(store: Store, image: Image, at: float) -> Json:
    """Write one image. `desc` is what requests call `description`; `progress` is a text of digits."""
    system, *data = [_disk(store.snapshots.get(name), name) for name in image.snapshots] or [_local_disk()]
    return {
        "imageId": image.id,
        "name": image.name,
        "desc": image.text,
        "status": image.status,
        "progress": str(image.progress(at)),
        "createTime": created_text(image.created_s),
        "sizeMB": image.size_mb,
        "systemDiskSizeGB": max(40, image.size_mb // 1024),
        "rootDeviceType": image.root_device,
        "imageSource": image.image_source,
        "snapshotId": image.snapshots[0] if image.snapshots else "",
        "systemDisk": system,
        "dataDisks": data,
        "launchPermission": "specifiedUsers" if image.shared else "ownerOnly",
        "platform": image.platform,
        "osType": OS_TYPE,
        "osVersion": "7.9 64bit",
        "architecture": image.architecture,
        "ownerPin": image.owner,
        "offline": False,
        "imported": False,
    }


def image_quota(limit: int, used: int) -> Json:
    """Write one entry of the VM service's quotas."""
    return {"resourceType": "image", "limit": limit, "used": used}


def _disk(snapshot: Snapshot | None, name: str) -> Json:
    """Write one cloud disk of an image."""
    return {
        "diskCategory": "cloud",
        "autoDelete": True,
        "cloudDisk": {
            "diskType": "ssd.gp1",
            "diskSizeGB": snapshot.size_gb if snapshot else 0,
            "snapshotId": name,
            "encrypted": bool(snapshot and snapshot.encrypted),
        },
    }


def _local_disk() -> Json:
    """Write the system disk of an image without snapshots."""
    return {"diskCategory": "local", "autoDelete": True, "localDisk": {"diskType": "ssd", "diskSizeGB": 40}}
