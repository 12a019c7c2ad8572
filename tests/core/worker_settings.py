"""The settings of a worker that knows the tests' task, and that is taken to be dead sooner."""

from huangpu.settings import *  # noqa: F403

PROCRASTINATE_IMPORT_PATHS = ["tests.core.job_tasks", "tests.core.impatience"]
