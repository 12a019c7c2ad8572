"""ISO 8583: what a point-of-sale terminal and its host say to each other, purely: no database, no socket, no clock.

The dialect is ours, in the style of the terminals of China UnionPay (ISO 8583:1987, numbers packed as BCD, binary bitmap);
`docs/reference/iso8583.md` has its tables. `codec` is the door: `encode` and `decode` of the `messages`; `frames` cuts them
out of a stream; `macs` seals them; `terminal` is a simulated terminal.
"""
