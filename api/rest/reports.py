"""Monitors' reports: only the node key itself may make them, so the server passes on a transaction that the node key signed."""

from typing import Any

from pydantic import Field

from api.fields import NoParameters, bytes_of
from api.rejections import BadIntent, WrongContract
from api.rest.endpoint import Endpoint
from api.rest.models import HashText, Model
from api.rest.signing import RELAY_PROBLEMS, RawBody
from api.services import Services
from api.transactions import RawTransaction, check_target, decode, send_raw
from protocol.abi import load_abi

_FIELD = "transaction"


class PassedReport(Model):
    """A report on its way."""

    transaction_hash: HashText
    function: str = Field(description="what of PeerMonitoring is called")
    round: str = Field(
        description="the monitoring round that it is about: an epoch's number, or a challenge's id as a decimal",
        pattern="^[0-9]{1,78}$",
    )


async def send_report(services: Services, _asked: NoParameters, body: RawBody) -> PassedReport:
    """Check a signed call of PeerMonitoring and pass it on."""
    raw = bytes_of(body.transaction)
    transaction = decode(raw)
    check_target(transaction, services.link.deployment)
    monitoring = services.link.deployment.peer_monitoring
    if (transaction.to or "").lower() != monitoring.lower():
        raise WrongContract(
            f"the transaction calls {transaction.to}, which is not the PeerMonitoring {monitoring}",
            field=_FIELD,
            hint="POST calls of other contracts to /api/v1/transactions.",
        )
    name, round_ = _called(transaction)
    sent = await send_raw(services.link, raw)
    return PassedReport(transaction_hash="0x" + sent.hex(), function=name, round=str(round_))


def _called(transaction: RawTransaction) -> tuple[str, int]:
    """Name the function, and its round; all that PeerMonitoring changes is about one."""
    # Imported here because loading web3's contracts costs a command that only prints its help.
    from web3 import Web3  # noqa: PLC0415

    contract: Any = Web3().eth.contract(abi=load_abi("PeerMonitoring"))
    try:
        function, arguments = contract.decode_function_input(transaction.data)
    except Exception as error:
        # A border: the decoder raises unrelated exceptions on bytes that are no call.
        raise BadIntent(
            "transaction: its data is no call of PeerMonitoring",
            field=_FIELD,
            hint="Call commitReports, revealReports, reportSilent, reportLying, challenge, resolve, conclude or"
            " openRound.",
        ) from error
    round_ = arguments.get("round", arguments.get("epoch"))
    if not isinstance(round_, int):
        raise BadIntent(
            f"transaction: {function.fn_name} changes nothing",
            field=_FIELD,
            hint="Call commitReports or revealReports.",
        )
    return function.fn_name, round_


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/api/v1/reputation/reports",
        summary="Pass on a monitor's report: a call of PeerMonitoring that its node key signed",
        handle=send_report,
        answer=PassedReport,
        parameters=NoParameters,
        body=RawBody,
        status=202,
        problems=RELAY_PROBLEMS,
    ),
)
