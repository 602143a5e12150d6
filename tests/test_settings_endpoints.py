"""Endpoints and proxies: a signed request goes nowhere else, and no password is shown."""

from __future__ import annotations

import copy
import pickle
import re
import traceback
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from yarl import URL

from orchestrator.cloud.requests import describe_image, list_images
from orchestrator.cloud.signing import host_of
from orchestrator.core.model import ImageId, Region
from orchestrator.errors import SettingsError
from orchestrator.settings import Settings
from orchestrator.settings.endpoints import check_endpoint
from tests.settings_place import CANARY, Place, make_place, variable


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return make_place(tmp_path)


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("https://vm.jdcloud-api.com/", "https://vm.jdcloud-api.com"),
        ("HTTPS://VM.JDCLOUD-API.COM:443", "https://vm.jdcloud-api.com"),
        ("https://a.b.jdcloud-api.com:8443", "https://a.b.jdcloud-api.com:8443"),
        ("http://vm.internal.cn-north-1.jdcloud-api.com", "http://vm.internal.cn-north-1.jdcloud-api.com"),
        ("http://disk.internal.cn-east-2.jdcloud-api.com/", "http://disk.internal.cn-east-2.jdcloud-api.com"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://127.9.9.9:80", "http://127.9.9.9"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://localhost", "http://localhost"),
        ("https://localhost:8443", "https://localhost:8443"),
    ],
)
@pytest.mark.parametrize("name", ["vm_endpoint", "disk_endpoint"])
def test_endpoints(place: Place, name: str, text: str, endpoint: str) -> None:
    """The cloud's hosts and this machine are accepted, and written in one form."""
    assert getattr(place.load({variable(name): text}), name) == endpoint


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("https://evil.com", "'evil.com' is neither"),
        ("https://jdcloud-api.com", "is neither"),
        ("https://vm.jdcloud-api.com.evil.com", "is neither"),
        ("https://evil-jdcloud-api.com", "is neither"),
        ("https://vm.jdcloud-api.com.", "is neither"),
        ("https://evil.com\\.jdcloud-api.com", "is neither"),
        ("https://evil.com%2f.jdcloud-api.com", "is neither"),
        ("https://10.0.0.1", "is neither"),
        ("https://2130706433", "is neither"),
        ("http://0177.0.0.1", "is neither"),
        ("http://127.1", "is neither"),
        ("http://0.0.0.0", "is neither"),
        ("http://[::ffff:127.0.0.1]", "is neither"),
        ("http://localhost.evil.com", "is neither"),
        ("https://" + "a." * 200 + "jdcloud-api.com", "is neither"),
        ("http://vm.jdcloud-api.com", "plain http is for this machine"),
        ("http://oss.internal.cn-north-1.jdcloud-api.com", "plain http is for this machine"),
        ("http://vm.internal.cn.jdcloud-api.com", "plain http is for this machine"),
        (f"https://user:{CANARY}@vm.jdcloud-api.com", "holds a user name or password"),
        (f"https://{CANARY}@127.0.0.1", "holds a user name or password"),
        (f"https://vm.jdcloud-api.com/{CANARY}", "and nothing more"),
        (f"https://vm.jdcloud-api.com?{CANARY}", "and nothing more"),
        ("https://vm.jdcloud-api.com?", "and nothing more"),
        (f"https://vm.jdcloud-api.com#{CANARY}", "and nothing more"),
        (f"https://vm.jdcloud-api.com:{CANARY}", "and nothing more"),
        ("https://vm.jdcloud-api.com:0", "and nothing more"),
        ("https://vm.jdcloud-api.com:70000", "and nothing more"),
        ("https://[::1", "and nothing more"),
        ("https://[::1]evil.com", "and nothing more"),
        ("https://[localhost]", "and nothing more"),
        ("https://evil[::1]", "and nothing more"),
        ("vm.jdcloud-api.com", "must be https://"),
        ("localhost:8080", "must be https://"),
        ("ftp://localhost", "must be https://"),
        ("https://", "must be https://"),
        ("https://vm.jdcloud\n-api.com", "control character"),
        ("https://localhost.", "is neither"),
        ("https://vm.jdcloud-api.com..", "is neither"),
        ("https://.jdcloud-api.com", "is neither"),
        ("https://xn--vm-jdcloud-api-com-evil.com", "is neither"),
        ("https://vm.jdcloud-api.com%00.evil.com", "is neither"),
        ("https://vm.jdcloud-api.com:443.evil.com", "and nothing more"),
        ("https://vm.jdcloud-api.com:443:443", "and nothing more"),
        ("https://vm.jdcloud-api.com:0443", "and nothing more"),
        ("https://vm.jdcloud-api.com:+443", "and nothing more"),
        ("https:///vm.jdcloud-api.com", "must be https://"),
        ("https:vm.jdcloud-api.com", "must be https://"),
        ("https:\\\\vm.jdcloud-api.com", "must be https://"),
        ("//vm.jdcloud-api.com", "must be https://"),
        ("https://vm.jdcloud-api.com;evil.com", "is neither"),
        ("https://vm.jdcloud-api.com,evil.com", "is neither"),
        ("https://[::1%25eth0]", "is neither"),
        ("https://[::1%lo]", "is neither"),
        ("https://[0:0:0:0:0:0:0:1]", "is neither"),
        ("http://0x7f000001", "is neither"),
        ("http://127.0.0.1.", "is neither"),
        ("http://127.0.0.1.evil.com", "is neither"),
        ("http://127.0.0.01", "is neither"),
        ("http://vm.internal.cn-north-1.jdcloud-api.com.evil.com", "is neither"),
        ("https://vm.jdcloud-api.com ", "blank"),
        ("https://vm.jdcloud-api.com\r\nHost: evil.com", "blank"),
        ("https://vm.jdcloud-api.com\t", "blank"),
        ("https://vm.jdcloud-api.com\uff0eevil.com", "outside ASCII"),
        ("https://vm\u3002jdcloud-api.com", "outside ASCII"),
        ("https://vm.jdcl\u043eud-api.com", "outside ASCII"),
        ("https://\u2460\u2461\u2466.0.0.1", "outside ASCII"),
        ("https://vm.jdcloud\u2024api.com", "outside ASCII"),
        (443, "must be text"),
    ],
)
def test_endpoints_that_could_lead_a_signature_elsewhere(place: Place, text: object, part: str) -> None:
    """Every other host, scheme and shape is refused, and no part that may be a password is repeated."""
    message = place.refusal(vm_endpoint=text)
    assert part in message
    assert CANARY not in message


_PARTS = st.one_of(
    st.sampled_from(
        """
        https http:// https:// HTTPS:// :// // / \\ @ : . .. # ? % %2e %2f %00 [ ] [::1] ::1 localhost
        LOCALHOST 127.0.0.1 127.1 2130706433 0x7f.1 evil.com .evil.com vm disk vm.
        .jdcloud-api.com jdcloud-api.com JDCLOUD-API.COM internal .internal. cn-north-1
        xn-- :443 :80 :8443 :0 , ; & = user:pass@
        """.split()  # noqa: SIM905
    ),
    st.characters(),
    st.text(max_size=3),
)
_LIKELY = st.one_of(
    st.tuples(
        st.sampled_from(["https://", "http://", "HTTPS://"]), st.text("abz019.-_:[]%", max_size=9)
    ).flatmap(
        lambda pair: st.sampled_from([".jdcloud-api.com", "127.0.0.1", "localhost", "[::1]", "evil.com"]).map(
            lambda end: "".join((*pair, end))
        )
    ),
    st.lists(_PARTS, max_size=9).map("".join),
)


@settings(max_examples=600, deadline=None)
@given(_LIKELY)
@example("https://vm.jdcloud-api.com")
@example("http://127.0.0.1:8700")
@example("http://vm.internal.cn-north-1.jdcloud-api.com")
def test_whatever_is_accepted_leads_to_the_cloud_or_to_this_machine(text: str) -> None:
    """For any text: what yarl, and so aiohttp, would connect to is the cloud by https, or loopback.

    The one plain way besides is the documented internal one. What is signed as host is that host.
    """
    try:
        endpoint = check_endpoint(text)
    except ValueError:
        return
    target = list_images(Region("cn-north-1"), 1).target
    url = URL(endpoint + target, encoded=True)
    host = url.raw_host or ""
    assert url.raw_path_qs == target
    assert url.user is None
    assert url.password is None
    assert host_of(str(url)) == url.host_port_subcomponent
    if host in ("localhost", "::1"):
        return
    try:
        assert ip_address(host).is_loopback
    except ValueError:
        assert host.isascii()
        assert host.endswith(".jdcloud-api.com")
        plain = re.fullmatch(r"(vm|disk)\.internal\.[a-z-]+-[0-9]+\.jdcloud-api\.com", host)
        assert url.scheme == "https" or plain


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(), st.text("abcn-019./\\%?#:@ \n", max_size=12)), st.text(max_size=12))
@example("..", "cn-north-1")
@example("cn-north-1\n", "cn-north-1\n")
@example("%2e%2e", ".")
def test_no_region_or_id_changes_where_a_request_goes(region: str, image: str) -> None:
    """For any text that came as region or image id, whoever said it: same host, same number of segments."""
    try:
        target = describe_image(Region(region), ImageId(image)).target
    except (ValueError, UnicodeEncodeError):
        return
    url = URL("https://vm.jdcloud-api.com" + target, encoded=True)
    assert (url.raw_host, url.raw_query_string, url.raw_fragment) == ("vm.jdcloud-api.com", "", "")
    assert [len(url.raw_parts), url.raw_parts[1:3], url.raw_parts[4]] == [6, ("v1", "regions"), "images"]
    assert {".", ".."}.isdisjoint(url.raw_parts)
    assert target.isascii()
    assert target.isprintable()


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(), st.text("abcn-019.,/\n", max_size=14)))
@example("cn-north-1\n")
@example("../cn-north-1")
@example("cn-north-1,..")
@example("cn-north-\u0661")
def test_an_extra_region_is_a_region_and_nothing_else(text: str) -> None:
    """For any text: what EXTRA_REGIONS accepts is letters, dashes and a number, a segment by itself."""
    try:
        found = Settings(state_dir=Path("s"), extra_regions=text).extra_regions
    except ValueError:
        return
    for region in found:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)+-[0-9]+", region, re.ASCII)
        assert quote(region, safe="") == region


@pytest.mark.parametrize("simulator", ["http://127.0.0.1:8080", "http://localhost:1", "https://[::1]:2"])
def test_disk_follows_a_simulator(place: Place, simulator: str) -> None:
    """A VM endpoint on this machine serves disk calls too, unless that endpoint is set by itself."""
    assert place.load({"ORCHESTRATOR_VM_ENDPOINT": simulator}).disk_endpoint == simulator
    assert Settings(state_dir=Path("s"), vm_endpoint=simulator).disk_endpoint == simulator
    place.here('disk_endpoint = "http://127.0.0.2"')
    assert place.load({"ORCHESTRATOR_VM_ENDPOINT": simulator}).disk_endpoint == "http://127.0.0.2"


def test_disk_stays_where_the_vm_endpoint_is_remote(place: Place) -> None:
    """Only this machine is followed."""
    internal = "http://vm.internal.cn-north-1.jdcloud-api.com"
    assert place.load(vm_endpoint=internal).disk_endpoint == "https://disk.jdcloud-api.com"


@pytest.mark.parametrize(
    "text",
    ["http://proxy:3128/", "https://10.0.0.1:1", "http://[fd00::1]:3128", "http://u:p%40@p.example:8080"],
)
def test_proxies(place: Place, text: str) -> None:
    """A proxy is a URL with a port, perhaps with a password; only `reveal` gives it out."""
    proxy = place.load(proxy=text).proxy
    assert proxy is not None
    assert proxy.reveal() == text.removesuffix("/")


@pytest.mark.parametrize(
    "text",
    [
        f"http://u:{CANARY}@p",
        f"socks5://u:{CANARY}@p:1",
        f"http://u:{CANARY}/@p:1",
        f"http://u:{CANARY}#@p:1",
        f"http://p:1/{CANARY}",
        f"http://p:{CANARY}",
        f"u:{CANARY}@p:1",
        f"http://u:{CANARY} @p:1",
        f"http://u:{CANARY}@p:0",
        f"http://u:{CANARY}@:1",
        f"http://u:{CANARY}@a_\\b:1",
        f"http://u:{CANARY}@[x:1",
    ],
)
def test_bad_proxies_show_nothing(place: Place, text: str) -> None:
    """A refused proxy names its place, and neither message nor traceback repeats its password."""
    with pytest.raises(SettingsError) as caught:
        place.load({"ORCHESTRATOR_PROXY": text})
    assert str(caught.value).startswith("ORCHESTRATOR_PROXY: ")
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__context__ is None


def test_a_proxy_password_is_never_shown(place: Place) -> None:
    """No way of printing, dumping or copying settings gives the password away."""
    settings = place.load({"ORCHESTRATOR_PROXY": f"http://u:{CANARY}@p:1"}, log_level="info")
    shown = [
        repr(settings),
        str(settings),
        f"{settings}",
        f"{settings.proxy:>20}",
        settings.model_dump_json(),
    ]
    assert not [text for text in (*shown, repr(settings.model_dump())) if CANARY in text]
    assert "u:" not in repr(settings.proxy)
    for spoil in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled or copied"):
            spoil(settings)


def test_the_settings_library_is_given_no_password_to_log(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """pydantic-settings can log what every source says; the password is locked away before that."""
    monkeypatch.setenv("PYDANTIC_SETTINGS_DEBUG", "1")
    caplog.set_level("DEBUG")
    place.here(f'proxy = "http://u:{CANARY}@file:1"')
    place.load({"ORCHESTRATOR_PROXY": f"http://u:{CANARY}@p:1"})
    assert caplog.text.count("Secret(") == 2
    assert CANARY not in caplog.text
