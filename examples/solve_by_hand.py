"""Talk to an environment directly: a first attempt that fails, its feedback, and a second one that succeeds.

python examples/solve_by_hand.py
"""

import gymnasium

FIRST = "```python\ndef is_palindrome(text):\n    return text == text.reverse()\n```"
SECOND = "```python\ndef is_palindrome(text):\n    return text == text[::-1]\n```"

env = gymnasium.make("sdpo_gym:sdpo/LiveCodeBench-v0", max_turns=2)
prompt, info = env.reset(options={"task": "is-palindrome"})
print(prompt)
for response in (FIRST, SECOND):
    print(f"\n> {response}\n")
    observation, reward, terminated, truncated, info = env.step(response)
    print(f"reward {reward}, tests passed {info['metrics']['tests_passed_fraction']:.0%}\n{info['feedback']}")
env.close()
