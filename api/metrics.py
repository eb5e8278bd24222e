"""The metrics of `/metrics`."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()

REQUESTS = Counter(
    "parity_api_requests_total", "Requests answered.", ["method", "route", "status"], registry=REGISTRY
)
REQUEST_SECONDS = Histogram(
    "parity_api_request_seconds", "Time to answer a request.", ["method", "route"], registry=REGISTRY
)
STATEMENTS = Counter("parity_api_statements_total", "SQL statements run.", registry=REGISTRY)
SUBSCRIBERS = Gauge("parity_api_subscribers", "Open subscriptions to new blocks.", registry=REGISTRY)
RELAYED = Counter(
    "parity_api_relayed_total",
    "Intents given to the relay, by outcome.",
    ["kind", "outcome"],
    registry=REGISTRY,
)
HINTS = Counter(
    "parity_api_hints_total", "Deliveries to webhooks, by outcome.", ["outcome"], registry=REGISTRY
)
