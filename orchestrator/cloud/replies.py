"""What a reply is: a success with its result, or a fault with its reason. Pure, and it never raises."""

from __future__ import annotations

from dataclasses import dataclass, replace

from orchestrator.cloud.document import Node, Unreadable, parse
from orchestrator.cloud.errors import Fault, classify, tidy
from orchestrator.core.reasons import Reason

_SNIPPET = 80  # bytes of an unreadable body that are shown
_REQUEST_MAX = 64  # documented request ids have 32 characters


@dataclass(frozen=True, slots=True)
class Answer:
    """What came over the wire: the HTTP status and the whole body."""

    http: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Body:
    """A success: the `result` object and the cloud's request id ("" when it gave none)."""

    result: Node
    request: str


def judge(answer: Answer) -> Body | Fault:
    """Tell a success from everything else."""
    try:
        document = parse(answer.body)
        return _success(document) if answer.http == 200 else _refusal(answer.http, document)
    except Unreadable as error:
        return _unread(answer, str(error))


def judge_bare(answer: Answer) -> str | Fault:
    """Return the request id of a success that has no result (deleteImage), or what else it is."""
    try:
        document = parse(answer.body)
        if answer.http != 200:
            return _refusal(answer.http, document)
        error = document.at("error")
        if error.value is not None:
            raise error.complaint(f"an error under the status 200: {error.at('message').text()}")
        return _request(document)
    except Unreadable as error:
        return _unread(answer, str(error))


def unreadable(error: Unreadable, request: str) -> Fault:
    """Make a success of the wrong shape a fault that says where it went wrong."""
    return Fault(Reason.UNREADABLE, tidy(f"200 {error}"), request=request)


def _success(document: Node) -> Body:
    """Read the envelope of a 200: a result, and no error beside it."""
    error = document.at("error")
    if error.value is not None:
        raise error.complaint(f"an error under the status 200: {error.at('message').text()}")
    result = document.at("result")
    if not isinstance(result.value, dict):
        raise result.complaint("not an object")
    return Body(result, _request(document))


def _refusal(http: int, document: Node) -> Fault:
    """Read the envelope of anything but a 200.

    An envelope that contradicts its status (a result beside the error, a server's fault inside a
    refusal) is not readable: raises Unreadable.
    """
    if document.at("result").value:
        raise Unreadable("a result beside an error")
    error = document.at("error")
    word, message, code = error.at("status"), error.at("message"), error.at("code").value
    if not word.text():
        raise word.complaint("missing")
    if isinstance(code, int) and code // 100 != http // 100:
        raise error.at("code").complaint(f"{code} under the status {http}")
    return replace(classify(http, word.text(), message.text()), request=_request(document))


def _unread(answer: Answer, complaint: str) -> Fault:
    """Judge by the status alone, and show how the body begins."""
    begins = answer.body[:_SNIPPET].decode(errors="replace").strip()
    shown = f"{complaint}: {begins}" if begins else complaint
    return classify(answer.http, None, shown)


def _request(document: Node) -> str:
    """Read the request id, "" where there is none."""
    found = document.at("requestId").value
    return tidy(found[:_REQUEST_MAX])[:_REQUEST_MAX] if isinstance(found, str) else ""
