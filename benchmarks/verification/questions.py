"""The prompts: every question of every thing."""

QUESTIONS = (
    "What is {}?", "Explain {} to a child.", "Give three facts about {}.", "Why does {} matter?",
    "Write two sentences about {}.", "How did {} begin?", "What do people get wrong about {}?",
    "Compare {} with its opposite.", "Tell a short story about {}.", "List the parts of {}.",
    "Who works with {}?", "Where would one find {}?", "What would change without {}?",
    "Describe {} in plain words.", "Ask a good question about {} and answer it.",
    "Translate the idea of {} into a rule.", "What comes after {}?", "How is {} measured?",
    "Name an example of {}.", "Summarise the history of {}.",
)  # fmt: skip
THINGS = (
    "rain", "copper", "the tide", "a bridge", "bread", "gravity", "chess", "a contract", "the violin", "winter",
    "a river delta", "insurance", "photosynthesis", "a lighthouse", "glass", "the printing press", "salt", "an atlas",
    "a vaccine", "the equator", "paper money", "a telescope", "yeast", "a sonnet", "steam power", "the stock market",
    "a coral reef", "clay", "an election", "a lever", "honey", "the alphabet", "a library", "rust", "a volcano",
    "soap", "a compass", "the metric system", "a glacier", "ink", "a referee", "sleep", "a satellite", "cotton",
    "a harbour", "the number zero", "a queue", "sugar", "a fable", "a census",
)  # fmt: skip


def prompts(count: int) -> list[str]:
    """Return `count` different prompts, all questions being asked before any thing repeats itself often."""
    pairs = [question.format(thing) for thing in THINGS for question in QUESTIONS]
    step = 37  # prime to the number of pairs, so that neighbours differ in question and thing
    return [pairs[(step * index) % len(pairs)] for index in range(min(count, len(pairs)))]
