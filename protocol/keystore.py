"""Private keys on disk: Web3 Secret Storage (version 3, scrypt), mode 0600, written in one step.

A key never appears in an error, a log or a `repr`: whatever was wrong with it is said without it.
"""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount

from protocol.errors import InputError, KeystoreError
from protocol.networks import LOCAL_CHAIN_IDS

_CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_SCRYPT_N = 2**17
"""About 0.3 s and 128 MiB for each guess at a password."""

DEVELOPMENT_ADDRESSES: frozenset[str] = frozenset(
    {
        "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
        "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
        "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
        "0x90F79bf6EB2c4f870365E785982E1f101E93b906",
        "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65",
        "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc",
        "0x976EA74026E726554dB657fA54763abd0C3a0aa9",
        "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955",
        "0x23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f",
        "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720",
        "0xBcd4042DE499D14e55001CcbB24a551F3b954096",
        "0x71bE63f3384f5fb98995898A86B02Fb2426c5788",
        "0xFABB0ac9d68B0B445fB7357272Ff202C5651694a",
        "0x1CBd3b2770909D4e10f157cABC84C7264073C9Ec",
        "0xdF3e18d64BC6A983f673Ab319CCaE4f1a57C7097",
        "0xcd3B766CCDd6AE721141F452C550Ca635964ce71",
        "0x2546BcD3c84621e976D8185a91A922aE77ECEc30",
        "0xbDA5747bFD65F08deb54cb465eB87D40e51B197E",
        "0xdD2FD4581271e230360230F9337D5c0430Bf44C0",
        "0x8626f6940E2eb28930eFb4CeF49B2d1F2C9C1199",
        "0x09DB0a93B389bEF724429898f539AEB7ac2Dd55f",
        "0x02484cb50AAC86Eae85610D6f4Bf026f30f6627D",
        "0x08135Da0A343E492FA2d4282F2AE34c6c5CC1BbE",
        "0x5E661B79FE2D3F6cE70F5AAC07d8Cd9abb2743F1",
        "0x61097BA76cD906d2ba4FD106E757f7Eb455fc295",
        "0xDf37F81dAAD2b0327A0A50003740e1C935C70913",
        "0x553BC17A05702530097c3677091C5BB47a3a7931",
        "0x87BdCE72c06C21cd96219BD8521bDF1F42C78b5e",
        "0x40Fc963A729c542424cD800349a7E4Ecc4896624",
        "0x9DCCe783B6464611f38631e6C851bf441907c710",
        "0x1BcB8e569EedAb4668e55145Cfeaf190902d3CF2",
        "0x8263Fce86B1b78F95Ab4dae11907d8AF88f841e7",
        "0xcF2d5b3cBb4D7bF04e3F7bFa8e27081B52191f91",
        "0x86c53Eb85D0B7548fea5C4B4F82b4205C8f6Ac18",
        "0x1aac82773CB722166D7dA0d5b0FA35B0307dD99D",
        "0x2f4f06d218E426344CFE1A83D53dAd806994D325",
        "0x1003ff39d25F2Ab16dBCc18EcE05a9B6154f65F4",
        "0x9eAF5590f2c84912A08de97FA28d0529361Deb9E",
        "0x11e8F3eA3C6FcF12EcfF2722d75CEFC539c51a1C",
        "0x7D86687F980A56b832e9378952B738b614A99dc6",
        "0x9eF6c02FB2ECc446146E05F1fF687a788a8BF76d",
        "0x08A2DE6F3528319123b25935C92888B16db8913E",
        "0xe141C82D99D85098e03E1a1cC1CdE676556fDdE0",
        "0x4b23D303D9e3719D6CDf8d172Ea030F80509ea15",
        "0xC004e69C5C04A223463Ff32042dd36DabF63A25a",
        "0x5eb15C0992734B5e77c888D713b4FC67b3D679A2",
        "0x7Ebb637fd68c523613bE51aad27C35C4DB199B9c",
        "0x3c3E2E178C69D4baD964568415a0f0c84fd6320A",
        "0x35304262b9E87C00c430149f28dD154995d01207",
        "0xD4A1E660C916855229e1712090CcfD8a424A2E33",
    }
)
"""The first 50 accounts of the well-known test mnemonic (anvil, hardhat): everybody has their keys."""
_SCRYPT_BYTES = 128
_MOST_MEMORY = 2**30
_DEAREST = {"n": 2**23, "r": 64, "p": 16, "c": 10_000_000, "dklen": 64}
"""What a key file may ask of whoever opens it; wallets ask for a thousandth to a third of it."""


def parse_private_key(text: str, *, field: str = "private key") -> bytes:
    """Read a private key from 64 hex digits, with or without 0x; `InputError` that never repeats it."""
    digits = text.strip().removeprefix("0x").removeprefix("0X")
    try:
        key = bytes.fromhex(digits) if len(digits) == 64 else b""
    except ValueError:
        key = b""
    if not key or not 0 < int.from_bytes(key, "big") < _CURVE_ORDER:
        raise InputError(
            f"{field}: not a private key",
            field=field,
            hint="Use 64 hex digits, with or without 0x. An address (40 digits) or a seed phrase will not work.",
        )
    return key


def create_keystore(path: str | Path, key: bytes, password: str, *, overwrite: bool = False) -> str:
    """Encrypt `key` into a new file at `path`, mode 0600, and give its address.

    Raises `KeystoreError` if the file exists (unless `overwrite`) or cannot be written, `InputError` on an empty
    password. A crash leaves the old file or none, never half of one.
    """
    target = Path(path)
    if not password:
        raise InputError(
            "password: empty", field="password", hint="Choose a password; it encrypts the key on disk."
        )
    if target.exists() and not overwrite:
        raise KeystoreError(
            f"{target}: exists already", hint="Choose another name, or move the old key away first."
        )
    account = Account.from_key(key)
    document = Account.encrypt(key, password, kdf="scrypt", iterations=_SCRYPT_N) | {
        "address": account.address
    }
    try:
        _write_private(target, json.dumps(document))
    except OSError as error:
        raise KeystoreError(
            f"{target}: cannot be written ({error.strerror})", hint="Choose another folder."
        ) from error
    return str(account.address)


def keystore_address(path: str | Path) -> str:
    """Return the address that a key file is for, without its password; `KeystoreError`."""
    address = _read(Path(path)).get("address", "")
    return address if str(address).startswith("0x") else f"0x{address}"


def load_account(path: str | Path, password: str) -> LocalAccount:
    """Unlock a key file; `KeystoreError` on a wrong password or a broken file."""
    document = _read(Path(path))
    if not _is_affordable(document):
        raise _broken(Path(path))
    try:
        key = Account.decrypt(document, password)
    except ValueError as error:
        if "MAC mismatch" not in str(error):
            raise _broken(Path(path)) from None
        raise KeystoreError(
            f"{path}: wrong password", hint="Try again; without it the key cannot be recovered."
        ) from None
    except (KeyError, TypeError, AttributeError, NotImplementedError, OverflowError):
        raise _broken(Path(path)) from None
    account: LocalAccount = Account.from_key(key)
    return account


def refuse_development_key(address: str, chain_id: int) -> None:
    """Raise `InputError` if `address` is a development account and the chain is not a local one."""
    if address in DEVELOPMENT_ADDRESSES and chain_id not in LOCAL_CHAIN_IDS:
        raise InputError(
            f"account: {address} is a published development account; on chain {chain_id} anybody could empty it",
            field="account",
            hint="Use a key of your own: parity-client auth. Development keys work on chains 31337 and 1337 only.",
        )


def _is_affordable(document: dict[str, Any]) -> bool:
    """Return whether the password's derivation asks for no more than any wallet does: a forged file could ask for years."""
    try:
        crypto = {name.lower(): part for name, part in document.items()}["crypto"]
        kdf = {name: int(value) for name, value in crypto["kdfparams"].items() if name in _DEAREST}
    except (KeyError, TypeError, ValueError, AttributeError):
        return False
    memory = kdf.get("n", 0) * kdf.get("r", 0) * _SCRYPT_BYTES
    return memory <= _MOST_MEMORY and all(0 < value <= _DEAREST[name] for name, value in kdf.items())


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise KeystoreError(f"{path}: no such key file", hint="Make one with parity-client auth.") from None
    except OSError as error:
        raise KeystoreError(
            f"{path}: cannot be read ({error.strerror})", hint="Check its permissions."
        ) from error
    except (ValueError, RecursionError):
        raise _broken(path) from None
    if not isinstance(document, dict) or "crypto" not in {name.lower() for name in document}:
        raise _broken(path)
    return document


def _write_private(target: Path, text: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # mkstemp makes the file with mode 0600, so that no moment passes in which others can read it.
    descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _broken(path: Path) -> KeystoreError:
    return KeystoreError(
        f"{path}: not a key file that can be read", hint="It must be a Web3 Secret Storage file (version 3)."
    )
