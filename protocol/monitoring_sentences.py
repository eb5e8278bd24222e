"""Sentences and remedies for the errors of PeerMonitoring, by name; see `protocol.revert_sentences`."""

_SET_UP = "This belongs to deployment: use `ape run deploy`, which does it in order."
_LOOK_AGAIN = "Look at the verdict again: somebody or the clock was faster."

MONITORING_SENTENCES: dict[str, tuple[str, str]] = {
    "MonitorZeroAddress": ("An address is missing (zero).", _SET_UP),
    "MonitorBadSettings": ("The setting {field:text} of the PeerMonitoring is out of bounds.", _SET_UP),
    "MonitorUnknownRound": (
        "There is no round {round}: it is neither an epoch nor a challenge that somebody made.",
        "Use the number of an epoch, or a challenge's round as VerdictChallenged told it.",
    ),
    "MonitorNotYet": (
        "Too early: this may be done from block {fromBlock} on; now is block {currentBlock}.",
        "Wait until then.",
    ),
    "MonitorTooLate": (
        "Too late: the last block for this was {deadlineBlock}; now is block {currentBlock}.",
        "Nothing to do for this round; be in time for the next.",
    ),
    "MonitorNotOpen": (
        "Round {round} was not opened: nobody watches anybody in it.",
        "Open it in the first half of its time (PeerMonitoring.openRound); afterwards it stays unmonitored.",
    ),
    "MonitorBadCommitment": ("The commitment is empty.", "Commit the hash of what will be revealed."),
    "MonitorAlreadyCommitted": (
        "{monitor} has committed to its reports of round {round} already.",
        "A commitment cannot be changed: reveal it after the time to commit.",
    ),
    "MonitorBadReveal": (
        "The reveal does not open the commitment: {expected:hex} was committed, {actual:hex} is opened.",
        "Reveal exactly what the runner's journal says was committed, once.",
    ),
    "MonitorBadReports": (
        "The list of {field:text} is not allowed.",
        "Pass up to 32 targets in ascending order, each once, with one kind and one evidence digest each.",
    ),
    "MonitorNotAssigned": (
        "{monitor} is not drawn to report about {target} in round {round}.",
        "Ask PeerMonitoring.isMonitorOf for the pairs that are.",
    ),
    "MonitorWrongRuling": (
        "The verdict is {actual:ruling}; this needs it to be {expected:ruling}.",
        _LOOK_AGAIN,
    ),
    "MonitorAlreadyMarked": (
        "{monitor} was marked for round {round} already.",
        "Nothing to do: a round costs a monitor once.",
    ),
    "MonitorNotSilent": (
        "{monitor} did report about {target} in round {round}, or another runner of its owner, or it had too many targets.",
        "Nothing to do: it did its duty.",
    ),
    "MonitorNotLying": (
        "{monitor} said nothing about {target} in round {round} that a final verdict contradicts.",
        "Wait for the end of a running challenge; without a verdict nobody has lied.",
    ),
}
