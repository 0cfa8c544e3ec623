"""Judge a batch of responses concurrently, as a trainer does.

python examples/judge_many_at_once.py
"""

import gymnasium

RESPONSES = [
    "```python\ndef add_two_numbers(a, b):\n    return a + b\n```",
    "```python\ndef add_two_numbers(a, b):\n    return a - b\n```",
    "```python\ndef add_two_numbers(a, b):\n    while True: pass\n```",
    "The sum of two numbers is their sum.",
]

envs = gymnasium.make_vec(
    "sdpo_gym:sdpo/LiveCodeBench-v0", num_envs=4, vectorization_mode="vector_entry_point", time_limit=1.0
)
envs.reset(options={"task": ["add-two-numbers"] * 4})
_, rewards, _, _, infos = envs.step(RESPONSES)
for reward, feedback in zip(rewards, infos["feedback"], strict=True):
    print(f"reward {reward}: {feedback.splitlines()[0] if feedback else 'all tests pass'}")
envs.close()
