"""The ledger: one DynamoDB table that holds everything. Each item has one writer.

| item | pk | sk | written by |
|---|---|---|---|
| broadcast | `BC#<id>` | `META` | broadcasts, dispatcher |
| counters | `BC#<id>` | `COUNT` | rollup |
| chunk | `BC#<id>#<chunk>` | `CHUNK` | sender |
| tally | `BC#<id>#<chunk>` | `TALLY` | rollup |
| send result | `BC#<id>#<chunk>` or `MSG#<id>` | `MSG#<n>` or `MSG` | sender, messages |
| delivery | the same, or `TW#<sid>` | `ST#<n>` or `ST` | recorder |
| opt-out | `OPTOUT#<E.164>` | scope (service SID or `all`) | inbound, recorder |
| inbound | `IN#<sid>` | `IN` | inbound |

Index `by_person` (person, created_at): what passed between us and one person. Index `open` (open, due_at),
sparse: what somebody still has to look at, spread over shards.
"""
