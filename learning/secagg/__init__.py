"""Secure aggregation with a bulletin board (Bonawitz et al. 2017): the sum of updates is readable, no update is.

shamir       a secret in shares, of which fewer than the threshold say nothing
masks        key agreement and the masks that cancel out in the sum
messages     what is posted at each stage
participant  what one participant does at each stage
recovery     from everything posted to the exact sum

The board (a chain) says who posted in time at each stage; deadlines are the caller's. A participant may drop at any stage: the
sum over those who handed in a masked update is exact as long as `threshold` of them answer, else the round is lost.
"""
