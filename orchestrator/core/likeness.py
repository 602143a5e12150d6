"""Whether a copy is like its original, as far as the cloud shows both. Pure."""

from __future__ import annotations

from orchestrator.core.model import Sighting

_FEATURES = ("size", "disks", "encryption", "platform", "architecture")


def features(sighting: Sighting) -> tuple[object, ...]:
    """Tell what a true copy shares with its original: size, number of disks, encryption, kind."""
    disks = len(sighting.snapshots)
    return sighting.size_mb, disks, sighting.encrypted, sighting.platform, sighting.architecture


def differences(original: Sighting, copy: Sighting, *, sizes: bool = True) -> tuple[str, ...]:
    """Name the features in which a copy is unlike its original; what one side hides counts for nothing.

    Without `sizes` these are left out. A relay is stricter (`schedule.relay`): what it passes on is copied
    again.
    """
    pairs = zip(_FEATURES, features(original), features(copy), strict=True)
    return tuple(
        f"{word} ({ours} there, {theirs} at the source)"
        for word, theirs, ours in pairs
        if theirs != ours and (word == "encryption" or (theirs and ours)) and (sizes or word != "size")
    )
