"""The ledger: one DynamoDB table that holds everything. Each item has one writer.

| item | pk | sk | written by |
|---|---|---|---|
| broadcast | `BC#<id>` | `META` | broadcasts, dispatcher, sweeper; rollup, to pause; sender, recorder, to slow |
| parked chunk | `BC#<id>` | `PARK#<until>#<chunk>` | sender, dispatcher; removed by broadcasts, sweeper |
| counters | `BC#<id>` | `COUNT` | rollup |
| chunk | `BC#<id>#<chunk>` | `CHUNK` | sender |
| tally | `BC#<id>#<chunk>` | `TALLY` | rollup |
| send result | `BC#<id>#<chunk>` or `MSG#<id>` | `MSG#<n>` or `MSG` | sender, messages, sweeper |
| delivery | the same, or `TW#<sid>` | `ST#<n>` or `ST` | recorder |
| clicks | the same, or `TW#<sid>` | `CL#<n>` or `CL` | recorder |
| opt-out | `OPTOUT#<E.164>` | scope (service SID or `all`) | inbound, recorder, compliance, sender, messages, sweeper |
| reach | `REACH#<E.164>` | `REACH` | the same, and deactivations; each date is written on its own |
| lists read | `DEACTIVATIONS` | `CURSOR` | deactivations |
| marketing sent | `SENT#<E.164>` | `marketing` | sender, messages, sweeper |
| inbound | `IN#<sid>` | `IN` | inbound; compliance, to decide about it |
| registration | `SERVICE#<sid>` | `REGISTRATION` | sweeper |
| place in Twilio's list | `RECONCILIATION` | `PLACE` | sweeper |
| owner of a SID | `SID#<sid>` | `OWNER` | sender, messages, sweeper |

Index `by_person` (person, created_at): what passed between us and one person. Index `by_sid` (sid): whose message
a SID of Twilio's is, by our result or by a callback. Index `open` (open, due_at), sparse: what somebody still has
to look at, spread over shards. Index `listed` (listed_in, listed_at), sparse: lists that people page through, spread
likewise.
"""
