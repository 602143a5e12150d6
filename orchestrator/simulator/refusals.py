"""The texts with which the cloud says no, word for word from its official pages; never decides anything."""

from __future__ import annotations


class Refusal(Exception):
    """One error reply: HTTP status, the API's status word and its message.

    `details` is for the person who debugs a client; the real cloud sends none for most errors.
    """

    def __init__(self, http: int, status: str, message: str, details: str = "") -> None:
        super().__init__(f"{http} {status}: {message}")
        self.http = http
        self.status = status
        self.message = message
        self.details = details

    @property
    def from_gateway(self) -> bool:
        """Tell whether the gateway says it, before any service is asked."""
        gateway_words = self.status.startswith("HTTP_") or self.status in ("ACCESS_ERROR", "RATE_LIMIT")
        return gateway_words or self.message.startswith("no route")


def precondition(message: str) -> Refusal:
    """Word a 400 FAILED_PRECONDITION."""
    return Refusal(400, "FAILED_PRECONDITION", message)


def invalid(message: str) -> Refusal:
    """Word a 400 INVALID_ARGUMENT."""
    return Refusal(400, "INVALID_ARGUMENT", message)


# --- copyImages: every row of the official error table --------------------------------------------


def invalid_region(region: str) -> Refusal:
    """Refuse an unknown region, and, as no other row fits, a copy inside one region."""
    return invalid(f"Invalid region '{region}'")


def not_found(image: str) -> Refusal:
    """Refuse an image that does not exist."""
    return Refusal(404, "NOT_FOUND", f"Image '{image}' not found")


def not_usable() -> Refusal:
    """Refuse an image that is not a private image of the caller."""
    return precondition("Can't use this image")


def local_disk() -> Refusal:
    """Refuse an image whose system disk is a local disk."""
    return precondition("Only support cloudDisk image")


def bad_status(status: str) -> Refusal:
    """Refuse an image that is not ready."""
    return precondition(f"Invalid image status '{status}'")


def encrypted(snapshot: str) -> Refusal:
    """Refuse an encrypted snapshot; grammar and full stop as printed by the cloud."""
    return precondition(f"Copy encrypted snapshot '{snapshot}' is not support.")


def conflict(task: str) -> Refusal:
    """Refuse an image that another task of the cloud works on; the image is not named."""
    return precondition(f"Conflict with underlay image task '{task}'")


def busy(image: str) -> Refusal:
    """Refuse an image that is being copied or converted."""
    return precondition(f"The image '{image}' is busy")


def image_quota() -> Refusal:
    """Refuse for want of room for images."""
    return Refusal(429, "QUOTA_EXCEEDED", "Image quota limit exceeded")


def snapshot_quota() -> Refusal:
    """Refuse for want of room for snapshots."""
    return Refusal(429, "QUOTA_EXCEEDED", "Snapshot quota limit exceeded")


def internal() -> Refusal:
    """Fail for no reason that a caller could know."""
    return Refusal(500, "INTERNAL", "Internal server error")


# --- the other calls ------------------------------------------------------------------------------


def source_missing() -> Refusal:
    """Refuse describeImages with neither ids nor imageSource."""
    return precondition("Parameter ImageSource missing")


def page_size() -> Refusal:
    """Refuse a page size outside [10, 100]."""
    return Refusal(400, "OUT_OF_RANGE", "PageSize out of range")


def page_number() -> Refusal:
    """Refuse a page number below 1; the text is ours, none is documented."""
    return Refusal(400, "OUT_OF_RANGE", "PageNumber out of range")


def nothing_to_modify() -> Refusal:
    """Refuse modifyImageAttribute without a change; the ideographic comma is the cloud's."""
    return invalid("Parameter name、description missing")


def undeletable() -> Refusal:
    """Refuse to delete what is not the caller's."""
    return precondition("Can't delete this image")


def undeletable_shared() -> Refusal:
    """Refuse to delete an image that is shared with others."""
    return precondition("Can't delete shared image")


# --- the gateway ----------------------------------------------------------------------------------


def no_route() -> Refusal:
    """Refuse a path that no service has."""
    return Refusal(404, "NOT_FOUND", "no route and no API found with those values")


def unauthenticated(message: str, details: str = "") -> Refusal:
    """Refuse a request whose signature does not hold."""
    return Refusal(401, "ACCESS_ERROR", message, details)


def forbidden() -> Refusal:
    """Refuse an API to a key that may not use it (official page on what a sub-account may call)."""
    return Refusal(403, "HTTP_FORBIDDEN", "No permission")


def throttled(*, old_spelling: bool = False) -> Refusal:
    """Refuse for too many requests a minute; two generations of the documents spell it differently."""
    status = "RATE_LIMIT" if old_spelling else "HTTP_RATE_LIMIT_EXCEEDED"
    return Refusal(429, status, "minute rate limit exceeded, role:ak")


def uri_too_long() -> Refusal:
    """Refuse a request line over 8 k."""
    return Refusal(414, "HTTP_URI_TOO_LONG", "URI too long")


def timing_out() -> Refusal:
    """Give up on a service that may well have done the work."""
    return Refusal(504, "HTTP_SERVER_TIMING_OUT", "The upstream server is timing out")
