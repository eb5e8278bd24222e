"""Why a task waits, or failed: from the lottery, the runners' standing, offers and stakes, and the task's own events."""

from client.explaining.candidates import Candidate
from client.explaining.explanation import Explanation, explain

__all__ = ["Candidate", "Explanation", "explain"]
