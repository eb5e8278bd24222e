"""One sentence and one remedy for every custom error of the contracts, by name.

Placeholders are the error's arguments; `:usdfc`, `:votes`, `:status`, `:phase`, `:stage`, `:proposal`, `:ruling`, `:text`
and `:hex` say how one is written.
"""

from protocol.audit_sentences import AUDIT_SENTENCES
from protocol.federated_sentences import FEDERATED_SENTENCES
from protocol.governance_sentences import GOVERNANCE_SENTENCES
from protocol.monitoring_sentences import MONITORING_SENTENCES

_REPORT = "This should not happen in ordinary use; report it with the transaction's details."
_GOVERNANCE = "Only governance can do this: propose it with `ape run propose`."
_SET_UP = "This belongs to deployment: use `ape run deploy`, which does it in order."
_SIGN_AGAIN = "Sign again with the right key, on the right chain, and change nothing afterwards."

SENTENCES: dict[str, tuple[str, str]] = {
    # StakeWallet
    "WalletInsufficient": (
        "The wallet's balance is too low: {need:usdfc} needed, {have:usdfc} available.",
        "Deposit the difference (parity-client deposit), or ask for less.",
    ),
    "WalletNotModule": (
        "{caller} may not move ledger entries of the StakeWallet.",
        "Only the contracts wired at deployment may; call them instead.",
    ),
    "WalletUnbalanced": (
        "A settlement does not add up: {moneyIn:usdfc} in, {moneyOut:usdfc} out.",
        _REPORT,
    ),
    "WalletTokenDelta": (
        "The token moved another amount than asked: {expected:usdfc} expected, {actual:usdfc} moved.",
        "Check USDFC_TOKEN_ADDRESS: it does not behave like USDFC.",
    ),
    "WalletZeroAmount": ("The amount is zero.", "Use an amount above zero."),
    "WalletZeroAddress": ("An address is missing (zero).", "Use the address of the account that is meant."),
    "WalletNothingUnbonding": (
        "No stake is being unbonded.",
        "Request unbonding first (parity-client unstake).",
    ),
    "WalletStillUnbonding": (
        "The stake is still unbonding: it is free from block {releaseBlock}, now is block {currentBlock}.",
        "Wait until that block, then complete the unbonding.",
    ),
    "WalletNotWirer": ("{actual} may not wire the StakeWallet; {expected} may.", _SET_UP),
    "WalletPaused": (
        "The guardian has paused {target} until block {untilBlock}: nothing new can start there; what has started goes on.",
        "Wait until that block. Withdrawals and running tasks are not affected.",
    ),
    "WalletPauseTooLong": (
        "A pause lasts {most} blocks at most, not {actual}.",
        "Pause for fewer blocks; governance has that long to act.",
    ),
    "WalletPauseTooSoon": (
        "This was paused before and may be paused again from block {fromBlock} on; now is block {currentBlock}.",
        "Wait until then: a pause may be repeated only after as much time without one.",
    ),
    "WalletNotPausable": (
        "{target} cannot be paused.",
        "Name the StakeWallet itself, or a module that starts new activity; modules that decide about running tasks are never paused.",
    ),
    "WalletNotPaused": ("{target} is not paused.", "There is nothing to lift."),
    "WalletAlreadyWired": ("The StakeWallet is wired already; that is done once.", _SET_UP),
    "WalletBadSignature": ("The signature is not {signer}'s.", _SIGN_AGAIN),
    "WalletDeadline": (
        "The signed action was valid until block {deadlineBlock}; now is block {currentBlock}.",
        "Sign again with a later deadline.",
    ),
    # Channels of the StakeWallet
    "ChannelBadTerms": (
        "The channel's {field:text} is not allowed.",
        "Correct it (amount above zero; node and owner the runner's; close delay within the wallet's bounds) and sign again.",
    ),
    "ChannelExpired": (
        "The channel was to be opened by block {openByBlock}; now is block {currentBlock}.",
        "Sign new terms with a later openBy.",
    ),
    "ChannelExists": (
        "The channel {channelId:hex} was opened already.",
        "Use it, or sign new terms (another salt) for another one.",
    ),
    "ChannelUnknown": (
        "There is no channel {channelId:hex} from {payer} to this owner.",
        "Check the terms and the owner; a voucher names its signer here, who must be the channel's payer, on this chain.",
    ),
    "ChannelNotPayer": (
        "{actual} may not do this for the channel; its payer {expected} may.",
        "Use the payer's account or signature.",
    ),
    "ChannelAlreadyClosing": (
        "The channel is closing already: it may be closed from block {closesAtBlock} on.",
        "Wait until then, then close it.",
    ),
    "ChannelNotClosing": (
        "The close of channel {channelId:hex} was never requested.",
        "Request it as the payer and wait for the close delay, or close it as the runner.",
    ),
    "ChannelStillOpen": (
        "The channel may be closed from block {closesAtBlock} on; now is block {currentBlock}.",
        "Wait until then; the runner may redeem its vouchers meanwhile.",
    ),
    "ChannelIsClosed": ("The channel {channelId:hex} is closed.", "Open a new one."),
    "ChannelOverdrawn": (
        "The voucher promises {cumulative:usdfc}; the channel holds {deposited:usdfc} in all.",
        "Top the channel up, or redeem a voucher that the deposit covers.",
    ),
    "ChannelStale": (
        "The voucher is for {cumulative:usdfc} in all, and {redeemed:usdfc} were redeemed already.",
        "Nothing to do if it was redeemed before; leave it out and redeem the others.",
    ),
    "ChannelBatchSize": (
        "A batch has 1 to {most} vouchers, not {actual}.",
        "Split it into smaller batches.",
    ),
    # RunnerReputation
    "RunnerUnknown": ("{node} is not registered as a runner.", "Register it first (parity-runner register)."),
    "RunnerRetired": ("The runner {node} is retired.", "Its owner may register it again."),
    "RunnerAlreadyActive": (
        "The runner {node} is registered already.",
        "Nothing to do; to change its offer, publish a new profile.",
    ),
    "RunnerNotOwner": (
        "{actual} may not do this for the runner; {expected} may.",
        "Use the account that registered it.",
    ),
    "RunnerBanned": (
        "The runner is banned until block {untilBlock}, for wrong results or by its monitors.",
        "Find the cause (model version, disk, network) before it comes back.",
    ),
    "RunnerSuspended": (
        "The runner is suspended until block {untilBlock}: its monitors found it offline.",
        "Keep it running and reachable; it is admitted again then, or sooner when its monitors see it at work.",
    ),
    "RunnerImmature": (
        "Registered too late for this task: the runner may take draws from block {maturesAtBlock} on; this task's is at block {requiredByBlock}.",
        "Wait for the next task.",
    ),
    "RunnerUnderstaked": (
        "The owner's bonded stake is too low: {need:usdfc} needed, {have:usdfc} bonded and free.",
        "Bond the difference (parity-client stake), or run fewer runners or tasks at a time.",
    ),
    "RunnerBadProof": ("The signature is not the node key {node}'s.", _SIGN_AGAIN),
    "RunnerBadConsent": ("The signature is not the owner {owner}'s.", _SIGN_AGAIN),
    "RunnerDeadline": (
        "The node key's signature was valid until block {deadlineBlock}; now is block {currentBlock}.",
        "Sign again with a later deadline.",
    ),
    "RunnerNotModule": (
        "{caller} may not change runners' records.",
        "Only the contracts wired at deployment may.",
    ),
    "RunnerNotWirer": ("{actual} may not wire the RunnerReputation; {expected} may.", _SET_UP),
    "RunnerAlreadyWired": ("The RunnerReputation is wired already; that is done once.", _SET_UP),
    "RunnerBadSettings": ("The setting {field:text} of the RunnerReputation is out of bounds.", _SET_UP),
    "RunnerZeroAddress": ("An address is missing (zero).", "Use the address of the runner's node key."),
    # TaskEscrow
    "TaskWrongStatus": (
        "The task is {actual:status}; this needs it to be {expected:status}.",
        "Look at the task again: somebody or the clock was faster.",
    ),
    "TaskDeadline": (
        "Too late: the last block for this was {deadlineBlock}; now is block {currentBlock}.",
        "For an order: sign a new one with a later claimBy. For a seat: it counts as missed.",
    ),
    "TaskNotDue": (
        "Too early: the phase ends after block {deadlineBlock}; now is block {currentBlock}.",
        "Wait until then.",
    ),
    "TaskBadOrder": (
        "The order's {field:text} is not allowed.",
        "Correct it within the bounds of the order's parameters and sign again.",
    ),
    "TaskBadSignature": ("The order's signature is not {signer}'s.", _SIGN_AGAIN),
    "TaskAlreadySubmitted": (
        "This order was submitted already, as task {taskId:hex}.",
        "Nothing to do, or sign a new order (another salt) to run it again.",
    ),
    "TaskRevoked": (
        "The client revoked this order: it was signed in epoch {actualEpoch}, now is epoch {expectedEpoch}.",
        "Sign a new order.",
    ),
    "TaskParamsUnknown": (
        "There is no parameter version {paramsId}.",
        "Use TaskEscrow.latestParamsId and sign again.",
    ),
    "TaskBadParams": (
        "The parameter {field:text} is out of bounds.",
        "See docs/reference/contracts for the bounds.",
    ),
    "TaskNotPayer": ("{actual} may not do this; the payer {expected} may.", "Use the payer's account."),
    "TaskNotSeat": ("The seat is {expected}'s, not {actual}'s.", "Use the node key that claimed it."),
    "TaskHasClaims": (
        "The task cannot be cancelled any more: runners hold {claimed} of its seats.",
        "Wait: it settles, or fails with a full refund, by its deadline.",
    ),
    "TaskSelfDealing": ("{party} cannot work on its own order.", "Leave the task to other runners."),
    "TaskAlreadySeated": (
        "{owner} holds a seat of this task already.",
        "Each owner may hold one seat per task; leave the others to other owners.",
    ),
    "TaskNotSeeded": (
        "The task's lottery is not drawn yet: that is after block {seedBlock}; now is block {currentBlock}.",
        "Wait a block or two.",
    ),
    "TaskNotEligible": (
        "The runner's ticket does not admit it yet.",
        "Wait: the threshold widens with every step until everybody is admitted.",
    ),
    "TaskBadCommitment": ("The commitment is empty.", "Commit the hash of what will be revealed."),
    "TaskBadReveal": (
        "The reveal does not open the commitment: {expected:hex} was committed, {actual:hex} is opened.",
        "Reveal exactly what the runner's journal says was committed.",
    ),
    "TaskNotCourt": ("{caller} may not decide about tasks.", "Only the AuditCourt may: use its functions."),
    "TaskZeroAddress": ("An address is missing (zero).", "Use the address that is meant."),
    # Beacon
    "BeaconUnavailable": (
        "There is no beacon value of block {blockNumber}: it is not in the past yet, or too far in the past.",
        "Try again in the next block.",
    ),
    # USDFC token
    "ERC20InsufficientBalance": (
        "{sender} holds {balance:usdfc}; {needed:usdfc} are needed.",
        "Get USDFC first: `ape run fund` on a local chain, the faucet on Calibration.",
    ),
    "ERC20InsufficientAllowance": (
        "{spender} may take {allowance:usdfc}; {needed:usdfc} are needed.",
        "Approve the amount, or deposit by signature, which needs no approval.",
    ),
    "ERC20InvalidApprover": ("{approver} cannot approve.", _REPORT),
    "ERC20InvalidReceiver": ("{receiver} cannot receive USDFC.", "Use another address."),
    "ERC20InvalidSender": ("{sender} cannot send USDFC.", _REPORT),
    "ERC20InvalidSpender": ("{spender} cannot be approved.", "Use another address."),
    "InvalidAccountNonce": (
        "The signature of {account} is out of turn: its next nonce is {currentNonce}.",
        "Sign again with that nonce.",
    ),
    "PermitExpired": ("The permit expired at Unix time {deadline}.", "Sign a new one with a later deadline."),
    "InvalidSigner": ("The signature is {actual}'s, not {expected}'s.", _SIGN_AGAIN),
    "AuthorizationExpired": (
        "The payment authorization expired at Unix time {validBefore}.",
        "Sign a new one with a later end.",
    ),
    "AuthorizationNotYetValid": (
        "The payment authorization is not valid before Unix time {validAfter}.",
        "Wait until then, and check this machine's clock.",
    ),
    "AuthorizationUsedOrCanceled": (
        "{authorizer}'s payment authorization {nonce:hex} was used or cancelled already.",
        "Nothing to do if it was used for this; otherwise sign a new one.",
    ),
    "CallerNotPayee": (
        "Only the payee {expected} may use this authorization, not {actual}.",
        "Send it through Parity's contracts.",
    ),
    "NotALocalChain": (
        "The test token does not exist on public chains such as {chainId}.",
        "Use the real USDFC: set USDFC_TOKEN_ADDRESS.",
    ),
    # OpenZeppelin
    "AddressEmptyCode": ("There is no contract at {target}.", "Check the address and the network."),
    "FailedCall": (
        "A call within the call failed without saying why.",
        "Make its calls one by one: the one that fails is unknown to the contract, or its arguments are cut short.",
    ),
    "InsufficientBalance": ("{needed} of the chain's native coin needed, {balance} available.", _REPORT),
    "ECDSAInvalidSignature": ("The signature is malformed.", _SIGN_AGAIN),
    "ECDSAInvalidSignatureLength": ("The signature has {length} bytes; 65 are expected.", _SIGN_AGAIN),
    "ECDSAInvalidSignatureS": ("The signature is not in its canonical form.", _SIGN_AGAIN),
    "SafeCastOverflowedUintDowncast": ("{value} does not fit {bits} bits.", "Use a smaller amount."),
    "SafeERC20FailedOperation": (
        "The token at {token} refused the transfer.",
        "Check the balance, the approval, and USDFC_TOKEN_ADDRESS.",
    ),
    "ReentrancyGuardReentrantCall": ("The contract was called back from within its own call.", _REPORT),
    "AccessManagedUnauthorized": ("{caller} may not do this.", _GOVERNANCE),
    "AccessManagedRequiredDelay": (
        "{caller} may do this only after a delay of {delay} s.",
        "Schedule it first.",
    ),
    "AccessManagedInvalidAuthority": ("{authority} is no access manager.", _SET_UP),
    "InvalidShortString": ("A stored text is malformed.", _REPORT),
    "StringTooLong": ("The text {str!r} is too long.", "Shorten it to 31 bytes."),
    **FEDERATED_SENTENCES,
    **AUDIT_SENTENCES,
    **GOVERNANCE_SENTENCES,
    **MONITORING_SENTENCES,
}
