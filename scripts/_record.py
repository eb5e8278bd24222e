"""What a deployment has done so far, on disk before each step, so that one that broke off is taken up again."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from scripts._steps import Parties


@dataclass(slots=True, kw_only=True)
class Record:
    """Addresses by contract name, written before the creating transaction is sent: code there means it is done."""

    path: Path
    genesis_hash: str
    parties: Parties
    start_block: int
    addresses: dict[str, str] = field(default_factory=dict)

    def put(self, name: str, address: str) -> None:
        self.addresses[name] = address
        self.save()

    def save(self) -> None:
        """Replace the file in one step."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        facts = asdict(self)
        del facts["path"]
        temporary = self.path.with_suffix(".tmp")
        temporary.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
        temporary.replace(self.path)

    def drop(self) -> None:
        self.path.unlink(missing_ok=True)


def open_record(path: Path, *, genesis_hash: str, parties: Parties, start_block: int) -> Record:
    """Take up the record at `path` if it is of this chain and these people, else start afresh."""
    record = Record(path=path, genesis_hash=genesis_hash, parties=parties, start_block=start_block)
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return record
    same = {"genesis_hash": genesis_hash, "parties": asdict(parties)}
    if any(facts.get(name) != value for name, value in same.items()):
        return record
    record.start_block = facts["start_block"]
    record.addresses = facts["addresses"]
    return record
