"""What is known of runners: their records on chain, the API's history, and peer monitoring."""

from client.reputation.face import Reputation
from client.reputation.records import (
    Assignment,
    Eligibility,
    MonitoringMetrics,
    MonitoringStats,
    RunnerRecord,
    Windows,
)
from client.reputation.views import Figures, Ranked, ScoreChange, TaskCount

__all__ = [
    "Assignment",
    "Eligibility",
    "Figures",
    "MonitoringMetrics",
    "MonitoringStats",
    "Ranked",
    "Reputation",
    "RunnerRecord",
    "ScoreChange",
    "TaskCount",
    "Windows",
]
