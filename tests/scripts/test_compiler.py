from pathlib import Path

from scripts._compiler import fingerprint


def tree(root: Path) -> Path:
    (root / "contracts" / "libraries").mkdir(parents=True)
    (root / "contracts" / "TaskEscrow.sol").write_text('import {Verdict} from "./libraries/Verdict.sol";')
    (root / "contracts" / "libraries" / "Verdict.sol").write_text("library Verdict {}")
    (root / "ape-config.yaml").write_text("solidity: {}")
    return root


def test_a_changed_library_means_that_those_who_import_it_are_compiled_again(tmp_path: Path) -> None:
    before = fingerprint(tree(tmp_path))
    (tmp_path / "contracts" / "libraries" / "Verdict.sol").write_text("library Verdict { /* stricter */ }")
    assert fingerprint(tmp_path) != before


def test_changed_compiler_settings_mean_compiling_again(tmp_path: Path) -> None:
    before = fingerprint(tree(tmp_path))
    (tmp_path / "ape-config.yaml").write_text("solidity: {evm_version: cancun}")
    assert fingerprint(tmp_path) != before


def test_nothing_is_compiled_again_when_nothing_changed(tmp_path: Path) -> None:
    assert fingerprint(tree(tmp_path)) == fingerprint(tmp_path)
