"""What a user can set, and how the four sources become one Settings.

Holds no credentials and reads no environment of its own: environment, folders and options are
handed in. Defaults of what the schedule needs are those of `core.limits`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from orchestrator.core.limits import Limits
from orchestrator.core.model import DOCUMENTED_REGIONS, Region
from orchestrator.errors import SettingsError
from orchestrator.settings.durations import parse_duration
from orchestrator.settings.endpoints import check_endpoint, check_proxy, is_loopback
from orchestrator.settings.forms import (
    LogLevel,
    certificates,
    count,
    count_or_none,
    level,
    path_of,
    path_or_none,
    region_ids,
    share,
)
from orchestrator.settings.layers import (
    Folders,
    Handed,
    Layer,
    environment_layer,
    file_layer,
    option_layer,
    xdg_folder,
)
from orchestrator.settings.messages import MetricsFile, NotifyOn, NotifyUrls, WebUrl
from orchestrator.settings.secret import Secret

VM_ENDPOINT = "https://vm.jdcloud-api.com"
DISK_ENDPOINT = "https://disk.jdcloud-api.com"

_LIMITS = Limits()


def _proxy(value: object) -> Secret | None:
    """Check a proxy's URL and lock it away: it may hold a password."""
    if value is None:
        return None
    return Secret(check_proxy(value.reveal() if isinstance(value, Secret) else value))


def _disk_default(before: dict[str, Any]) -> str:
    """Follow a VM endpoint on this machine, so that credentials never reach the real disk host by neglect."""
    vm: str = before.get("vm_endpoint", VM_ENDPOINT)
    return vm if is_loopback(vm) else DISK_ENDPOINT


Count = Annotated[int, BeforeValidator(count)]
Share = Annotated[float, BeforeValidator(share)]
Seconds = Annotated[float, BeforeValidator(parse_duration)]
Endpoint = Annotated[str, BeforeValidator(check_endpoint)]
Proxy = Annotated[Secret | None, BeforeValidator(_proxy), PlainSerializer(lambda proxy: proxy and str(proxy))]


class Settings(BaseSettings):
    """Every setting with its default; `load_settings` fills it. Frozen; shows no secret.

    The descriptions are the reference: docs/settings.md repeats them, and a test compares.
    """

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        case_sensitive=True,
        arbitrary_types_allowed=True,
        hide_input_in_errors=True,
        validate_default=True,
    )

    vm_endpoint: Endpoint = Field(
        default=VM_ENDPOINT, description="Where image calls go: scheme, host and perhaps a port."
    )
    disk_endpoint: Endpoint = Field(
        default_factory=_disk_default,
        description="Where disk calls go. Not set while VM_ENDPOINT is this machine: the same as that.",
    )
    state_dir: Annotated[Path, BeforeValidator(path_of)] = Field(
        description="Folder of ledger, lock and progress logs, on a local disk."
    )
    workers: Count = Field(
        default=_LIMITS.workers, description="Most copyImages calls that wait for their answer at a time."
    )
    region_copies: Count = Field(
        default=_LIMITS.region_copies,
        description="Most copies in flight per destination region; refusals may teach that it takes fewer.",
    )
    requests_per_minute: Count = Field(
        default=_LIMITS.requests_per_minute, description="Most requests of any kind within a minute."
    )
    api_requests_per_minute: Annotated[int | None, BeforeValidator(count_or_none)] = Field(
        default=None, description="Most requests to any one API within a minute."
    )
    poll_interval: Seconds = Field(
        default=_LIMITS.poll_interval_s,
        description="Longest pause between two looks at a destination that has unready copies, "
        "or a tenth of a copy's duration where that is longer and its end can be predicted.",
    )
    chunk_linger: Share = Field(
        default=_LIMITS.chunk_linger,
        description="What one call is worth, as a share of a copy's duration: a chunk waits for more copies "
        "while the places that wait with it lose less. 0 waits for nothing.",
    )
    backoff_initial: Seconds = Field(
        default=_LIMITS.backoff_initial_s, description="Longest pause after the first failed try."
    )
    backoff_max: Seconds = Field(
        default=_LIMITS.backoff_max_s,
        description="Longest pause after any number of failed tries; it bounds the first one too.",
    )
    quota_interval: Seconds = Field(
        default=_LIMITS.quota_interval_s,
        description="Pause after a quota refusal before that destination is tried again.",
    )
    request_timeout: Seconds = Field(
        default=30.0, description="How long one request may take, from connecting to the last byte."
    )
    copy_timeout: Seconds = Field(
        default=_LIMITS.copy_timeout_s,
        description="How long a copy may stay unready before it counts as failed.",
    )
    settle_time: Seconds = Field(
        default=_LIMITS.settle_s,
        description="How long a lost call is looked for before it counts as not made.",
    )
    max_attempts: Count = Field(
        default=_LIMITS.max_attempts,
        description="Calls of one copy that surely made nothing and gave no known reason, before it fails.",
    )
    extra_regions: Annotated[tuple[str, ...], BeforeValidator(region_ids)] = Field(
        default=(), description="Regions that plans may name besides the documented four."
    )
    log_level: Annotated[LogLevel, BeforeValidator(level)] = Field(
        default="info", description="Least level that is logged: debug, info, warning, error, critical."
    )
    log_days: Count = Field(default=30, description="Days that progress logs are kept.")
    ledger_nights: Count = Field(
        default=100,
        description="Runs of which the ledger keeps every event; compacted when there are twice as many.",
    )
    report_dir: Annotated[Path | None, BeforeValidator(path_or_none)] = Field(
        default=None, description="Folder that every run leaves a report in (docs/report.md)."
    )
    proxy: Proxy = Field(default=None, description="HTTP proxy; a password in it is treated as a secret.")
    ca_file: Annotated[Path | None, BeforeValidator(certificates)] = Field(
        default=None, description="Certificates (PEM) that are trusted besides the system's."
    )
    metrics_file: MetricsFile = Field(
        default=None, description="File for Prometheus's textfile collector; its name ends in `.prom`."
    )
    ping_url: WebUrl = Field(
        default=None,
        description="Check of a dead man's switch such as healthchecks: told of start and end. A secret.",
    )
    webhook_url: WebUrl = Field(
        default=None, description="Where the end of a run is posted to as JSON. A secret."
    )
    notify_urls: NotifyUrls = Field(
        default=(), description="Where the end of a run is told in words, as apprise URLs. Secrets."
    )
    notify_on: NotifyOn = Field(
        default="change",
        description="When webhook and notifications are sent: change, failure, always, never.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the layers that were handed in, first wins; never the process's own environment."""
        layers = init_settings().get("layers")
        return tuple(Handed(settings_cls, layer) for layer in layers) if layers else (init_settings,)

    def limits(self) -> Limits:
        """Give the schedule its numbers."""
        return Limits(
            workers=self.workers,
            region_copies=self.region_copies,
            requests_per_minute=self.requests_per_minute,
            api_requests_per_minute=self.api_requests_per_minute,
            poll_interval_s=self.poll_interval,
            chunk_linger=self.chunk_linger,
            backoff_initial_s=self.backoff_initial,
            backoff_max_s=self.backoff_max,
            quota_interval_s=self.quota_interval,
            copy_timeout_s=self.copy_timeout,
            settle_s=self.settle_time,
            max_attempts=self.max_attempts,
        )

    def regions(self) -> frozenset[Region]:
        """Name every region a plan may use: the documented ones and the extra ones."""
        return DOCUMENTED_REGIONS | frozenset(map(Region, self.extra_regions))


def load_settings(
    *,
    environ: Mapping[str, str],
    cwd: Path,
    home: Path,
    config: Path | None,
    overrides: Mapping[str, object],
) -> Settings:
    """Merge command line, environment, one file and defaults, in this order of precedence.

    `config` is the file of --config; None looks in `cwd` and the XDG configuration folder.
    `overrides` are options by field name, None meaning not given. Raises SettingsError with all
    complaints at once, each naming its place.
    """
    names, folders = tuple(Settings.model_fields), Folders(cwd, home)
    layers = (
        option_layer(overrides, names, folders),
        environment_layer(environ, names, folders),
        file_layer(config, environ, names, folders),
        _default_layer(environ, home),
    )
    settings, invalid = _validated(layers)
    complaints = [complaint for layer in layers for complaint in layer.complaints] + invalid
    if settings is None or complaints:
        raise SettingsError("\n".join([*complaints, "docs/settings.md lists every setting and its form."]))
    return settings


def _default_layer(environ: Mapping[str, str], home: Path) -> Layer:
    """Give the one default that depends on where we are: the XDG state folder's `orchestrator`."""
    state = xdg_folder(environ, "XDG_STATE_HOME", home / ".local" / "state")
    return Layer("defaults", {"state_dir": state / "orchestrator"}, {"state_dir": "XDG_STATE_HOME"})


def _validated(layers: tuple[Layer, ...]) -> tuple[Settings | None, list[str]]:
    """Build the settings, or say of every bad value where it stands."""
    given: dict[str, Any] = {"layers": layers}
    try:
        return Settings(**given), []
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False)
    own = [fault for fault in faults if fault["type"] != "default_factory_not_called"]  # only follows another
    return None, [f"{_place(str(fault['loc'][0]), layers)}: {_message(fault)}" for fault in own]


def _place(name: str, layers: tuple[Layer, ...]) -> str:
    """Find the place of the value that counted."""
    return next((layer.places[name] for layer in layers if name in layer.values), name)


def _message(fault: ErrorDetails) -> str:
    """Prefer our own words to pydantic's."""
    return str(fault.get("ctx", {}).get("error", fault["msg"]))
