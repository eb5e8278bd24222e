"""The flags by which a learning session is described, once for the commands that create one."""

import functools
import inspect
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from client.federated.wishes import Data, Protection, Split, Terms, Wishes
from protocol.errors import InputError
from protocol.money import parse_usdfc

_MAX_MODEL_FILE_BYTES = 1 << 20
_OFF = {"show_default": False}


def describe(
    *,
    name: Annotated[str, typer.Option("--name", help="Name of the session. It will be public.")],
    model_type: Annotated[
        str,
        typer.Option("--model-type", help="neural_network, linear_regression, random_forest or torch."),
    ] = "neural_network",
    config_file: Annotated[
        Path | None,
        typer.Option(
            "--config-file",
            metavar="FILE",
            help="The model's description, such as model_config.json: layers, optimiser, loss, metrics.",
            show_default="one hidden layer of 128, sized to fit the data",
        ),
    ] = None,
    start_from: Annotated[
        Path | None,
        typer.Option(
            "--start-from",
            metavar="FILE",
            help="Initial weights: safetensors of the same model, such as get-model writes. They will be public.",
            show_default="random, from --seed",
        ),
    ] = None,
    total_rounds: Annotated[int, typer.Option("--total-rounds", min=1, max=10_000)] = 10,
    min_participants: Annotated[
        int, typer.Option("--min-participants", min=1, max=64, help="Fewest participants for a round.")
    ] = 3,
    max_participants: Annotated[
        int | None,
        typer.Option(
            "--max-participants",
            min=1,
            max=64,
            help="Number of seats. The session starts when all are taken, or when the time to join is over.",
            show_default="--min-participants",
        ),
    ] = None,
    aggregation_method: Annotated[
        str | None,
        typer.Option(
            "--aggregation-method",
            help="fedavg, fedprox, fedavgm, fedadam, fedyogi, scaffold, median, trimmed_mean, krum, multi_krum, bulyan, "
            "norm_clip, centred_clipping, reputation; forest_union for a random_forest.",
            show_default="fedavg",
        ),
    ] = None,
    learning_rate: Annotated[
        str, typer.Option("--learning-rate", help="The participants' learning rate.")
    ] = "0.01",
    batch_size: Annotated[int, typer.Option("--batch-size", min=1)] = 32,
    local_epochs: Annotated[
        int, typer.Option("--local-epochs", min=1, help="Epochs over a participant's samples in each round.")
    ] = 1,
    hostile: Annotated[
        int,
        typer.Option(
            "--hostile", min=0, help="How many malicious participants a robust method must withstand."
        ),
    ] = 0,
    proximal_mu: Annotated[
        str | None, typer.Option("--proximal-mu", help="Proximal term, for fedprox.", show_default="0.1")
    ] = None,
    compression: Annotated[
        str, typer.Option("--compression", help="Compression of updates: none, fp16, int8, int4 or top_k.")
    ] = "none",
    early_stop_patience: Annotated[
        int | None,
        typer.Option(
            "--early-stop-patience",
            min=1,
            help="Stop after this many rounds without improvement of the loss.",
            **_OFF,
        ),
    ] = None,
    asynchronous: Annotated[
        int | None,
        typer.Option(
            "--asynchronous",
            min=1,
            max=64,
            metavar="UPDATES",
            help="Let a round end as soon as this many updates are in. Slower participants' updates count in a later "
            "round, and less.",
            show_default="rounds wait for everyone until --round-time is over",
        ),
    ] = None,
    max_staleness: Annotated[
        int | None,
        typer.Option(
            "--max-staleness",
            min=1,
            help="With --asynchronous: how many rounds late an update may be.",
            show_default="10",
        ),
    ] = None,
    audit_rate: Annotated[
        str | None,
        typer.Option(
            "--audit-rate",
            help="Probability (0 to 1) that parts of a contribution are re-executed; at least 0.5 for unusual ones.",
            show_default="0.1",
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option("--seed", min=0, help="Seed of weights, split and batches.", show_default="drawn"),
    ] = None,
    dataset_format: Annotated[
        str | None,
        typer.Option("--dataset-format", help="csv, json, parquet or npz.", show_default="detected"),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            "--target",
            metavar="COLUMN",
            help="Column to predict.",
            show_default="label, target, class or y, or else the last column",
        ),
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(
            "--group",
            metavar="COLUMN",
            help="Column that tells which samples belong together, for natural_id.",
            **_OFF,
        ),
    ] = None,
    divide_by: Annotated[
        str, typer.Option("--divide-by", help="Divide every feature by this, such as 255 for images.")
    ] = "1",
    evaluation_share: Annotated[
        str,
        typer.Option(
            "--evaluation-share", help="Fraction of the samples that is held out to evaluate rounds."
        ),
    ] = "0.2",
    evaluation_cid: Annotated[
        str,
        typer.Option("--evaluation-cid", metavar="CID", help="A file to evaluate rounds on instead.", **_OFF),
    ] = "",
    split_strategy: Annotated[
        str,
        typer.Option(
            "--split-strategy",
            help="random, stratified, sequential, non_iid, label_skew, quantity or natural_id.",
        ),
    ] = "random",
    alpha: Annotated[
        str | None,
        typer.Option("--alpha", help="For non_iid: smaller is more uneven.", show_default="0.5"),
    ] = None,
    labels_each: Annotated[
        int | None,
        typer.Option(
            "--labels-each", min=1, help="For label_skew: labels per participant.", show_default="2"
        ),
    ] = None,
    power: Annotated[
        str | None, typer.Option("--power", help="For quantity: 0 gives equal shares.", show_default="1")
    ] = None,
    min_samples: Annotated[
        int | None,
        typer.Option("--min-samples", min=1, help="Fewest samples per participant.", show_default="1"),
    ] = None,
    overlap_ratio: Annotated[
        str | None,
        typer.Option(
            "--overlap-ratio",
            help="Fraction of a participant's samples that others have too.",
            show_default="0",
        ),
    ] = None,
    enable_differential_privacy: Annotated[
        bool,
        typer.Option(
            "--enable-differential-privacy",
            help="Clip each update and add noise; the privacy spent is shown.",
        ),
    ] = False,
    noise_multiplier: Annotated[
        str | None,
        typer.Option(
            "--noise-multiplier",
            help="Standard deviation of the noise, relative to the clipping norm.",
            show_default="1",
        ),
    ] = None,
    l2_norm_clip: Annotated[
        str | None,
        typer.Option("--l2-norm-clip", help="Norm to which each update is clipped.", show_default="1"),
    ] = None,
    delta: Annotated[
        str | None,
        typer.Option("--delta", help="Probability that the privacy guarantee fails.", show_default="0.00001"),
    ] = None,
    secure_aggregation: Annotated[
        bool, typer.Option("--secure-aggregation", help="Make only the sum of all updates readable.")
    ] = False,
    budget: Annotated[
        str | None,
        typer.Option(
            "--budget",
            metavar="USDFC",
            help="Most that the session may cost. Without --reward it is divided among the contributions.",
            show_default="what --reward needs",
        ),
    ] = None,
    reward: Annotated[
        str | None,
        typer.Option(
            "--reward",
            metavar="USDFC",
            help="Reward for each accepted contribution.",
            show_default="0.1 USDFC",
        ),
    ] = None,
    bond: Annotated[
        str | None,
        typer.Option(
            "--bond",
            metavar="USDFC",
            help="Stake that each participant must lock.",
            show_default="twice the reward",
        ),
    ] = None,
    aggregators: Annotated[
        int | None,
        typer.Option(
            "--aggregators",
            min=1,
            help="How many runners aggregate each round; a majority must agree.",
            show_default="3, or 1 if there are fewer runners",
        ),
    ] = None,
    join_time: Annotated[
        float, typer.Option("--join-time", min=1, metavar="SECONDS", help="How long runners may join.")
    ] = 3_600.0,
    round_time: Annotated[
        float,
        typer.Option("--round-time", min=1, metavar="SECONDS", help="How long training may take in a round."),
    ] = 600.0,
) -> Wishes:
    """Make a person's flags into wishes; `InputError` for a file that cannot be read or an amount that is none."""
    return Wishes(
        name=name,
        model_type=model_type,
        model_file=_text(config_file),
        first=_weights(start_from),
        rounds=total_rounds,
        min_participants=min_participants,
        max_participants=max_participants,
        method=aggregation_method,
        learning_rate=learning_rate,
        batch_size=batch_size,
        local_epochs=local_epochs,
        hostile=hostile,
        proximal_mu=proximal_mu,
        compression=compression,
        patience=early_stop_patience,
        buffer=asynchronous,
        max_staleness=max_staleness,
        audit_rate=audit_rate,
        seed=seed,
        data=Data(
            form=dataset_format,
            target=target,
            group=group,
            divide_by=divide_by,
            evaluation_cid=evaluation_cid,
            evaluation_share=evaluation_share,
        ),
        split=Split(
            strategy=split_strategy,
            alpha=alpha,
            labels_each=labels_each,
            power=power,
            min_samples=min_samples,
            overlap_ratio=overlap_ratio,
        ),
        protection=Protection(
            differential_privacy=enable_differential_privacy,
            noise_multiplier=noise_multiplier,
            l2_norm_clip=l2_norm_clip,
            delta=delta,
            secure_aggregation=secure_aggregation,
        ),
        terms=Terms(
            budget=_amount(budget, "--budget"),
            reward=_amount(reward, "--reward"),
            bond=_amount(bond, "--bond"),
            aggregators=aggregators,
            join_s=join_time,
            train_s=round_time,
        ),
    )


def described(function: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., Coroutine[Any, Any, None]]:
    """Give a command all flags of `describe`, and what they say as its parameter `wishes`."""
    flags = inspect.signature(describe).parameters
    own = {
        name: parameter
        for name, parameter in inspect.signature(function).parameters.items()
        if name != "wishes"
    }

    @functools.wraps(function)
    async def run(*args: Any, **given: Any) -> None:
        said = {name: given.pop(name) for name in flags}
        await function(*args, **given, wishes=describe(**said))

    hints = get_type_hints(describe, include_extras=True) | get_type_hints(function, include_extras=True)
    positional = [one for one in own.values() if one.kind is not inspect.Parameter.KEYWORD_ONLY]
    others = [one for one in own.values() if one.kind is inspect.Parameter.KEYWORD_ONLY]
    required = [one for one in others if one.default is inspect.Parameter.empty]
    optional = [one for one in others if one.default is not inspect.Parameter.empty]
    ordered = [*positional, *required, *flags.values(), *optional]
    run.__signature__ = inspect.Signature(ordered)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: hints[one.name] for one in ordered}
    return run


def _weights(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"--start-from: {path} cannot be read ({error})",
            field="--start-from",
            hint="Check the path and its permissions.",
        ) from error


def _text(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        if path.stat().st_size > _MAX_MODEL_FILE_BYTES:
            raise InputError(
                f"--config-file: {path} is longer than {_MAX_MODEL_FILE_BYTES:,} bytes",
                field="--config-file",
                hint="Pass the model's description, not its weights.",
            )
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"--config-file: {path} cannot be read ({error})",
            field="--config-file",
            hint="Check the path and its permissions.",
        ) from error


def _amount(text: str | None, field: str) -> int | None:
    return None if text is None else parse_usdfc(text, field=field)
