"""Learning sessions on a runner: seen on the chain, checked, joined, trained, aggregated, settled.

part         a participant's place in a round
board        what the chain says of a session, and everything that was published in it
admission    whether this runner wants a session
papers       a session's documents and data, fetched and checked
diary        what this runner has promised in sessions, on disk before anybody hears of it
messages     what is asked of the training process, and what it answers
worker       that process
workshop     starts it with an empty environment, and asks it
ray_workshop asks a Ray cluster of the owner's instead, and joins it again whenever it has been away
ray_contact  the daemon's end of the pipes to its driver
ray_messages what both say
ray_driver   the process that joins the cluster, so that the daemon does not end with it
ray_node     what a node of the cluster does
history      from what was published to the model before a round
aggregating  the aggregation task of a session
showing      the draw of a round's audits, and the checkpoints shown for it
forests      growing trees, and uniting everybody's
auditing     re-executing what was drawn
taking_part  one participant's acts in a round
own_pace     the same in an asynchronous session, whose rounds go on while it trains
secrecy      the acts of secure aggregation
work         one session's next step
duty         all sessions of one node
"""
