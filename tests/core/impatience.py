"""Imported by the tests' worker only: the heart beats, and its silence is noticed, in a quarter of the time."""

from huangpu.core import jobs

jobs.SILENT_S_MAX //= 4
jobs.HEARTBEAT_S //= 4
jobs.WORKER["update_heartbeat_interval"] = jobs.HEARTBEAT_S
jobs.WORKER["stalled_worker_timeout"] = jobs.SILENT_S_MAX
