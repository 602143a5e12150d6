"""What stops the program: one base class, each leaf with its exit code and an advice.

What the cloud does to us is an event (`core.messages`). An exception is for what a person must
mend, and its message ends with what to do next. The class docstring is the default message.
"""

from __future__ import annotations


class OrchestratorError(Exception):
    """The program met a fault of its own. Run again with -v and report what it prints."""

    exit_code = 1

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip())


class UsageError(OrchestratorError):
    """The command line asks for something that cannot be done. See `orchestrator --help`."""

    exit_code = 2


class PlanError(UsageError):
    """The plan cannot be used. Mend the places named above and run `orchestrator validate PLAN`."""

    def __init__(self, complaints: tuple[str, ...]) -> None:
        """Take every complaint at once, each a line `file:line:column: path: message`."""
        super().__init__("\n".join(complaints))
        self.complaints = complaints


class PlanMoved(UsageError):
    """The saved plan is not true any more. Plan again, look at it, and run that."""

    def __init__(self, moved: tuple[str, ...]) -> None:
        """Take what moved, a line each."""
        lines = "".join(f"\n  {line}" for line in moved)
        super().__init__(
            f"The world has moved since this plan was saved, so nothing was sent. What moved:{lines}\n"
            "Run `orchestrator plan PLAN --out FILE` again and look at what it says."
        )
        self.moved = moved


class SettingsError(UsageError):
    """A setting cannot be used. See docs/settings.md for the names and their forms."""


class CredentialsMissing(UsageError):
    """No credentials. Set JDCLOUD_ACCESS_KEY and JDCLOUD_SECRET_KEY, their _FILE forms, or --profile."""


class LedgerDamaged(OrchestratorError):
    """The ledger is damaged and was left as it is. Restore a backup of the state folder."""

    exit_code = 65


class LedgerTooNew(LedgerDamaged):
    """The ledger was written by a newer version. Upgrade orchestrator to use it."""


class LedgerForeign(OrchestratorError):
    """The ledger belongs to another account or endpoint. Set STATE_DIR to a folder of its own."""

    exit_code = 78


class LedgerUnwritable(OrchestratorError):
    """The ledger cannot be written, so nothing more was sent. Free space in the state folder, run again."""


class LockHeld(OrchestratorError):
    """Another run holds the lock. Wait for it, or give --lock-wait."""

    exit_code = 75


class CloudSilent(OrchestratorError):
    """A region could not be read. Try again; `orchestrator doctor` tells what answers and what does not."""

    exit_code = 3

    def __init__(self, region: str, what: str) -> None:
        """Take the region and what it answered, if it did."""
        super().__init__(
            f"{region} could not be read: {what}. Try again; `orchestrator doctor` tells what answers."
        )


class CredentialsRefused(OrchestratorError):
    """The cloud refused the credentials. Check the access key, its secret and this machine's clock."""

    exit_code = 77

    def __init__(self, region: str, what: str) -> None:
        """Take the region that refused, and its words."""
        said = f" ({what})" if what else ""
        super().__init__(
            f"{region} refused the credentials{said}. Check the access key, its secret, its permissions and "
            "the clock of this machine."
        )


class Interrupted(OrchestratorError):
    """Stopped by a signal before the run began."""

    def __init__(self, signal: int) -> None:
        """Take the signal's number; the exit code is that plus 128, as a shell would say it."""
        super().__init__()
        self.exit_code = 128 + signal


class Overtaken(LockHeld):
    """Another run took this ledger over. This one stopped and wrote nothing more."""
