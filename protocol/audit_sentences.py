"""Sentences and remedies for the custom errors of the AuditCourt and its panels; see `revert_sentences`."""

_SET_UP = "This belongs to deployment: use `ape run deploy`, which does it in order."

AUDIT_SENTENCES: dict[str, tuple[str, str]] = {
    "AuditNotEscrow": (
        "{actual} may not open cases; the TaskEscrow {expected} does.",
        "Reveal the task there.",
    ),
    "AuditNotWirer": ("{actual} may not wire the AuditCourt; {expected} may.", _SET_UP),
    "AuditAlreadyWired": ("The AuditCourt is wired already; that is done once.", _SET_UP),
    "AuditZeroAddress": ("An address is missing (zero).", "Use the address that is meant."),
    "AuditParamsUnknown": (
        "There is no parameter version {paramsId} to add audit rules to.",
        "Add the parameters first, or use TaskEscrow.latestParamsId.",
    ),
    "AuditRulesFixed": (
        "Parameter version {paramsId} has its audit rules already; they never change.",
        "Add a new parameter version, and rules to that.",
    ),
    "AuditNoRules": (
        "Parameter version {paramsId} has no rules for audits.",
        "Sign the order under another version, or in quorum mode.",
    ),
    "AuditBadRules": (
        "The audit rule {field:text} is out of bounds.",
        "See docs/reference/contracts/AuditCourt.md for the bounds.",
    ),
    "AuditUnderbonded": (
        "The bond of an audited order is too small for its reward: {need:usdfc} needed, {have:usdfc} given.",
        "Sign the order with a larger bond or a smaller reward.",
    ),
    "AuditWrongStage": (
        "The case is {actual:stage}; this needs it to be {expected:stage}.",
        "Look at the case again: somebody or the clock was faster.",
    ),
    "AuditDeadline": (
        "Too late: the last block for this was {deadlineBlock}; now is block {currentBlock}.",
        "Nothing to do: anyone may advance the case now.",
    ),
    "AuditNotDue": (
        "Too early: the stage ends after block {deadlineBlock}; now is block {currentBlock}.",
        "Wait until then.",
    ),
    "AuditNotDrawn": (
        "Whether this task is audited is decided after block {drawBlock}; now is block {currentBlock}.",
        "Wait a block or two.",
    ),
    "AuditSelfDealing": ("{party} has a part in this case.", "Leave it to those who have none."),
    "AuditNotLoser": (
        "{caller} did not lose the first verdict.",
        "Only the side that lost may appeal: the runner's owner, or challenger, client and payer.",
    ),
    "PanelNotSeeded": (
        "The panel is not drawn yet: that is after block {seedBlock}; now is block {currentBlock}.",
        "Wait a block or two.",
    ),
    "PanelNotEligible": (
        "The runner's ticket does not admit it to the panel yet.",
        "Wait: the threshold widens with every step until everybody is admitted.",
    ),
    "PanelAlreadySeated": (
        "{owner} has a seat in this case already.",
        "Each owner may hold one seat per task; leave the others to other owners.",
    ),
    "PanelBadCommitment": ("The sealed vote is empty.", "Seal the hash of what will be opened."),
    "PanelNotSeat": ("The seat is {expected}'s, not {actual}'s.", "Use the node key that sealed the vote."),
    "PanelBadVote": (
        "The vote does not open its seal: {expected:hex} was sealed, {actual:hex} is opened.",
        "Open exactly what the runner's journal says was sealed.",
    ),
    "PanelAlreadyOpened": ("The vote of seat {seat} is open already.", "Nothing to do."),
    "PanelBadSettings": ("The setting {field:text} of the panel is out of bounds.", _SET_UP),
}
