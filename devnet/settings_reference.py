"""Write `.env.sample` and `docs/reference/settings.md` from the processes' settings models.

`python -m devnet.settings_reference` writes both; `--check` only says whether they are current.
"""

import sys
from pathlib import Path

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from api.settings import ServerSettings
from client.settings import ClientSettings
from indexer.settings import IndexerSettings
from protocol.settings import ChainSettings, IpfsSettings
from runner.settings import RunnerSettings

SECTIONS: dict[str, type[BaseSettings]] = {
    "Chain (every process)": ChainSettings,
    "IPFS (indexer, runner, client)": IpfsSettings,
    "parity-indexer": IndexerSettings,
    "parity-server": ServerSettings,
    "parity-runner": RunnerSettings,
    "parity-client": ClientSettings,
}
SHARED = (ChainSettings, IpfsSettings)
COMPOSE_TITLE = "compose.yaml alone"
COMPOSE: dict[str, tuple[str, str]] = {
    "POSTGRES_PASSWORD": ("", "password of the database's superuser, URL-safe (required)"),
    "INDEXER_DB_PASSWORD": ("", "password of the database role parity_indexer, URL-safe (required)"),
    "API_DB_PASSWORD": ("", "password of the database role parity_api, URL-safe (required)"),
    "INDEXER_RPC": ("", "the indexer's RPC endpoints, one of them an archive node, instead of FILECOIN_RPC"),
    "KUBO_SWARM_BIND": ("127.0.0.1", "address of the host on which other IPFS nodes reach this one"),
    "POSTGRES_IMAGE": ("postgres:18-bookworm", "image of the database; use a digest to pin it"),
    "KUBO_IMAGE": ("ipfs/kubo:v0.38.1", "image of the IPFS node; use a digest to pin it"),
    "OLLAMA_IMAGE": ("ollama/ollama:0.32.15", "image of the model engine; use a digest to pin it"),
    "TORCH_INDEX": (
        "https://download.pytorch.org/whl/cpu",
        "package index from which the runner's image installs torch; use another one for a build for graphics cards",
    ),
}
"""What only compose.yaml reads: default and meaning. The rest of its variables are the processes'."""
TARGETS = {Path(".env.sample"): "sample", Path("docs/reference/settings.md"): "page"}


def own_fields(settings: type[BaseSettings]) -> dict[str, FieldInfo]:
    """Return the fields that a settings class adds to, or words otherwise than, the shared ones."""
    shared: dict[str, FieldInfo] = {}
    if settings not in SHARED:
        for base in SHARED:
            shared |= base.model_fields
    return {
        name: field
        for name, field in settings.model_fields.items()
        if name not in shared or shared[name].description != field.description
    }


def default_of(field: FieldInfo) -> str:
    """Return a field's default as it is written in the environment; empty when it has none."""
    default = field.default
    if default is None or default is PydanticUndefined or default == ():
        return ""
    return str(default)


def sample() -> str:
    """Return the text of `.env.sample`: every variable, commented out, with its default."""
    lines = [
        "# Every variable that Parity's processes read, with its default. Generated; uncomment what you change."
    ]
    for title, settings in SECTIONS.items():
        lines += ["", f"# --- {title}"]
        for name, field in own_fields(settings).items():
            required = " (required)" if field.is_required() else ""
            lines += [f"# {field.description}{required}", f"# {name.upper()}={default_of(field)}"]
    lines += ["", f"# --- {COMPOSE_TITLE}"]
    for name, (default, meaning) in COMPOSE.items():
        lines += [f"# {meaning}", f"# {name}={default}"]
    return "\n".join(lines) + "\n"


def page() -> str:
    """Return the text of the settings reference."""
    lines = [
        "# Settings",
        "",
        "Read from the environment and from `.env`, the environment first. A wrong value is named with what was expected.",
        "Generated from the settings models.",
    ]
    for title, settings in SECTIONS.items():
        lines += ["", f"## {title}", "", "| variable | default | meaning |", "|---|---|---|"]
        for name, field in own_fields(settings).items():
            default = (
                f"`{default_of(field)}`" if default_of(field) else ("required" if field.is_required() else "")
            )
            lines.append(f"| `{name.upper()}` | {default} | {field.description} |")
    lines += ["", f"## {COMPOSE_TITLE}", "", "| variable | default | meaning |", "|---|---|---|"]
    lines += [
        f"| `{name}` | {f'`{default}`' if default else ''} | {meaning} |"
        for name, (default, meaning) in COMPOSE.items()
    ]
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    """Write the files, or with `--check` name those that are stale and give 1."""
    texts = {"sample": sample(), "page": page()}
    stale = [path for path, kind in TARGETS.items() if not path.exists() or path.read_text() != texts[kind]]
    if "--check" in arguments:
        for path in stale:
            sys.stderr.write(f"{path} is stale: run `make reference`\n")
        return 1 if stale else 0
    for path in stale:
        path.write_text(texts[TARGETS[path]])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
