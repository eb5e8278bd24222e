"""The engine's models, as its owner keeps them: what is there and offered, and fetching more with progress to look at."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import ollama

from runner.errors import EngineRefused, EngineUnavailable
from runner.executors import Model
from runner.settings import RunnerSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulling:
    """How a pull stands: the engine's word for it, and bytes of the layer `digest` (empty between layers)."""

    status: str
    digest: str = ""
    completed: int = 0
    total: int = 0


async def pull(url: str, name: str) -> AsyncIterator[Pulling]:
    """Have the engine fetch a model, and tell how it goes until it is there.

    Raises `EngineRefused` if it does not know the model or fetches none, `EngineUnavailable` if it does not answer.
    """
    client = ollama.AsyncClient(host=url, timeout=httpx.Timeout(None, connect=5.0))
    try:
        status = ""
        async for step in await client.pull(name, stream=True):
            status = step.status or ""
            yield Pulling(
                status=status,
                digest=step.digest or "",
                completed=step.completed or 0,
                total=step.total or 0,
            )
    except ollama.ResponseError as error:
        raise EngineRefused(
            f"{url} does not fetch {name}: {error.error}",
            hint="Check the name. The embedded engine has its one model and fetches none; Ollama does.",
        ) from error
    except (httpx.HTTPError, OSError) as error:
        raise EngineUnavailable(
            f"{url} broke off fetching {name} ({error})",
            hint="Run it again: what was fetched is kept by the engine.",
        ) from error
    if status != "success":
        raise EngineUnavailable(
            f"{url} ended fetching {name} with {status or 'nothing'!r}", hint="Look at the engine's log."
        )


async def pull_in_view(url: str, name: str) -> None:
    """Fetch a model with a bar, speed and time left for each layer, on standard error; raises as `pull` does."""
    from rich.console import Console  # noqa: PLC0415 (only here)
    from rich.progress import (  # noqa: PLC0415 (as above)
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    layers = {}
    with Progress(*columns, console=Console(stderr=True)) as progress:
        async for step in pull(url, name):
            if step.digest and step.digest not in layers:
                layers[step.digest] = progress.add_task(step.status, total=step.total or None)
            if step.digest:
                progress.update(layers[step.digest], completed=step.completed, total=step.total or None)


def lines_of(models: tuple[Model, ...], settings: RunnerSettings) -> list[str]:
    """Write the models for people: reference, context, and whether the owner's settings offer it."""
    if not models:
        return ["the engine has no models; fetch one with `parity-runner models pull NAME`"]
    offered = settings.runner_models
    return [
        f"{'offered' if not offered or model.name in offered else 'kept back':<10}{model.context:>8} tokens"
        f"  {model.name}@sha256:{model.digest}"
        for model in models
    ]


def json_of(models: tuple[Model, ...], settings: RunnerSettings) -> list[dict[str, object]]:
    """Write the models for programs; `context` is in tokens."""
    offered = settings.runner_models
    return [
        {
            "model": f"{model.name}@sha256:{model.digest}",
            "context": model.context,
            "offered": not offered or model.name in offered,
        }
        for model in models
    ]
