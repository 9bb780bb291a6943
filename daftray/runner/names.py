"""Names of metrics and attributes, the same as in ``daftray/domain/metrics.py`` (a test compares them)."""

REQUESTS = "daftray.requests"
TOKENS = "gen_ai.client.token.usage"
CPU_TIME = "process.cpu.time"
CUSTOM_PREFIX = "daftray.user."

TOKEN_TYPE = "gen_ai.token.type"  # noqa: S105 (an attribute's name)
MODEL = "gen_ai.request.model"
PROVIDER = "gen_ai.provider.name"
OPERATION = "gen_ai.operation.name"
OUTCOME = "daftray.outcome"
UDF = "daftray.udf"

CPU_MODE = "cpu.mode"
"""``user`` or ``system`` (OpenTelemetry, system conventions)."""

OK = "ok"
ERROR = "error"

HANDLED = "daftray.handled"
"""What became of an exception: raise, log, ignore or retry."""
PROBLEM_KEY = "daftray.problem.key"
PROBLEM_COUNT = "daftray.problem.count"
PROBLEM_FIRST = "daftray.problem.first_ns"
PROBLEM_INFO = "daftray.problem.info"
PROBLEM_SAMPLES = "daftray.problem.samples"
