"""How a language model's work is verified: probe a committed answer where nobody could know it would be probed.

An answer is randomly audited and a cheat detected with a known probability; nothing here proves that an answer is right.
"""
