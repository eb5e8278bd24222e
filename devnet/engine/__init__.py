"""A model engine that speaks Ollama's API over llama.cpp, with a small real model.

For machines without an Ollama server: what answers here is a language model, and what speaks to it is the
unmodified `ollama` client. One request is computed at a time and nothing is reused between requests, so that the
same prompt with the same options gives the same tokens, however many runners ask at once.

Differences from Ollama, on purpose: a prompt that does not fit `num_ctx` is refused, never silently cut; models are
what is on disk (no pull, push, create, copy, delete or embeddings).
"""

from devnet.engine.process import Engine

__all__ = ["Engine"]
