"""Which hosts may be talked to: endpoints that may see a signed request, and proxies. Resolves no name.

No message repeats a URL as a whole: people put passwords into URLs.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import SplitResult, urlsplit

DOMAIN = "jdcloud-api.com"
_HOST_MAX = 253  # RFC 1035: longest name that can be resolved
_LABELS = r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+"
_CLOUD_HOST = re.compile(_LABELS + re.escape(DOMAIN))
_INTERNAL_HOST = re.compile(r"(?:vm|disk)\.internal\.[a-z]{2,}(?:-[a-z]+)+-[0-9]+\." + re.escape(DOMAIN))
_PROXY_HOST = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_ENDPOINT_FORM = "must be https://HOST or https://HOST:PORT and nothing more"
_PROXY_FORM = "must be http://HOST:PORT or https://HOST:PORT (special characters of a password as %XX)"


def check_endpoint(value: object) -> str:
    """Return the endpoint as scheme://host[:port], in lower case, without a trailing slash.

    Accepted: https to *.jdcloud-api.com, https and http to this machine, and http to the
    documented internal endpoints. Raises ValueError with a message for people.
    """
    text = _visible(value)
    if "@" in text:
        raise ValueError("holds a user name or password (an @); an endpoint has none")
    parts = _split(text, _ENDPOINT_FORM)
    host, port = parts.hostname or "", parts.port
    if not is_loopback_host(host):
        _check_remote(parts.scheme, host)
    suffix = f":{port}" if port and port != _DEFAULT_PORTS[parts.scheme] else ""
    return f"{parts.scheme}://{_bracketed(host)}{suffix}"


def endpoint_name(endpoint: str) -> str:
    """Name a checked endpoint as a ledger remembers it: its host; `localhost` for this machine in any form.

    Without the port: a simulator gets another one each time.
    """
    host = (urlsplit(endpoint).hostname or "").lower()
    return "localhost" if is_loopback_host(host) else host


def check_proxy(value: object) -> str:
    """Return the proxy's URL without a trailing slash; it may hold a password, so handle it as a secret.

    Raises ValueError with a message for people that repeats nothing of the value.
    """
    text = _visible(value)
    parts = _split(text, _PROXY_FORM)
    host = parts.hostname or ""
    if parts.port is None or not (_PROXY_HOST.fullmatch(host) or _is_ipv6(host)):
        raise ValueError(_PROXY_FORM)
    return text.removesuffix("/")


def is_loopback(endpoint: str) -> bool:
    """Tell whether a checked endpoint is this machine (a simulator, a tunnel)."""
    return is_loopback_host(urlsplit(endpoint).hostname or "")


def is_loopback_host(host: str) -> bool:
    """Tell whether a host is localhost, ::1 or an address of 127.0.0.0/8, written in the usual way."""
    if host in ("localhost", "::1"):
        return True
    try:
        return IPv4Address(host).is_loopback
    except ValueError:
        return False


def _check_remote(scheme: str, host: str) -> None:
    """Refuse a host that is not the cloud's, and plain http where it is not documented."""
    if len(host) > _HOST_MAX or not _CLOUD_HOST.fullmatch(host):
        raise ValueError(
            f"{host!r:.80} is neither a host of *.{DOMAIN} nor this machine; "
            "a signed request is sent nowhere else"
        )
    if scheme == "http" and not _INTERNAL_HOST.fullmatch(host):
        raise ValueError(
            "plain http is for this machine and for {vm,disk}.internal.REGION."
            + f"{DOMAIN} only; write https://"
        )


def _visible(value: object) -> str:
    """Return a text of visible ASCII characters; urlsplit would silently drop some of the others."""
    if not isinstance(value, str):
        raise ValueError("must be text")
    if not all("!" <= char <= "~" for char in value):
        raise ValueError("holds a blank, a control character or one outside ASCII")
    return value


def _split(text: str, form: str) -> SplitResult:
    """Take a URL apart that has scheme, host and perhaps a port. Raises ValueError(form) otherwise."""
    try:
        parts = urlsplit(text)
        valid = parts.port != 0 and parts.scheme in _DEFAULT_PORTS and _whole(parts)
    except ValueError:  # a broken port or address; its text would repeat the value
        valid = False
    if not valid or parts.path not in ("", "/") or "?" in text or "#" in text:
        raise ValueError(form)
    return parts


def _whole(parts: SplitResult) -> bool:
    """Tell whether host and port are all there is: urlsplit passes over text beside brackets."""
    host = _bracketed(parts.hostname or "")
    after = parts.netloc.rpartition("@")[2].lower()
    return bool(host) and after in (host, f"{host}:", f"{host}:{parts.port}")


def _bracketed(host: str) -> str:
    """Write an IPv6 address as URLs have it, any other host as it is."""
    return f"[{host}]" if ":" in host else host


def _is_ipv6(host: str) -> bool:
    """Tell whether a host is an IPv6 address."""
    try:
        IPv6Address(host)
    except ValueError:
        return False
    return True
