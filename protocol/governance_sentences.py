"""Sentences and remedies for the errors of the governance contracts, by name; see `protocol.revert_sentences`."""

_PROPOSE = "Only governance can do this: propose it with `ape run propose`."
_GOVERN = "Proposals do this through the governor: `ape run propose`, `vote`, `queue`, `execute`."
_LOOK_AGAIN = "Look at the proposal again: somebody or the clock was faster."
_WELL_FORMED = "Propose with `ape run propose`, which builds the proposal."
_SET_UP = "This belongs to deployment: use `ape run deploy`, which does it in order."
_SIGN_AGAIN = "Sign again with the right key, on the right chain, and change nothing afterwards."
_REPORT = "This should not happen in ordinary use; report it with the transaction's details."
_WAIT = "Wait until it is due, or schedule it again."

GOVERNANCE_SENTENCES: dict[str, tuple[str, str]] = {
    # ParityGovernor
    "GovernorNonexistentProposal": (
        "There is no proposal {proposalId}.",
        "Take the number that `ape run propose` printed, on the same chain.",
    ),
    "GovernorUnexpectedProposalState": (
        "The proposal {proposalId} is {current:proposal}; this is not done with it then.",
        "Look at it again; if you are proposing, the same exists already: use another --description.",
    ),
    "GovernorInsufficientProposerVotes": (
        "{proposer} has {votes:votes}; proposing takes {threshold:votes}.",
        "Delegate tokens to it (`ape run delegate`), or ask a holder of more to propose.",
    ),
    "GovernorAlreadyCastVote": ("{voter} has already voted on this proposal.", "A vote cannot be changed."),
    "GovernorInvalidVoteType": ("This is no vote.", "Vote for, against or abstain."),
    "GovernorInvalidVoteParams": ("The vote carries data, which is not used here.", "Vote without it."),
    "GovernorInvalidSignature": ("The vote's signature is not {voter}'s.", _SIGN_AGAIN),
    "GovernorRestrictedProposer": (
        "The description says that another than {proposer} proposes this.",
        "Propose with the account that the description names at its end, or change the description.",
    ),
    "GovernorOnlyExecutor": ("{account} may not do this.", _PROPOSE),
    "GovernorUnableToCancel": (
        "{account} cannot cancel the proposal {proposalId}.",
        "Only its proposer can, before the vote opens. Vote against it.",
    ),
    "GovernorAlreadyQueuedProposal": (
        "The proposal {proposalId} is queued already.",
        "Execute it when it is due.",
    ),
    "GovernorProposalQueueingFailed": ("The proposal {proposalId} cannot be queued.", _LOOK_AGAIN),
    "GovernorProposalQueueingNotRequired": ("The proposal {proposalId} needs no queue.", "Execute it."),
    "GovernorInvalidProposalLength": (
        "The proposal has {targets} targets, {calldatas} calls and {values} values.",
        _WELL_FORMED,
    ),
    "GovernorInvalidVotingPeriod": ("{votingPeriod} s is no time to vote.", "Use one above 0."),
    "GovernorInvalidQuorumFraction": (
        "A quorum cannot be {quorumNumerator} of {quorumDenominator}.",
        "Use at most the whole.",
    ),
    "GovernorPreventLateQuorumVoteExtensionTooLarge": (
        "A late vote cannot be extended by {newVoteExtension} s.",
        "Use at most the voting period, {maxVoteExtension} s.",
    ),
    "GovernorDisabledDeposit": ("The governor takes no payments.", "Pay the timelock instead."),
    # ParityTimelock
    "TimelockUnexpectedOperationState": (
        "The operation {operationId:hex} is not in the state that this needs.",
        "It may not be due yet, or be done: look at the proposal again.",
    ),
    "TimelockInsufficientDelay": (
        "A delay of {delay} s is less than the timelock's {minDelay} s.",
        "Use at least that.",
    ),
    "TimelockUnauthorizedCaller": ("{caller} may not do this.", _PROPOSE),
    "TimelockUnexecutedPredecessor": (
        "The operation {predecessorId:hex} has to be executed before.",
        "Execute that one first.",
    ),
    "TimelockInvalidOperationLength": (
        "The operation has {targets} targets, {payloads} calls and {values} values.",
        _WELL_FORMED,
    ),
    "AccessControlUnauthorizedAccount": ("{account} does not hold the role {neededRole:hex}.", _GOVERN),
    "AccessControlBadConfirmation": ("A role is renounced only by its own holder.", "Use that account."),
    # ParityAccessManager
    "AccessManagerUnauthorizedAccount": ("{msgsender} does not hold the role {roleId}.", _PROPOSE),
    "AccessManagerUnauthorizedCall": ("{caller} may not call this at {target}.", _PROPOSE),
    "AccessManagerUnauthorizedCancel": ("{msgsender} may not cancel what {caller} scheduled.", _PROPOSE),
    "AccessManagerUnauthorizedConsume": ("{target} may not use up a scheduled operation.", _REPORT),
    "AccessManagerAlreadyScheduled": ("The operation {operationId:hex} is scheduled already.", _WAIT),
    "AccessManagerNotScheduled": ("The operation {operationId:hex} is not scheduled.", "Schedule it first."),
    "AccessManagerNotReady": ("The operation {operationId:hex} is not due yet.", _WAIT),
    "AccessManagerExpired": ("The operation {operationId:hex} is too old.", "Schedule it again."),
    "AccessManagerLockedRole": ("The role {roleId} cannot be changed.", "Use another role."),
    "AccessManagerLockedFunction": ("The function {selector:hex} cannot be given away.", "Leave it."),
    "AccessManagerBadConfirmation": ("A role is renounced only by its own holder.", "Use that account."),
    "AccessManagerInvalidInitialAdmin": ("{initialAdmin} cannot be the first administrator.", _SET_UP),
    # ParityToken
    "ERC20ExceededSafeSupply": ("A supply of {increasedSupply} is above {cap}.", _SET_UP),
    "ERC2612ExpiredSignature": (
        "The permit expired at Unix time {deadline}.",
        "Sign a new one with a later deadline.",
    ),
    "ERC2612InvalidSigner": ("The permit's signature is {signer}'s, not {owner}'s.", _SIGN_AGAIN),
    "VotesExpiredSignature": (
        "The delegation expired at Unix time {expiry}.",
        "Sign a new one with a later expiry.",
    ),
    "ERC5805FutureLookup": (
        "Votes of Unix time {timepoint} cannot be known yet; it is {clock} now.",
        "Wait a second and try again.",
    ),
    "ERC6372InconsistentClock": ("The token's clock was changed.", _REPORT),
    "CheckpointUnorderedInsertion": ("Votes were written out of order.", _REPORT),
    # OpenZeppelin's calls
    "AddressEmptyCode": ("There is no contract at {target}.", "Check the address and the chain."),
    "FailedCall": ("A call of the proposal was refused without a reason.", "Check what the proposal calls."),
    "InsufficientBalance": (
        "{needed} native base units are needed, {balance} are there.",
        "Pay them in first.",
    ),
}
