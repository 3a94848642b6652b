"""What a team is told of as it happens: events, made of what changed in the ledger, or of the Messaging Service.

A module for each of what is told: `messages`, `people`, `clicks`, `broadcasts`, `a2p`, `toll_free`, `service`; none of
them loads another's rules. `event` is common to all, `changes` finds the one that tells of a change of the ledger,
`catalogue` is the list for who describes them.

An event's id is made of what happened, so the same change tells the same event again, however often it is reported:
who gets one twice knows it by its id. Events come in any order; `timestamp` is when it happened.
"""
