"""Pure federated learning: no chain, no network, no clock. Whoever runs it brings those.

What a session is     session_config, model_spec, guide (the command line's file), canonical
Data                  datasets, partition, assignment (published lists), merkle, seeds
Models                networks, forest, tensors (safetensors), objectives, optimizers, evaluate
Training              trainer (segments), trajectory (commitments), local (a participant's round), contribution
Aggregation           aggregate, krum, bounding, reputation, server, scaffold, buffered, compression; geometry, sorting, updates
Privacy               privacy, accountant, randomness; secagg (only the sum is readable)
Verification          screen, gate, lots (who is audited), audit
Sessions              session (fold of events), rounds (one pure step), model_card, simulate (all in one process)
Trying it             attacks
Errors                errors: what can be wrong, by field
"""
