"""An agent that is only a client: a model behind OpenAI's interface plays any text environment, and sees its feedback.

python examples/chat_agent.py --base-url http://127.0.0.1:8000/v1 --model NAME
python examples/chat_agent.py --base-url … --model NAME --env sdpo_gym:sdpo/Remote-v0 --env-arg url=http://127.0.0.1:8643

The key, if the server wants one, is read from OPENAI_API_KEY.
"""

import argparse
import json
import os
import urllib.request

import gymnasium

from sdpo_gym.arguments import parse_env_args


def respond(base_url: str, model: str, messages: list[dict[str, str]]) -> str:
    """The model's next message in the chat."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {os.environ.get('OPENAI_API_KEY', '')}"}
    body = json.dumps({"model": model, "messages": messages}).encode()
    request = urllib.request.Request(f"{base_url.rstrip('/')}/chat/completions", body, headers)
    with urllib.request.urlopen(request, timeout=600) as answer:
        return json.load(answer)["choices"][0]["message"]["content"] or ""


def play(env: gymnasium.Env, seed: int, base_url: str, model: str) -> bool:
    """Play the episode that a seed decides; return whether it was solved."""
    observation, info = env.reset(seed=seed)
    messages = list(info.get("messages") or [{"role": "user", "content": observation}])
    print(f"\n--- {info.get('task_id', f'seed {seed}')}\n{observation}")
    total, done = 0.0, False
    while not done:
        response = respond(base_url, model, messages)
        observation, reward, terminated, truncated, info = env.step(response)
        total, done = total + reward, terminated or truncated
        messages += [{"role": "assistant", "content": response}, {"role": "user", "content": observation}]
        print(f"\n> {response}\n\n[reward {reward}] {info.get('feedback', observation)}")
    return info.get("success", total >= 1.0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--base-url", default="https://api.openai.com/v1")
    parser.add_argument("--model", required=True)
    parser.add_argument("--env", default="sdpo_gym:sdpo/LiveCodeBench-v0")
    parser.add_argument("--env-arg", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--episodes", type=int, default=3)
    options = parser.parse_args()
    env = gymnasium.make(options.env, **parse_env_args(options.env_arg))
    solved = [play(env, seed, options.base_url, options.model) for seed in range(options.episodes)]
    env.close()
    print(f"\nsolved {sum(solved)} of {len(solved)}")
