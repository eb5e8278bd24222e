"""What every Parity process shares. It imports nothing else of Parity, and does nothing on import.

Values people and contracts exchange
    money       USDFC amounts between people's decimals and base units
    address     checksummed addresses
    enums       the contracts' enumerations, in their order
    order       what a client signs
    typed_data  EIP-712: digests, signatures, who signed
    commitment  what a runner commits to before it reveals
    lottery     who may take a seat, and from which block
    documents   specs, results and runner profiles as canonical JSON
    cid         SHA-256 digests and IPFS content identifiers

Outside worlds
    content     the content store (IPFS), every byte checked against its digest
    abi         the contracts' ABIs, events and errors
    networks    facts of each chain that no node can be asked for
    deployment  where the contracts of a chain are
    rpc         calls that time out and say so
    chain       a checked connection to a chain and its contracts
    sender      transactions: simulate, number, send, bump, wait
    fees        what a unit of gas costs
    reverts     contract errors in people's words
    revert_sentences  those words

A process's own business
    settings    environment variables, each named when it is wrong
    keystore    private keys on disk, encrypted
    log         structured logs without secrets
    errors      the tree of errors, each with a remedy and an exit code
"""
