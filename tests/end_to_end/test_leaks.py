"""That the search through the logs, which the network's fixture makes at its end, finds what is there."""

from pathlib import Path

from devnet.accounts import LOCAL
from tests.end_to_end.leaks import keys, leaks


def test_a_key_or_a_text_in_a_log_is_found(tmp_path: Path) -> None:
    clean, dirty = tmp_path / "server.log", tmp_path / "runner-1.log"
    clean.write_text('{"event": "started"}\n')
    dirty.write_text(
        f'{{"key": "{LOCAL.node(0).key.hex().upper()}", "prompt": "a line\\nand \\"another\\""}}\n'
    )
    secrets = {**keys(), "prompt": 'a line\nand "another"'}
    (key,) = [name for name, secret in keys().items() if secret == LOCAL.node(0).key.hex().removeprefix("0x")]
    assert set(leaks([clean, dirty], secrets)) == {f"runner-1.log: {key}", "runner-1.log: prompt"}
