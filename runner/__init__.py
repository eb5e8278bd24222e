"""The runner: finds tasks on the chain, claims the ones its owner wants, does the work and proves it.

What is promised
    jobs, journal   a task as this runner knows it, on disk before the chain hears of it
What to do
    admission       whether the owner wants a task at all
    claiming        when to claim it, so that honest runners do not race
    life            the rule that names the next step
Doing it
    watch           tasks and runners from contract events
    candidacy, work from first sight to claim, and on to settlement
    executors       the work itself
    sandbox         the box in which commands of strangers run
    escrow          the contracts, read
    profile         what is offered, published
The process
    settings, daemon, situation, parts, register, status, doctor, errors
"""
