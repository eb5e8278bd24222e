"""What the errors of FederatedLearning and its charter mean, as in `revert_sentences`."""

_REPORT = "This should not happen in ordinary use; report it with the transaction's details."
_READ = "Read the session (parity-client fl watch-session) and do what its phase asks for."

FEDERATED_SENTENCES: dict[str, tuple[str, str]] = {
    "FederatedWrongPhase": (
        "The session is {actual:phase}, and this belongs to {expected:phase}.",
        _READ,
    ),
    "FederatedDeadline": (
        "That was to be done by block {deadlineBlock}; now is block {currentBlock}.",
        "Nothing more can be done in this phase; anyone may end it (advance). A new order needs a later joinBy.",
    ),
    "FederatedNotDue": (
        "The phase is not over before block {deadlineBlock} has passed; now is block {currentBlock}.",
        "Wait until then.",
    ),
    "FederatedBadOrder": (
        "The session's {field:text} is not allowed.",
        "Correct it: docs/reference/contracts/FederatedLearning.md gives the bounds of every field; then sign again.",
    ),
    "FederatedUnderfunded": (
        "The budget does not cover the session: {need:usdfc} needed, {have:usdfc} given.",
        "Raise the budget, or lower rounds, participants or rewards.",
    ),
    "FederatedBadSignature": (
        "The signature is not {signer}'s.",
        "Sign again with the right key, on the right chain, and change nothing afterwards.",
    ),
    "FederatedAlreadyCreated": (
        "The session {session:hex} was created already.",
        "Nothing to do; for another one change the salt and sign again.",
    ),
    "FederatedParamsUnknown": (
        "There is no version {paramsId} of the session parameters.",
        "Use the latest one: SessionCharter.latestParamsId().",
    ),
    "FederatedBadParams": (
        "The session parameter {field:text} is out of its bounds.",
        "Correct it: docs/reference/contracts/FederatedLearning.md gives the bounds.",
    ),
    "FederatedNotPayer": (
        "{actual} may not do this for the session; its payer {expected} may.",
        "Use the payer's or the creator's account, or its signature.",
    ),
    "FederatedNotParticipant": (
        "{actual} does not hold that slot of the session; {expected} does.",
        "Use the node key that joined, and its slot.",
    ),
    "FederatedNotExpected": (
        "Slot {slot} has nothing to do in this phase, or has done it already.",
        "Wait for the next round; a participant that drops out of a phase is in no later phase of the round.",
    ),
    "FederatedSelfDealing": (
        "{party} is a party of the session and may not take part in it.",
        "Join sessions of others.",
    ),
    "FederatedAlreadyJoined": (
        "{owner} has joined the session already.",
        "One runner of each owner takes part; join another session.",
    ),
    "FederatedNotSeeded": (
        "The lottery opens after block {seedBlock}; now is block {currentBlock}.",
        "Try again then.",
    ),
    "FederatedNotEligible": (
        "The runner's ticket did not win a slot yet.",
        "Try again in some blocks: the lottery widens while slots stay free.",
    ),
    "FederatedBadKey": ("An X25519 key is missing (zero).", "Use the runner's public key of 32 bytes."),
    "FederatedBadDigest": (
        "A digest is missing (zero), or something stands where nothing belongs.",
        "Publish the document on IPFS first and pass its SHA-256 digest; leave the second word zero where it has no meaning.",
    ),
    "FederatedBadReveal": (
        "What is revealed is not what was committed to.",
        "Reveal the update, the sample count and the salt of the commitment.",
    ),
    "FederatedNotOrdered": (
        "The round's aggregation is not ordered yet.",
        "Order it first (advance); anyone may.",
    ),
    "FederatedTaskRunning": (
        "The aggregation {task:hex} has no final result yet.",
        "Wait for it; past its own deadlines anyone may end it (TaskEscrow.advance).",
    ),
    "FederatedBadAggregate": (
        "That is not the aggregate that the aggregators agreed on.",
        "Open the result document of the aggregation's task.",
    ),
    "FederatedStrangersAccepted": (
        "The aggregate accepts slots that contributed nothing.",
        "The aggregators' result cannot be used; at its deadline the session fails and refunds.",
    ),
    "FederatedStrangersCaught": (
        "The aggregate calls slots false that it accepts, or that contributed nothing.",
        "The aggregators' result cannot be used; at its deadline the session fails and refunds.",
    ),
    "FederatedAlreadyClosing": (
        "The session is closing already.",
        "It ends when the running round does.",
    ),
    "FederatedNotController": (
        "{actual} may not use the session's purse; {expected} may.",
        "Use FederatedLearning.",
    ),
    # OpenZeppelin's clones and texts
    "StringsInsufficientHexLength": ("{value} does not fit {length} bytes.", _REPORT),
    "FailedDeployment": ("The session's purse could not be created.", _REPORT),
    "FederatedZeroAddress": ("An address is missing (zero).", _REPORT),
}
