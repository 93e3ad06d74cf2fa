"""Is everything there, unaltered, and nothing else? And what a crash left behind."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import select

from bluering.vault.errors import DamagedError, VaultError
from bluering.vault.models import DELETED, PENDING, STORED, Recording
from bluering.vault.vault import Vault


@dataclass
class Report:
    """What ``verify`` found; ``problems`` are sentences, one for each."""

    recordings: int = 0
    tombstones: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether all is as it should be."""
        return not self.problems


def verify(vault: Vault) -> Report:
    """Read every recording and compare the rows with the files: altered, missing, surplus."""
    report = Report()
    surplus = set(vault.blobs.ids())
    with vault.session() as session:
        rows = session.scalars(select(Recording)).all()
    for recording in rows:
        if recording.state == STORED:
            report.recordings += 1
            _check(vault, recording, report)
        if recording.state in (STORED, PENDING):
            surplus.discard(recording.id)
        else:
            report.tombstones += 1
    report.problems += [
        f"there is a blob that no recording has: {name}" for name in sorted(surplus)
    ]
    report.problems += [
        f"there is a file that doesn't belong here: {path.relative_to(vault.folder.path)}"
        for path in sorted(vault.blobs.strangers())
    ]
    return report


def _check(vault: Vault, recording: Recording, report: Report) -> None:
    try:
        samples = vault.samples(recording)
    except DamagedError as error:
        report.problems.append(str(error))
        return
    if len(samples) != recording.samples:
        report.problems.append(f"recording {recording.id} has another length than it should")


def recover(vault: Vault) -> None:
    """Clear away what a receiver left unfinished when it was killed. Only under ``locked``."""
    with vault.session() as session:
        rows = session.execute(select(Recording.id, Recording.state))
        states: dict[str, str] = {row.id: row.state for row in rows}
    for recording_id in [name for name, state in states.items() if state == PENDING]:
        vault.forget(recording_id)
    for recording_id in [name for name in vault.blobs.ids() if states.get(name) == DELETED]:
        vault.blobs.delete(recording_id)
    vault.blobs.remove_parts()


@contextmanager
def locked(vault: Vault) -> Iterator[None]:
    """Be the only receiver of this vault. Raises VaultError when there is another."""
    with (vault.folder.path / "receiver.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise VaultError(
                f"another 'bluering listen' is storing into {vault.folder.path}",
                "stop it, or give this one a vault of its own with --vault",
            ) from None
        yield
