"""The flags by which a person describes a learning session, by subject. Each function returns the fields of `Wishes` that its flags set."""

from pathlib import Path
from typing import Annotated, Any

import typer

from client.commands.session_files import text_of, weights_of
from client.federated.wishes import Data, Protection, Split, Terms
from protocol.money import parse_usdfc

_OFF = {"show_default": False}


def model(
    *,
    name: Annotated[str, typer.Option("--name", help="Name of the session. It will be public.")],
    model_type: Annotated[
        str, typer.Option("--model-type", help="neural_network, linear_regression, random_forest or torch.")
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
) -> dict[str, Any]:
    """Return who the session is and what it trains; `InputError` for a file that cannot be read."""
    return {
        "name": name,
        "model_type": model_type,
        "model_file": text_of(config_file),
        "first": weights_of(start_from),
    }


def rounds(
    *,
    total_rounds: Annotated[
        int, typer.Option("--total-rounds", min=1, max=10_000, help="Number of rounds.")
    ] = 10,
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
    early_stop_patience: Annotated[
        int | None,
        typer.Option(
            "--early-stop-patience",
            min=1,
            help="Stop after this many rounds without improvement of the loss.",
            **_OFF,
        ),
    ] = None,
    audit_rate: Annotated[
        str | None,
        typer.Option(
            "--audit-rate",
            help="Probability (0 to 1) that parts of a contribution are re-executed; at least 0.5 for unusual ones and "
            "newcomers.",
            show_default="0.1",
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option("--seed", min=0, help="Seed of weights, split and batches.", show_default="drawn"),
    ] = None,
) -> dict[str, Any]:
    """Return how many rounds there are, of how many participants, and how they are checked."""
    return {
        "rounds": total_rounds,
        "min_participants": min_participants,
        "max_participants": max_participants,
        "patience": early_stop_patience,
        "audit_rate": audit_rate,
        "seed": seed,
    }


def training(
    *,
    learning_rate: Annotated[
        str, typer.Option("--learning-rate", help="The participants' learning rate.")
    ] = "0.01",
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, help="Samples per training step.")] = 32,
    local_epochs: Annotated[
        int, typer.Option("--local-epochs", min=1, help="Epochs over a participant's samples in each round.")
    ] = 1,
    proximal_mu: Annotated[
        str | None, typer.Option("--proximal-mu", help="Proximal term, for fedprox.", show_default="0.1")
    ] = None,
    compression: Annotated[
        str, typer.Option("--compression", help="Compression of updates: none, fp16, int8, int4 or top_k.")
    ] = "none",
) -> dict[str, Any]:
    """Return how participants train, and what they hand in."""
    return {
        "learning_rate": learning_rate,
        "batch_size": batch_size,
        "local_epochs": local_epochs,
        "proximal_mu": proximal_mu,
        "compression": compression,
    }


def aggregation(
    *,
    aggregation_method: Annotated[
        str | None,
        typer.Option(
            "--aggregation-method",
            help="fedavg, fedprox, fedavgm, fedadam, fedyogi, scaffold, median, trimmed_mean, krum, multi_krum, bulyan, "
            "norm_clip, centred_clipping, reputation; forest_union for a random_forest.",
            show_default="fedavg",
        ),
    ] = None,
    hostile: Annotated[
        int,
        typer.Option(
            "--hostile", min=0, help="How many malicious participants a robust method must withstand."
        ),
    ] = 0,
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
) -> dict[str, Any]:
    """Return how updates are aggregated, and when a round has enough of them."""
    return {
        "method": aggregation_method,
        "hostile": hostile,
        "buffer": asynchronous,
        "max_staleness": max_staleness,
    }


def data(
    *,
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
    standardize: Annotated[
        bool | None,
        typer.Option(
            "--standardize/--no-standardize",
            help="Bring every feature to mean 0 and standard deviation 1.",
            show_default="for networks and linear regression without --divide-by",
        ),
    ] = None,
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
) -> dict[str, Any]:
    """Return how the data are read, and what rounds are evaluated on."""
    wanted = Data(
        form=dataset_format,
        target=target,
        group=group,
        divide_by=divide_by,
        standardize=standardize,
        evaluation_cid=evaluation_cid,
        evaluation_share=evaluation_share,
    )
    return {"data": wanted}


def split(
    *,
    split_strategy: Annotated[
        str,
        typer.Option(
            "--split-strategy",
            help="random, stratified, sequential, non_iid, label_skew, quantity or natural_id.",
        ),
    ] = "random",
    alpha: Annotated[
        str | None, typer.Option("--alpha", help="For non_iid: smaller is more uneven.", show_default="0.5")
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
) -> dict[str, Any]:
    """Return how the samples are divided among the participants."""
    wanted = Split(
        strategy=split_strategy,
        alpha=alpha,
        labels_each=labels_each,
        power=power,
        min_samples=min_samples,
        overlap_ratio=overlap_ratio,
    )
    return {"split": wanted}


def protection(
    *,
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
) -> dict[str, Any]:
    """Return what hides one participant's data from the others."""
    wanted = Protection(
        differential_privacy=enable_differential_privacy,
        noise_multiplier=noise_multiplier,
        l2_norm_clip=l2_norm_clip,
        delta=delta,
        secure_aggregation=secure_aggregation,
    )
    return {"protection": wanted}


def terms(
    *,
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
) -> dict[str, Any]:
    """Return money and time; `InputError` for an amount that is none."""
    wanted = Terms(
        budget=_amount(budget, "--budget"),
        reward=_amount(reward, "--reward"),
        bond=_amount(bond, "--bond"),
        aggregators=aggregators,
        join_s=join_time,
        train_s=round_time,
    )
    return {"terms": wanted}


SUBJECTS = (model, rounds, training, aggregation, data, split, protection, terms)
"""In the order in which `--help` lists their flags."""


def _amount(text: str | None, field: str) -> int | None:
    return None if text is None else parse_usdfc(text, field=field)
