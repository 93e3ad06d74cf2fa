"""What every command that opens a vault asks for."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bluering.cli.extras import extra

if TYPE_CHECKING:
    from bluering.vault.vault import Vault

PASSPHRASE_VARIABLE = "BLUERING_PASSPHRASE"

VaultFolder = Annotated[
    Path | None,
    typer.Option(
        "--vault",
        envvar="BLUERING_VAULT",
        help="The vault's folder; default: in this user's data folder.",
    ),
]


def folder(given: Path | None) -> Path:
    """The vault's folder, the usual one unless another is given."""
    if given is not None:
        return given
    with extra("vault"):
        from bluering import places
    return places.data() / "vault"


def ask_passphrase(confirm: bool = False) -> str:
    """From BLUERING_PASSPHRASE, or typed without being shown."""
    given = os.environ.get(PASSPHRASE_VARIABLE)
    if given is not None:
        return given
    return typer.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm, err=True)


def open_vault(given: Path | None) -> "Vault":
    """Open the vault, asking for its passphrase if it has one; expired recordings go first."""
    with extra("vault"):
        from bluering.review.witness import put_on_record
        from bluering.vault.vault import Vault
    vault = Vault.open(folder(given), ask_passphrase)
    put_on_record(vault)
    vault.purge()
    return vault
