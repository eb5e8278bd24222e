"""How sessions, their rounds and their price are shown."""

from pathlib import Path
from typing import TYPE_CHECKING

from client.commands.consent import fee_text
from client.commands.printer import Fields, aligned, table
from protocol.money import format_usdfc

if TYPE_CHECKING:
    from client.federated.ordering import SessionPlan
    from client.federated.preparing import Prepared
    from client.federated.records import RoundRecord, SessionRecord
    from client.parity import Parity


def plan_fields(parity: "Parity", plan: "SessionPlan", *, upload: Path | None) -> Fields:
    """Return what a session would cost whom, and what it would do, before anything is signed."""
    order, rules, prepared = plan.order, plan.rules, plan.prepared
    block_s = parity.chain.network.block_time_s
    return [
        ("session", "0x" + plan.session_id.hex()),
        ("name", prepared.config.name),
        *_model_fields(prepared),
        *_data_fields(prepared, upload=upload),
        ("rounds", f"{order.rounds}, each of at most {order.train_for * block_s:g} s of training"),
        (
            "participants",
            f"{order.min_participants} to {order.max_participants}; {rules.active_runners} runners are active",
        ),
        ("joining", f"until all seats are taken, or until block {order.join_by}"),
        ("escrowed", f"{format_usdfc(order.budget)} USDFC, the most you can pay; the rest is refunded"),
        ("contribution", f"{format_usdfc(order.reward)} USDFC, if it is accepted"),
        (
            "aggregation",
            f"{format_usdfc(order.aggregation_reward)} USDFC a round for {order.replicas} runners, of whom {order.quorum} must agree",
        ),
        ("runners stake", f"{format_usdfc(order.bond)} USDFC each"),
        ("paid from", plan.funding.value),
        ("network fee", fee_text(parity, plan.network_fee, is_estimate=plan.fee_is_estimate)),
        (
            "public",
            "data set, configuration, updates and models will be on IPFS, readable by anyone"
            if prepared.index
            else "configuration, updates and models will be on IPFS, readable by anyone",
        ),
    ]


def _model_fields(prepared: "Prepared") -> Fields:
    config = prepared.config
    size = "" if prepared.parameters is None else f", {prepared.parameters:,} parameters"
    training = config.training
    work = (
        f"{training.local_epochs} epochs of batches of {training.batch_size} at rate {training.learning_rate}"
    )
    fields = [
        (
            "model",
            f"{config.model.type}: {config.model.input_dim} inputs, {config.model.output_dim} outputs{size}",
        ),
        ("training", f"{config.aggregation.method}, {work}"),
    ]
    if prepared.first is not None:
        fields.append(
            ("starts from", f"the weights given, {len(prepared.first):,} bytes, which become public")
        )
    if config.asynchronous:
        buffer, most = config.asynchronous.buffer, config.asynchronous.max_staleness
        fields.append(
            ("asynchronous", f"a round ends with {buffer} updates; later ones count up to {most} rounds late")
        )
    if config.secure_aggregation:
        fields.append(
            ("secure", f"only the sum is readable; {config.secure_aggregation.threshold} unmask it")
        )
    if prepared.epsilon is not None and config.privacy:
        fields.append(
            ("privacy", f"epsilon {prepared.epsilon:.2f} at delta {config.privacy.delta} after all rounds")
        )
    return fields


def _data_fields(prepared: "Prepared", *, upload: Path | None) -> Fields:
    dataset = prepared.config.dataset
    kind = "standardized features" if dataset.centers else "features"
    if not prepared.samples:
        return [
            ("data", f"every participant's own, of {prepared.features} {kind}"),
            ("evaluated on", f"{prepared.held_out} samples of {dataset.evaluation_cid}"),
        ]
    source = f"{upload} becomes {dataset.cid}" if upload else dataset.cid
    judged = (
        f"{dataset.evaluation_cid}"
        if dataset.evaluation_cid
        else f"{prepared.held_out} samples that nobody trains on"
    )
    return [
        (
            "data",
            f"{prepared.rows:,} samples of {prepared.features} {kind}, target {dataset.target}; {source}",
        ),
        (
            "split",
            f"{prepared.config.partition.strategy}: {min(prepared.samples):,} to {max(prepared.samples):,} samples each",
        ),
        ("evaluated on", judged),
    ]


def phase_line(record: "SessionRecord") -> str:
    """Return in one line where a session is."""
    phase = record.phase.name.lower()
    if record.phase.is_terminal:
        done, last = sum(one.settled_block is not None for one in record.round_list), record.last_settled
        early = ", because it no longer improved" if last and last.stop and done < record.rounds else ""
        return f"{phase} after {done} of {record.rounds} rounds{early}"
    if record.round == 0:
        return f"{phase}: {record.members} of {record.max_participants} participants, until block {record.deadline} (now {record.block})"
    again = f", attempt {record.attempts + 1}" if record.attempts else ""
    who = f", {record.present} of {record.expected} have" if phase != "aggregating" else ""
    return f"round {record.round} of {record.rounds}{again}: {phase}{who}, until block {record.deadline} (now {record.block})"


def round_line(one: "RoundRecord", *, of: int) -> str:
    """Return in one line what a settled round came to."""
    parts = [f"round {one.round} of {of}", f"{one.accepted} of {one.contributions} contributions accepted"]
    if one.figures is None:
        parts.append("its metrics are not available from IPFS")
    else:
        parts.append(f"loss {shown_figure(one.figures.loss)}")
        parts += [f"{name} {shown_figure(value)}" for name, value in one.figures.metrics.items()]
        if one.figures.epsilon is not None:
            parts.append(f"epsilon {one.figures.epsilon:.2f}")
        if one.figures.late:
            late = ", ".join(f"{_printable(name)} by {by}" for name, by in sorted(one.figures.late.items()))
            parts.append(f"rounds late: {late}")
        if not one.figures.stands:
            parts.append("worse than the gate allows: the model before it stays")
    return "  ".join(parts)


def left_out_lines(one: "RoundRecord") -> list[str]:
    """Return of each contribution that did not count why, as the round's card has it."""
    left_out = one.figures.left_out if one.figures else {}
    return [
        f"round {one.round}: {_printable(name)} left out: {_printable(reason)}"
        for name, reason in sorted(left_out.items())
    ]


def _printable(text: str) -> str:
    """Keep what a stranger wrote from moving the cursor."""
    return "".join(one if one.isprintable() else "?" for one in text[:200])


def _paid_line(record: "SessionRecord") -> str:
    """Return where a session's budget went; what is neither contributions' nor returned went to those who added up."""
    contributions = sum(one.pay + one.fee for one in record.round_list)
    line = f"{format_usdfc(contributions)} USDFC for contributions"
    if fees := sum(one.fee for one in record.round_list):
        line += f" ({format_usdfc(fees)} of it the protocol's fee)"
    if record.returned is None:
        return line
    return f"{line}, {format_usdfc(record.budget - record.returned - contributions)} USDFC for aggregation"


def session_lines(record: "SessionRecord") -> list[str]:
    """Show a session whole."""
    fields = [
        ("session", "0x" + record.session_id.hex()),
        ("name", record.name or "its configuration is not available from IPFS"),
        ("state", phase_line(record)),
        ("method", record.method or "unknown"),
        ("secure", "yes" if record.secure else "no"),
        ("creator", record.creator),
        ("created", f"block {record.created_block}, transaction {record.transaction_hash}"),
        ("budget", f"{format_usdfc(record.budget)} USDFC"),
        ("paid", _paid_line(record)),
        ("returned", "not yet" if record.returned is None else f"{format_usdfc(record.returned)} USDFC"),
        ("configuration", record.config_cid),
        ("model", "none yet" if record.model is None else f"sha256 {record.model.hex()}"),
    ]
    reasons = [line for one in record.round_list for line in left_out_lines(one)]
    apart = ["", *reasons] if reasons else []
    return [*aligned(fields), *_round_lines(record), *apart, *_participant_lines(record)]


def _round_lines(record: "SessionRecord") -> list[str]:
    settled = [one for one in record.round_list if one.settled_block is not None]
    names = sorted({name for one in settled if one.figures for name in one.figures.metrics})
    private = any(one.figures and one.figures.epsilon is not None for one in settled)
    rows = [
        (
            str(one.round),
            f"{one.accepted}/{one.contributions}",
            _figure(one.figures.loss if one.figures else None),
            *(_figure(one.figures.metrics.get(name) if one.figures else None) for name in names),
            *([_figure(one.figures.epsilon if one.figures else None)] if private else []),
            f"{format_usdfc(one.pay)} USDFC",
            (one.model or b"").hex()[:16],
        )
        for one in settled
    ]
    epsilon = ("EPSILON",) if private else ()
    headers = ("ROUND", "ACCEPTED", "LOSS", *(name.upper() for name in names), *epsilon, "PAID", "MODEL")
    return ["", *table(headers, rows)] if rows else []


def _participant_lines(record: "SessionRecord") -> list[str]:
    rows = [
        (
            f"p{one.slot:03}",
            one.node,
            str(one.accepted),
            f"{format_usdfc(one.earned)} USDFC",
            str(one.missed),
            f"{format_usdfc(one.slashed)} USDFC",
            "caught" if one.caught else "out" if one.out else "in",
        )
        for one in record.participants
    ]
    return (
        ["", *table(("PARTICIPANT", "NODE", "ACCEPTED", "EARNED", "MISSED", "SLASHED", "STATE"), rows)]
        if rows
        else []
    )


def _figure(value: float | None) -> str:
    return "" if value is None else shown_figure(value)


def shown_figure(value: float) -> str:
    """Return a loss or metric as people read it: four decimals, unless it is too small or too large for that."""
    if abs(value) >= 1e5:
        return f"{value:,.0f}" if abs(value) < 1e15 else f"{value:.3g}"
    return f"{value:.4f}" if not value or abs(value) >= 0.01 else f"{value:.3g}"
