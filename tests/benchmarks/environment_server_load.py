"""Many sessions at once on `sdpo-gym serve`: is anything lost or crossed, and how long do steps take?

python tests/benchmarks/environment_server_load.py --sessions 200 --steps 10

The environment's own work is next to nothing, so that the numbers are the server's and the clients'. All clients live
in this process, are connected before they begin, and then send at the same time, so that a step waits for those of the
others. Exits with 1 if a session was lost or crossed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np
from websockets.asyncio.client import connect

sys.path.insert(0, str(Path(__file__).parents[1]))
from environment_server import TOKEN, served


async def play(connection, number: int, steps: int) -> tuple[list[float], list[str]]:
    """Seconds of every step, and what was not as it should be."""
    seconds, wrong = [], []

    async def ask(kind: str, data: dict) -> dict:
        await connection.send(json.dumps({"type": kind, "data": data}))
        answer = json.loads(await asyncio.wait_for(connection.recv(), 60))
        if answer["type"] != "observation":
            raise RuntimeError(answer["data"]["message"])
        return answer["data"]["observation"]["info"]

    task = (await ask("reset", {"options": {"task": number % 4}}))["task_id"]
    for step in range(steps):
        response = f"{number}/{step}".ljust(21, ".")
        start = time.perf_counter()
        info = await ask("step", {"text": response})
        seconds.append(time.perf_counter() - start)
        if (info["task_id"], info["turn"], info["messages"][-2]["content"]) != (task, step + 1, response):
            wrong.append(f"session {number}, step {step}: {info}")
    return seconds, wrong


async def play_all(url: str, sessions: int, steps: int) -> tuple[list, float]:
    """Every session's result, or the exception that lost it; and the seconds that all took."""
    address, headers = f"ws{url[4:]}/ws", {"Authorization": f"Bearer {TOKEN}"}
    async with AsyncExitStack() as stack:
        connections = [
            await stack.enter_async_context(connect(address, additional_headers=headers, proxy=None))
            for _ in range(sessions)
        ]
        start = time.perf_counter()
        players = (play(connection, number, steps) for number, connection in enumerate(connections))
        return await asyncio.gather(*players, return_exceptions=True), time.perf_counter() - start


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sessions", type=int, default=200)
    parser.add_argument("--steps", type=int, default=10)
    options = parser.parse_args()
    arguments = ["--env-arg", f"max_turns={options.steps + 1}", "--max-sessions", str(options.sessions)]
    with served("toy_env:toy/Even-v0", *arguments) as url:
        [(alone, _)], _ = asyncio.run(play_all(url, 1, options.steps))
        results, wall = asyncio.run(play_all(url, options.sessions, options.steps))
    lost = [result for result in results if isinstance(result, BaseException)]
    played = [result for result in results if not isinstance(result, BaseException)]
    crossed = [message for _, wrong in played for message in wrong]
    for problem in [*lost[:5], *crossed[:5]]:
        print(f"{type(problem).__name__}: {problem}", file=sys.stderr)
    milliseconds = 1000 * np.array([second for seconds, _ in played for second in seconds])
    p50, p95, p99 = np.percentile(milliseconds, [50, 95, 99])
    print(f"{options.sessions} sessions x {options.steps} steps: {len(lost)} lost, {len(crossed)} crossed")
    print(f"{len(milliseconds)} steps in {wall:.1f} s, {len(milliseconds) / wall:.0f} steps/s")
    print(f"step: p50 {p50:.0f} ms, p95 {p95:.0f} ms, p99 {p99:.0f} ms; alone {1000 * np.median(alone):.1f} ms")
    return 1 if lost or crossed else 0


if __name__ == "__main__":
    sys.exit(main())
